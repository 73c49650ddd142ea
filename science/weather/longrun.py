"""A forecast long past all predictability: whether a network's weather stays weather."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.pictures import keep
from science.core.samples import Index
from science.core.style import INK, MUTED, SERIES, WIDTH, plain, style
from science.weather import metrics
from science.weather.nets.emulator import Emulator
from science.weather.rolling import stepped
from science.weather.series import Series
from science.weather.variables import variable

Fields = NDArray[np.float32]


class LongRun:
    """Let a network run by itself, and compare its climate with that of the truth.

    Measures are called ``climate_<channel>_rmse``, the error of the map of means over the run;
    ``climate_<channel>_shift``, its global mean; ``climate_<channel>_eddies``, the variance in time
    over that of the truth; ``climate_<channel>_least``, the smallest value of what cannot be
    negative. They have no interval: it is one run.

    Args:
        days: of it.
        channels: whose climate is compared.
        step: hours that the network takes at once.
    """

    def __init__(
        self, days: int = 365, channels: Sequence[str] = ("t850", "z500"), step: float = 24.0
    ) -> None:
        self.days, self.channels, self.step = days, tuple(channels), step

    def measure(
        self, net: Emulator, series: Series, truth: Index, folder: Path
    ) -> dict[str, dict[str, float | int | None]]:
        """Run from the first state of the truth, and draw what came of it.

        Args:
            net: trained.
            series: that holds the truth.
            truth: its rows, in the order of time; their means are the climate to be met.
            folder: of the run, for the picture.
        """
        places = [series.channels.index(name) for name in self.channels]
        wet = [i for i, name in enumerate(series.channels) if variable(name).positive]
        made, least = self._run(net, series, int(truth[0]), places, wet)
        known = series.states[truth][:, places]
        keep(folder, [("climate", self._drawn(made, known, series), _CAPTION)], "A year alone")
        found: dict[str, float] = {}
        weight = series.grid.weight
        for place, name in enumerate(self.channels):
            gap = made[:, place].mean(0, dtype=np.float64) - known[:, place].mean(0)
            found[f"climate_{name}_rmse"] = float(np.sqrt(metrics.area_mean(gap**2, weight)))
            found[f"climate_{name}_shift"] = float(metrics.area_mean(gap, weight))
            ours, theirs = (metrics.area_mean(f[:, place].var(0), weight) for f in (made, known))
            found[f"climate_{name}_eddies"] = float(ours / theirs)
        for place, value in zip(wet, least, strict=True):
            found[f"climate_{series.channels[place]}_least"] = float(value)
        return {name: alone(value, len(made)) for name, value in found.items()}

    def _run(
        self, net: Emulator, series: Series, row: int, places: list[int], wet: list[int]
    ) -> tuple[Fields, Fields]:
        count = round(self.days * 24 / self.step)
        start = (series.states[[row]], series.time[[row]])
        made = np.empty((count, len(places), *series.grid.shape), np.float32)
        least = np.full(len(wet), np.inf, np.float32)
        path: Iterator[Fields] = stepped(net, *start, series.boundary, [self.step] * count)
        for number, state in enumerate(path):
            made[number] = state[0, places]
            least = np.minimum(least, state[0, wet].min((-1, -2)))
        return made, least

    def _drawn(self, made: Fields, known: Fields, series: Series) -> Figure:
        """Means along circles of latitude, and the global mean day by day."""
        weight = series.grid.weight
        with style():
            figure = Figure(figsize=(WIDTH * 0.9, 2.9 * len(self.channels)))
            axes = figure.subplots(len(self.channels), 2, squeeze=False)
            for (left, right), place in zip(axes, range(len(self.channels)), strict=True):
                for fields, colour, name in ((known, INK, "truth"), (made, SERIES[0], "network")):
                    zonal = fields[:, place].mean((0, -1))
                    left.plot(zonal, series.grid.lat, color=colour, label=name)
                days = np.arange(len(made)) * self.step / 24
                right.plot(days, metrics.area_mean(made[:, place], weight), color=SERIES[0])
                middle = float(metrics.area_mean(known[:, place].mean(0), weight))
                right.axhline(middle, color=MUTED, lw=1)
                title = plain(self.channels[place])
                left.set(title=f"{title}, zonal mean", ylabel="latitude")
                right.set(title=f"{title}, global mean", xlabel="days")
            axes[0, 0].legend(fontsize=8)
        return figure


_CAPTION = (
    "The network alone, day after day, from one state: means along circles of latitude beside the"
    " truth's, and the global mean beside the truth's (grey)."
)


def alone(value: float, count: int) -> dict[str, float | int | None]:
    """A measure without an interval."""
    return {"value": value, "low": None, "high": None, "n": count}
