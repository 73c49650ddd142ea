"""A forecast long past all predictability: whether a network's weather stays weather."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.pictures import keep
from science.core.samples import Index
from science.core.seeds import generator
from science.core.style import INK, MUTED, SERIES, WIDTH, plain, style
from science.weather import metrics
from science.weather.climatology import Climatology
from science.weather.nets.emulator import Emulator
from science.weather.rolling import later, stepped
from science.weather.series import Series
from science.weather.variables import variable

Fields = NDArray[np.float32]


class LongRun:
    """Let a network run by itself, and compare its climate with that of the truth.

    Measures are called ``climate_<channel>_rmse``, the error of the map of means over the run;
    ``climate_<channel>_shift``, its global mean; ``climate_<channel>_eddies``, the variance in time
    over that of the truth; ``climate_<channel>_least``, the smallest value of what cannot be
    negative. They have no interval: it is one run. A second run that is not left alone, but drawn
    to the climatology, gives the same measures as ``held_...``.

    Args:
        days: of it.
        channels: whose climate is compared.
        step: hours that the network takes at once.
        hold: days in which a second run would forget all that differs from what is usual for the
            date (Newtonian relaxation); there is none unless given.
    """

    def __init__(
        self,
        days: int = 365,
        channels: Sequence[str] = ("t850", "z500"),
        step: float = 24.0,
        hold: float | None = None,
    ) -> None:
        if hold is not None and not hold > 0:
            raise UserError(f"protocol.free.hold {hold}", "give days above 0, or leave it out")
        self.days, self.channels, self.step, self.hold = days, tuple(channels), step, hold

    def measure(
        self,
        net: Emulator,
        series: Series,
        truth: Index,
        folder: Path,
        usual: Climatology | None = None,
        seed: int = 0,
    ) -> dict[str, dict[str, float | int | None]]:
        """Run from the first state of the truth, and draw what came of it.

        Args:
            net: trained.
            series: that holds the truth.
            truth: its rows, in the order of time; their means are the climate to be met.
            folder: of the run, for the picture.
            usual: of all channels, learned from training; what the second run is drawn to.
            seed: of the turns, where the network has them.
        """
        places = [series.channels.index(name) for name in self.channels]
        wet = [i for i, name in enumerate(series.channels) if variable(name).positive]
        runs = {"climate": self._run(net, series, int(truth[0]), places, wet, None, seed)}
        if self.hold is not None:
            if usual is None:
                raise ValueError("a run that is held needs the climatology")
            runs["held"] = self._run(net, series, int(truth[0]), places, wet, usual, seed)
        known = series.states[truth][:, places]
        drawn = self._drawn([made for made, _ in runs.values()], known, series)
        keep(folder, [("climate", drawn, _CAPTION)], "A year alone")
        found: dict[str, float] = {}
        weight = series.grid.weight
        for run, (made, least) in runs.items():
            for place, name in enumerate(self.channels):
                gap = made[:, place].mean(0, dtype=np.float64) - known[:, place].mean(0)
                found[f"{run}_{name}_rmse"] = float(np.sqrt(metrics.area_mean(gap**2, weight)))
                found[f"{run}_{name}_shift"] = float(metrics.area_mean(gap, weight))
                both = (metrics.area_mean(f[:, place].var(0), weight) for f in (made, known))
                found[f"{run}_{name}_eddies"] = float(next(both) / next(both))
            for place, value in zip(wet, least, strict=True):
                found[f"{run}_{series.channels[place]}_least"] = float(value)
        count = round(self.days * 24 / self.step)
        return {name: alone(value, count) for name, value in found.items()}

    def _run(
        self,
        net: Emulator,
        series: Series,
        row: int,
        places: list[int],
        wet: list[int],
        usual: Climatology | None,
        seed: int,
    ) -> tuple[Fields, Fields]:
        count = round(self.days * 24 / self.step)
        state, time = series.states[[row]], series.time[[row]]
        made = np.empty((count, len(places), *series.grid.shape), np.float32)
        least = np.full(len(wet), np.inf, np.float32)
        draws = generator(seed, "alone") if net.turns else None
        for number in range(count):
            (state,) = stepped(net, state, time, series.boundary, [self.step], draws)
            time = later(time, self.step)
            if usual is not None and self.hold is not None:
                share = np.float32(min(1.0, self.step / 24 / self.hold))
                state = state + share * (usual.at(time) - state)
                state[:, wet] = state[:, wet].clip(min=0)  # a sum of waves may dip below
            made[number] = state[0, places]
            least = np.minimum(least, state[0, wet].min((-1, -2)))
        return made, least

    def _drawn(self, made: Sequence[Fields], known: Fields, series: Series) -> Figure:
        """Means along circles of latitude, and the global mean day by day."""
        weight = series.grid.weight
        with style():
            figure = Figure(figsize=(WIDTH * 0.9, 2.9 * len(self.channels)))
            axes = figure.subplots(len(self.channels), 2, squeeze=False)
            for (left, right), place in zip(axes, range(len(self.channels)), strict=True):
                left.plot(known[:, place].mean((0, -1)), series.grid.lat, color=INK, label="truth")
                for fields, colour, name in zip(made, SERIES, ("network", "held"), strict=False):
                    zonal = fields[:, place].mean((0, -1))
                    left.plot(zonal, series.grid.lat, color=colour, label=name)
                    days = np.arange(len(fields)) * self.step / 24
                    right.plot(days, metrics.area_mean(fields[:, place], weight), color=colour)
                middle = float(metrics.area_mean(known[:, place].mean(0), weight))
                right.axhline(middle, color=MUTED, lw=1)
                title = plain(self.channels[place])
                left.set(title=f"{title}, zonal mean", ylabel="latitude")
                right.set(title=f"{title}, global mean", xlabel="days")
            axes[0, 0].legend(fontsize=8)
        return figure


_CAPTION = (
    "The network alone, day after day, from one state: means along circles of latitude beside the"
    " truth's, and the global mean beside the truth's (grey). What is held is drawn to the"
    " climatology of the training years a little, day after day."
)


def alone(value: float, count: int) -> dict[str, float | int | None]:
    """A measure without an interval."""
    return {"value": value, "low": None, "high": None, "n": count}
