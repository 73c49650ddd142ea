"""A network's ensemble beside the true distribution, which only a truth that can be run again has.

The circulation model itself, from states disturbed as an analysis would be, gives the distribution
that a perfect forecast of an imperfectly known state has. The network starts from the very same
states; then both ensembles are compared, not with what happened, but with one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.pictures import keep
from science.core.seeds import generator
from science.core.style import MUTED, SERIES, WIDTH, plain, style
from science.weather import metrics
from science.weather.longrun import alone
from science.weather.maps import globe, shown
from science.weather.maps import levels as ends_of
from science.weather.nets.emulator import Emulator
from science.weather.rolling import BATCH, stepped
from science.weather.series import Series
from science.weather.stored import Stored

Fields = NDArray[np.float32]
Array = NDArray[np.float64]


def unlike(ours: Fields, theirs: Fields) -> Array:
    """How far two ensembles are from one distribution, at each point: (members, ...) -> (...).

    Cramer's distance ``E|X - Y| - E|X - X'| / 2 - E|Y - Y'| / 2`` over ``E|Y - Y'| / 2``, unbiased:
    0 on average if both are draws from one distribution, and then also below 0 by chance.
    """
    between = np.mean([np.abs(x - theirs).mean(0, dtype=np.float64) for x in ours], axis=0)
    own, true = half_width(ours), half_width(theirs)
    made: Array = (between - own - true) / np.maximum(true, 1e-30)
    return made


def half_width(members: Fields) -> Array:
    """``E|X - X'| / 2`` over pairs of distinct members: (members, ...) -> (...)."""
    ordered = np.sort(members, axis=0)
    count = len(members)
    rank = 2 * np.arange(count) - count + 1.0
    made: Array = np.tensordot(rank, ordered, axes=1) / (count * (count - 1))
    return made


class TrueDistribution:
    """Compare with runs of the model itself from disturbed states.

    Measures: ``<channel>_unlike_error_<days>d`` (see `unlike`, means over the map), and
    ``<channel>_width_<days>d``, the ensemble's standard deviation over the true one, right at 1.

    Args:
        store: made by ``fifth weather numerical STATES --truncation 31 --members 20``; nothing is
            measured without one.
        channels: to compare.
        leads: hours.
        step: hours that the network takes at once.
    """

    def __init__(
        self,
        store: str | None = None,
        channels: Sequence[str] = ("z500", "t850"),
        leads: Sequence[float] = (24, 72, 120, 168),
        step: float = 24.0,
    ) -> None:
        self.store, self.channels = store, tuple(channels)
        self.leads, self.step = tuple(leads), step

    def measure(
        self, net: Emulator, series: Series, folder: Path, seed: int
    ) -> dict[str, dict[str, float | int | None]]:
        """Start the network where the true runs start, and compare.

        Args:
            net: trained.
            series: that tells channels, grid and boundary.
            folder: of the run, for the picture.
            seed: of the noise.

        Raises:
            UserError: the store holds no ensemble, or lacks a lead or a channel.
        """
        if self.store is None:
            return {}
        store = Stored(self.store)
        time, grid = store.time, series.grid
        begun = store(series.channels, time, [0.0], grid)[:, :, 0]
        if len(begun) < 3:
            cure = "fifth weather numerical STATES --truncation 31 --members 20 --out STORE"
            raise UserError(f"{self.store}: {len(begun)} members are no distribution", cure)
        true = store(self.channels, time, self.leads, grid)
        ours = self._ours(net, series, begun, time, seed)
        found: dict[str, dict[str, float | int | None]] = {}
        for k, lead in enumerate(self.leads):
            for c, name in enumerate(self.channels):
                pair = ours[:, :, k, c], true[:, :, k, c]
                apart = float(metrics.area_mean(unlike(*pair), grid.weight).mean())
                wide = [metrics.spread(one, grid.weight).mean() for one in pair]
                days = f"{lead / 24:g}d"
                found[f"{name}_unlike_error_{days}"] = alone(apart, len(time))
                found[f"{name}_width_{days}"] = alone(float(np.sqrt(wide[0] / wide[1])), len(time))
        keep(folder, [("distribution", self._drawn(ours, true, series), _CAPTION)], _SECTION)
        return found

    def _ours(
        self,
        net: Emulator,
        series: Series,
        begun: Fields,
        time: NDArray[np.datetime64],
        seed: int,
    ) -> Fields:
        """(members, starts, leads, channels, lat, lon) from the states of each member."""
        places = [series.channels.index(name) for name in self.channels]
        wanted = {round(lead / self.step): k for k, lead in enumerate(self.leads)}
        states = begun.reshape(-1, *begun.shape[2:])
        when = np.tile(time, len(begun))
        made = np.empty((len(states), len(self.leads), len(places), *series.grid.shape), np.float32)
        for begin in range(0, len(states), BATCH):
            rows = slice(begin, begin + BATCH)
            draw = generator(seed, "true", begin) if net.noise or net.turns else None
            path = [self.step] * max(wanted)
            steps = stepped(net.eval(), states[rows], when[rows], series.boundary, path, draw)
            for number, later in enumerate(steps, start=1):
                if number in wanted:
                    made[rows, wanted[number]] = later[:, places]
        return made.reshape(*begun.shape[:2], *made.shape[1:])

    def _drawn(self, ours: Fields, true: Fields, series: Series) -> Figure:
        """Spread of the first start's last lead on maps, and quantiles of all beside the true."""
        name, grid, lead = self.channels[0], series.grid, -1
        label, unit, factor, _ = shown(name)
        land = series.boundary.statics.get("lsm")
        sizes = [one[:, 0, lead, 0].std(0, ddof=1) * factor for one in (ours, true)]
        with style():
            figure = Figure(figsize=(WIDTH, 2.6))
            axes = figure.subplots(1, 3, width_ratios=[1.3, 1.3, 1])
            ends = (0.0, ends_of(sizes, False)[1])
            for ax, field, title in zip(axes, sizes, ("network", "truth"), strict=False):
                drawn = globe(ax, grid, field, land, ends, "magma_r")
                ax.set_title(f"{title}, spread on day {self.leads[lead] / 24:g}", fontsize=9)
            bar = figure.colorbar(drawn, ax=list(axes[:2]), location="bottom", shrink=0.5)
            bar.set_label(plain(f"{label} [{'K' if unit == '°C' else unit}]"), fontsize=8)
            middle = true[:, :, lead, 0].mean(0)
            share = np.linspace(0.5, 99.5, 60)
            both = [
                np.percentile((one[:, :, lead, 0] - middle) * factor, share) for one in (ours, true)
            ]
            axes[2].plot(both[1], both[1], color=MUTED, lw=1)
            axes[2].plot(both[1], both[0], color=SERIES[0])
            axes[2].set(xlabel="true departures", ylabel="the network's")
            axes[2].set_title("quantiles", fontsize=9)
        return figure


_SECTION = "The true distribution"
_CAPTION = (
    "Runs of the circulation model from disturbed states, and the network's members from the same"
    " states: their spread from the first start, and quantiles of their departures from the true"
    " mean. On the grey line both say the same."
)
