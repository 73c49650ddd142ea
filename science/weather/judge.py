"""Judge forecasts against what happened, each score with the interval that its starts give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.evaluation import Measured
from science.core.seeds import rng
from science.weather import metrics
from science.weather.grid import Grid

Fields = NDArray[np.float32]


@dataclass(frozen=True)
class Outlook:
    """What forecasts are about.

    Attributes:
        channels: names.
        leads: hours.
        time: (starts,).
        truth: (starts, leads, channels, lat, lon).
        climate: of the same shape, what is usual.
        extreme: (channels, lat, lon) local 95th percentile of the training years.
        grid: of the maps.
    """

    channels: tuple[str, ...]
    leads: tuple[float, ...]
    time: NDArray[np.datetime64]
    truth: Fields
    climate: Fields
    extreme: Fields
    grid: Grid

    @property
    def groups(self) -> NDArray[np.int64]:
        """(starts,) tens of days since 1970: starts within one share their weather."""
        return self.time.astype("datetime64[D]").astype(np.int64) // 10


class Judge:
    """Scores of single forecasts and of ensembles, by channel and lead.

    Measures are called ``<channel>_<score>_<days>d``: ``rmse`` and ``acc`` of the forecast or the
    ensemble's mean, and for ensembles ``crps`` (fair), ``ratio`` (spread over error, best at 1),
    ``bss`` (Brier skill above the local 95th percentile). ``sharp`` is the members' energy at zonal
    wavenumber 15, 30 to 60 degrees, over that of the truth. ``gain`` is the share by which the
    ``rmse``, ``crpss`` that by which the ``crps`` is below the one of ``against``: their intervals
    are of differences on the same starts, and narrower than two rows side by side suggest.

    Args:
        channels: to judge.
        leads: hours to print; figures show every lead there is.
        resamples: of the bootstrap over starts.
        goals: measure -> ``{goal, published, source}``.
        wave: of ``sharp``.
        against: row that the others are compared with, if it is there.
    """

    def __init__(
        self,
        channels: Sequence[str] = ("z500", "t850"),
        leads: Sequence[float] = (24, 72, 120, 168),
        resamples: int = 1000,
        goals: Mapping[str, Mapping[str, Any]] | None = None,
        wave: int = 15,
        against: str | None = None,
    ) -> None:
        self.channels, self.leads, self.wave = tuple(channels), tuple(leads), wave
        self.resamples, self.goals, self.against = resamples, goals or {}, against

    def rows(self, made: Mapping[str, Fields], outlook: Outlook, seed: int) -> list[dict[str, Any]]:
        """Rows of ``metrics.json`` by model; see `row`."""
        reference = made.get(self.against) if self.against else None
        return [
            self.row(name, each, outlook, seed, None if name == self.against else reference)
            for name, each in made.items()
        ]

    def row(
        self,
        name: str,
        members: Fields,
        outlook: Outlook,
        seed: int,
        reference: Fields | None = None,
    ) -> dict[str, Any]:
        """One model's row of ``metrics.json``.

        Args:
            name: of the model.
            members: (members, starts, leads, channels, lat, lon), one member if it is no ensemble.
            outlook: what happened.
            seed: of the bootstrap.
            reference: members that these are compared with.
        """
        found: dict[str, Measured] = {}
        for channel in self.channels:
            for lead in self.leads:
                if lead in outlook.leads:
                    scores = self._scores(members, outlook, channel, lead, seed, reference)
                    days = f"{lead / 24:g}d"
                    found |= {f"{channel}_{score}_{days}": m for score, m in scores.items()}
        return {"model": name, "metrics": {n: m.as_dict() for n, m in found.items()}, "note": ""}

    def _scores(
        self,
        members: Fields,
        outlook: Outlook,
        channel: str,
        lead: float,
        seed: int,
        reference: Fields | None,
    ) -> dict[str, Measured]:
        at = _place(outlook, channel, lead)
        weight, truth, usual = outlook.grid.weight, outlook.truth[at], outlook.climate[at]
        made = members[(slice(None), *at)].astype(np.float64)
        square = metrics.squared_error(made.mean(0), truth, weight)
        agree = metrics.acc(made.mean(0), truth, usual, weight)
        parts = {"rmse": [square], "acc": [agree]}
        count = len(made)
        if count > 1:
            score = metrics.area_mean(metrics.crps(made, truth), weight)
            high = outlook.extreme[at[2]]
            chance = metrics.brier(made, truth, high, weight)
            usually = metrics.area_mean(np.square(0.05 - (truth > high)), weight)
            parts |= {"crps": [score], "ratio": [metrics.spread(made, weight), square]}
            parts |= {"bss": [chance, usually]}
        if made.shape[-1] > 2 * self.wave and outlook.grid.circular:
            energy = [
                metrics.midlatitude_spectrum(f, outlook.grid.lat)[..., self.wave]
                for f in (made, truth)
            ]
            parts["sharp"] = [energy[0].mean(0), energy[1]]
        if reference is not None:
            theirs = reference[(slice(None), *at)].astype(np.float64)
            parts |= _beside(parts, theirs, truth, weight)
        return {
            name: self._measured(name, each, outlook, seed, count) for name, each in parts.items()
        }

    def _measured(
        self, name: str, parts: Sequence[Any], outlook: Outlook, seed: int, count: int
    ) -> Measured:
        values = np.stack(parts, 1)
        means = [values.mean(0)[None]]
        if self.resamples:
            draw = rng(seed, "starts")
            means.append(metrics.resampled(values, outlook.groups, draw, self.resamples))
        point, *drawn = (_final(name, mean, count) for mean in means)
        low, high = np.percentile(drawn[0], [2.5, 97.5]) if drawn else (None, None)
        whole = [None if x is None else float(x) for x in (low, high)]
        return Measured(float(point[0]), whole[0], whole[1], len(values))


def _beside(
    parts: Mapping[str, list[Any]],
    reference: NDArray[np.float64],
    truth: Fields,
    weight: NDArray[np.float64],
) -> dict[str, list[Any]]:
    """What was scored, with the same of the reference (members, starts, lat, lon) behind it."""
    square = metrics.squared_error(reference.mean(0), truth, weight)
    found = {"gain": [*parts["rmse"], square]}
    if "crps" in parts and len(reference) > 1:
        score = metrics.area_mean(metrics.crps(reference, truth), weight)
        found["crpss"] = [*parts["crps"], score]
    return found


def _final(name: str, mean: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """A score from the means of its parts: roots and quotients come last."""
    made: NDArray[np.float64] = mean[:, 0]
    if name == "rmse":
        made = np.sqrt(mean[:, 0])
    elif name == "ratio":
        made = np.sqrt((count + 1) / count * mean[:, 0] / mean[:, 1])
    elif name == "gain":
        made = 1 - np.sqrt(mean[:, 0] / mean[:, 1])
    elif name in ("bss", "crpss"):
        made = 1 - mean[:, 0] / mean[:, 1]
    elif name == "sharp":
        made = mean[:, 0] / mean[:, 1]
    return made


def _place(outlook: Outlook, channel: str, lead: float) -> tuple[slice, int, int]:
    if channel not in outlook.channels:
        cure = f"there are {', '.join(outlook.channels)}"
        raise UserError(f"judge.channels: no channel {channel!r}", cure)
    return slice(None), outlook.leads.index(lead), outlook.channels.index(channel)
