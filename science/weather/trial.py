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
from science.weather.judge import Judge, Outlook
from science.weather.nets.emulator import Emulator
from science.weather.rolling import forecasts
from science.weather.series import Series
from science.weather.windows import WindowData

Index = NDArray[np.int64]
Fields = NDArray[np.float32]
OURS = "this run"
_LEARN_FROM = 4000  # states that the climatology is fitted to; more change nothing that matters
_PIECES = 400  # of history that the damping is regressed on


class Forecasting:
    """Train, forecast from starts that are spread over the judged years, and score.

    Args:
        stages: further trainings that go on from the one before, each with changes to the sections
            of the experiment, in order: ``{rollout: {data: {...}, task: {...}, trainer: {...}}}``.
        judge: what is measured.
        starts: forecasts to judge.
        leads: hours to forecast.
        step: hours that the network takes at once.
        members: of the ensemble; 1 for a single forecast.
        harmonics: waves of the year in the climatology.
        split: whose states are the starts; tune on ``val``.
    """

    def __init__(
        self,
        stages: Mapping[str, Mapping[str, Any] | None] | None = None,
        judge: Judge | None = None,
        starts: int = 52,
        leads: Sequence[float] = (24, 48, 72, 96, 120, 144, 168),
        step: float = 24.0,
        members: int = 1,
        harmonics: int = 3,
        split: str = "test",
    ) -> None:
        self.stages, self.judge = dict(stages or {}), judge or Judge()
        self.starts, self.leads, self.step = starts, tuple(leads), step
        self.members, self.harmonics, self.split = members, harmonics, split

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, ours first."""
        net = self.trained(recipe, "member0", recipe.config)
        windows = cast(WindowData, recipe.data).samples
        learn, judged = windows.where("train"), windows.where(self.split)
        note(recipe, ["member0"], [(learn, judged)], judged)
        series = cast(WindowData, recipe.data).series
        places = self.places(recipe)
        rows = windows.place[learn, 0]
        climate = self.climate(series, rows)
        outlook = self.outlook(series, places, climate, rows)
        began = time.process_time()
        made = {OURS: self.forecast(net, series, places, recipe.seed)}
        recipe.clock["forecasting"] = time.process_time() - began
        made |= self._rivals(recipe, series, places)
        made |= simple(series, places, outlook, climate, rows)
        scores = [self.judge.row(n, m, outlook, recipe.seed) for n, m in made.items()]
        from science.weather.pictures import draw

        draw(recipe.folder, made, outlook, self.judge.channels, series.boundary)
        goals = {name: dict(goal) for name, goal in self.judge.goals.items()}
        return {"rows": scores, "goals": goals, "notes": self._said(recipe, net, outlook)}

    def trained(self, recipe: Recipe, name: str, config: Mapping[str, Any]) -> Emulator:
        """A network taken through all stages; the last one carries the name."""
        stages = {stage: changes for stage, changes in self.stages.items() if changes}
        names = [f"{name}-begun", *(f"{name}-{stage}" for stage in stages)]
        names[-1] = name
        net: Any = None
        merged: Mapping[str, Any] = config
        for each, changes in zip(names, [{}, *stages.values()], strict=True):
            merged = merge(merged, changes)
            stage = replace(recipe, config=merged)
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

    def places(self, recipe: Recipe) -> Index:
        """(starts, 1 + leads) rows of the series to forecast from and to be judged by."""
        data = cast(WindowData, recipe.data)
        windows = data.samples
        inside = windows.place[windows.where(self.split)]
        every = data.series.places([0, *(round(lead) for lead in self.leads)])
        every = every[np.isin(every, inside).all(1)]
        if not len(every):
            problem = f"no forecast of {max(self.leads):g} hours lies within the {self.split} split"
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
        """(members, starts, leads, channels, lat, lon)."""
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
        )

    def _rivals(self, recipe: Recipe, series: Series, places: Index) -> dict[str, Fields]:
        made = {}
        for name, node in (recipe.config.get("baselines") or {}).items():
            if node:
                rival: Rival = build(node)
                net = self.trained(recipe, f"baseline-{name}", rival.config(recipe.config))
                made[name] = self.forecast(net, series, places, recipe.seed)
        return made

    def _said(self, recipe: Recipe, net: Emulator, outlook: Outlook) -> list[str]:
        size = sum(p.numel() for p in net.parameters())
        spent = {n: c["cpu_s"] / 60 for n, c in recipe.cost.items()}
        told = "; ".join(f"{name} {minutes:.1f}" for name, minutes in spent.items())
        return [
            f"{len(outlook.time)} starts from {outlook.time[0]} to {outlook.time[-1]};"
            f" intervals by resampling spans of ten days.",
            f"{size:,} parameters. Processor minutes of training: {told or 'none'}.",
        ]


class Rival:
    """Another backbone in the same emulator, on the same data, with the same task.

    Args:
        backbone: config node of it.
        epochs: of the first stage; 0 for as many as ours.
    """

    def __init__(self, backbone: Mapping[str, Any], epochs: int = 0) -> None:
        self.backbone, self.epochs = backbone, epochs

    def config(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The experiment with the other network in it."""
        trainer = {"max_epochs": self.epochs} if self.epochs else {}
        changed = merge(config, {"trainer": trainer})
        return {**changed, "net": {**config["net"], "backbone": self.backbone}, "start": None}


def merge(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` with ``changes`` laid over it, mapping by mapping."""
    made = dict(config)
    for key, value in changes.items():
        old = made.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        made[key] = merge(cast(Mapping[str, Any], old), value) if both else value
    return made


def simple(
    series: Series, places: Index, outlook: Outlook, climate: Climatology, learn: Index
) -> dict[str, Fields]:
    """Forecasts that need no network: persistence, its anomaly damped, and the climatology."""
    now = series.states[places[:, 0]][:, None]
    return {
        "persistence": np.broadcast_to(now, outlook.truth.shape)[None],
        "damped persistence": damped(series, places, outlook, climate, learn)[None],
        "climatology": outlook.climate[None],
    }


def damped(
    series: Series, places: Index, outlook: Outlook, climate: Climatology, learn: Index
) -> Fields:
    """The anomaly of the start, drawn to the climatology: (starts, leads, channels, lat, lon).

    What is kept of it is regressed at each point, channel and lead on pieces of training history.
    """
    past = series.places([0, *(round(lead) for lead in outlook.leads)])
    past = past[np.isin(past, learn).all(1)]
    past = past[:: max(1, len(past) // _PIECES)]
    first = series.states[past[:, 0]] - climate.at(series.time[past[:, 0]])
    power = np.maximum((first**2).mean(0), 1e-30)
    start = series.states[places[:, 0]] - climate.at(series.time[places[:, 0]])
    made = outlook.climate.copy()
    for k in range(len(outlook.leads)):
        later = series.states[past[:, k + 1]] - climate.at(series.time[past[:, k + 1]])
        kept = ((first * later).mean(0) / power).clip(0, 1)
        made[:, k] += kept * start
    return made
