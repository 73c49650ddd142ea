"""Forecasting as an experiment: train in stages, forecast from held-out states, judge.

Beside the network stand what costs nothing (persistence, with and without damping, and the
climatology), other people's networks trained alike, and numerical forecasts where there are any.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from science.core.config import build
from science.core.data import CardData
from science.core.errors import UserError
from science.core.learned import note
from science.core.recipe import Recipe
from science.core.seeds import derive, rng
from science.weather.climatology import Climatology
from science.weather.damping import drawn, kept
from science.weather.distribution import TrueDistribution
from science.weather.judge import Judge, Outlook
from science.weather.longrun import LongRun
from science.weather.nets.emulator import Emulator
from science.weather.rivals import Rival, merge, simple
from science.weather.rolling import forecasts
from science.weather.series import Series
from science.weather.stored import Stored
from science.weather.views import View, in_views
from science.weather.windows import WindowData

Index = NDArray[np.int64]
Fields = NDArray[np.float32]
OURS = "this run"
_LEARN_FROM = 4000  # states that the climatology is fitted to; more change nothing that matters


class Forecasting:
    """Train, forecast from starts that are spread over the judged years, and score.

    Args:
        stages: further trainings that go on from the one before, each with changes to the sections
            of the experiment, in order: ``{rollout: {data: {...}, task: {...}, trainer: {...}}}``.
        judge: what is measured.
        starts: forecasts to judge.
        leads: hours to forecast.
        step: hours that the network takes at once; of several, a single forecast is the mean.
        members: of the ensemble; 1 for a single forecast.
        harmonics: waves of the year in the climatology.
        split: whose states are the starts; tune on ``val``.
        views: symmetric pictures of each start whose forecasts are averaged, as a row of its own;
            1 for none.
        free: what to measure in one long forecast; nothing unless given.
        perturbed: the distribution to compare the ensemble with; nothing unless given.
    """

    def __init__(
        self,
        stages: Mapping[str, Mapping[str, Any] | None] | None = None,
        judge: Judge | None = None,
        starts: int = 52,
        leads: Sequence[float] = (24, 48, 72, 96, 120, 144, 168),
        step: float | Sequence[float] = 24.0,
        members: int = 1,
        harmonics: int = 3,
        split: str = "test",
        views: int = 1,
        damped: bool = False,
        free: LongRun | None = None,
        perturbed: TrueDistribution | None = None,
    ) -> None:
        self.stages, self.judge = dict(stages or {}), judge or Judge()
        self.starts, self.leads, self.step = starts, tuple(leads), step
        self.members, self.harmonics, self.split = members, harmonics, split
        self.views, self.damped = views, damped
        self.free, self.perturbed = free, perturbed

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, ours first."""
        rivals = _rivals(recipe)
        net = self.trained(recipe, "member0", recipe.config)
        windows = cast(WindowData, recipe.data).samples
        learn, judged = windows.where("train"), windows.where(self.split)
        note(recipe, ["member0"], [(learn, judged)], judged)
        series = cast(WindowData, recipe.data).series
        places = self.places(recipe, [r for r in rivals.values() if isinstance(r, Stored)])
        rows, shown = windows.place[learn, 0], series.only(self.judge.channels)
        climate = self.climate(shown, rows)
        outlook = self.outlook(shown, places, climate, rows)
        began = time.process_time()
        made = {OURS: self.forecast(net, series, places, recipe.seed)}
        recipe.clock["forecasting"] = time.process_time() - began
        made |= self._viewed(net, series, places)
        made |= self._damped(made, net, recipe, outlook, climate)
        made |= self._others(rivals, recipe, outlook, places)
        made |= simple(shown, places, outlook, climate, rows)
        scores = self.judge.rows(made, outlook, recipe.seed)
        from science.weather.pictures import draw

        draw(recipe.folder, made, outlook, self.judge.channels, series.boundary)
        if self.free is not None:
            truth = windows.place[judged, 0]
            usual = self.climate(series, rows) if self.free.hold else None
            seed = derive(recipe.seed, "free")
            scores[0]["metrics"] |= self.free.measure(
                net.eval(), series, truth, recipe.folder, usual, seed
            )
        if self.perturbed is not None:
            seed = derive(recipe.seed, "true")
            scores[0]["metrics"] |= self.perturbed.measure(net.eval(), series, recipe.folder, seed)
        goals = {name: dict(goal) for name, goal in self.judge.goals.items()}
        return {"rows": scores, "goals": goals, "notes": self._said(net, outlook)}

    def trained(
        self, recipe: Recipe, name: str, config: Mapping[str, Any], rival: Rival | None = None
    ) -> Emulator:
        """A network taken through all stages; the last one carries the name."""
        stages = {stage: changes for stage, changes in self.stages.items() if changes}
        names = [f"{name}-begun", *(f"{name}-{stage}" for stage in stages)]
        names[-1] = name
        net: Any = None
        merged: Mapping[str, Any] = config
        for each, changes in zip(names, [{}, *stages.values()], strict=True):
            before, merged = merged, merge(merged, changes)
            given = merged if rival is None else merge(merged, rival.changes(changes, before))
            stage = replace(recipe, config=given)
            stage.data = self._data(recipe, merged)
            windows = stage.data.samples
            seed = derive(recipe.seed, each)
            fold = stage.data.fold(windows.where("train"), windows.where("val"), seed)
            net = stage.train(each, fold, warm=net)
        return cast(Emulator, net)

    def _data(self, recipe: Recipe, config: Mapping[str, Any]) -> CardData:
        """A stage's data; the states themselves are read once for all stages."""
        data, first = build(config["data"]), cast(WindowData, recipe.data)
        if (data.card, data.options) == (first.card, first.options):
            data.series = first.series
        return cast(CardData, data)

    def places(
        self, recipe: Recipe, given: Sequence[Stored] = (), split: str | None = None
    ) -> Index:
        """(starts, 1 + leads) rows of the series to forecast from and to be judged by.

        Args:
            recipe: whose data are judged.
            given: stores of forecasts; starts that one of them lacks are left out.
            split: whose states are the starts; the judged one unless given.
        """
        split = split or self.split
        data = cast(WindowData, recipe.data)
        windows = data.samples
        inside = windows.place[windows.where(split)]
        every = data.series.places([0, *(round(lead) for lead in self.leads)])
        for store in given:
            every = every[np.isin(data.series.time[every[:, 0]], store.time)]
        every = every[np.isin(every, inside).all(1)]
        if not len(every):
            problem = f"no forecast of {max(self.leads):g} hours lies within the {split} split"
            if given:
                problem += f" and in {', '.join(str(store.store) for store in given)}"
            raise UserError(problem, "give it more time, or shorten protocol.leads")
        chosen = np.linspace(0, len(every) - 1, min(self.starts, len(every))).round().astype(int)
        found: NDArray[np.int64] = every[np.unique(chosen)]
        return found

    def climate(self, series: Series, learn: Index) -> Climatology:
        """What is usual, from training states alone."""
        some = learn
        if len(learn) > _LEARN_FROM:
            some = np.sort(rng(0, "climate").choice(learn, _LEARN_FROM, replace=False))
        return Climatology.fit(series.states[some], series.time[some], self.harmonics)

    def outlook(self, series: Series, places: Index, climate: Climatology, learn: Index) -> Outlook:
        """What happened after each start, and what was usual."""
        some = series.states[learn[:: max(1, len(learn) // 500)]]
        return Outlook(
            series.channels,
            self.leads,
            series.time[places[:, 0]],
            series.states[places[:, 1:]],
            climate.at(series.time[places[:, 1:]]),
            np.percentile(some, 95, axis=0).astype(np.float32),
            series.grid,
        )

    def forecast(self, net: Emulator, series: Series, places: Index, seed: int) -> Fields:
        """(members, starts, leads, judged channels, lat, lon)."""
        start = places[:, 0]
        how: dict[str, Any] = {"step": self.step, "members": self.members}
        return forecasts(
            net.eval(),
            series.states[start],
            series.time[start],
            series.boundary,
            self.leads,
            **how,
            seed=derive(seed, "members"),
            channels=self._judged(series),
        )

    def _judged(self, series: Series) -> list[int]:
        """Places of the judged channels: of an ensemble nothing else is kept."""
        return [series.channels.index(name) for name in self.judge.channels]

    def _viewed(self, net: Emulator, series: Series, places: Index) -> dict[str, Fields]:
        if self.views < 2 or not net.globe:
            return {}

        def once(states: Fields, boundary: View) -> Fields:
            time = series.time[places[:, 0]]
            made = forecasts(net.eval(), states, time, boundary, self.leads, self.step)
            single: Fields = made[0]
            return single

        start = series.states[places[:, 0]]
        made = in_views(once, start, series.channels, series.boundary, self.views)
        return {f"{OURS}, mean of {self.views} views": made[None, :, :, self._judged(series)]}

    def _damped(
        self,
        made: Mapping[str, Fields],
        net: Emulator,
        recipe: Recipe,
        outlook: Outlook,
        climate: Climatology,
    ) -> dict[str, Fields]:
        if not self.damped:
            return {}
        series = cast(WindowData, recipe.data).series
        places = self.places(recipe, split="val")
        past = self._viewed(net, series, places) or {
            OURS: self.forecast(net, series, places, recipe.seed)
        }
        usual = climate.at(series.time[places[:, 1:]])
        ((name, told),) = past.items()
        truth = series.only(self.judge.channels).states[places[:, 1:]]
        share = kept(told.mean(0), truth, usual, series.grid.weight)
        return {f"{name}, damped": drawn(made[name].mean(0), outlook.climate, share)[None]}

    def _others(
        self, rivals: Mapping[str, Any], recipe: Recipe, outlook: Outlook, places: Index
    ) -> dict[str, Fields]:
        series = cast(WindowData, recipe.data).series
        made = {}
        for name, rival in rivals.items():
            if isinstance(rival, Stored):
                made[name] = rival(outlook.channels, outlook.time, self.leads, series.grid)
            else:
                config = rival.config(recipe.config)
                net = self.trained(recipe, f"baseline-{name}", config, rival)
                made[name] = self.forecast(net, series, places, recipe.seed)
        return made

    def _said(self, net: Emulator, outlook: Outlook) -> list[str]:
        size = sum(p.numel() for p in net.parameters())
        return [
            f"{len(outlook.time)} starts from {outlook.time[0]} to {outlook.time[-1]};"
            f" intervals by resampling spans of ten days.",
            f"{size:,} parameters.",
        ]


def _rivals(recipe: Recipe) -> dict[str, Any]:
    """What the experiment compares with; stores that are not given are left out."""
    nodes = recipe.config.get("baselines") or {}
    made = {name: build(node) for name, node in nodes.items() if node}
    return {n: r for n, r in made.items() if not isinstance(r, Stored) or r.store is not None}
