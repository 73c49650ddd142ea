"""Years of states in memory, and the pieces of history that a network learns from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.samples import Index
from science.weather import states
from science.weather.boundary import Boundary
from science.weather.grid import Grid

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.floating]
HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True, eq=False)
class Series:
    """States in time order, run after run.

    Attributes:
        states: (times, channels, lat, lon) in SI units, float32; may be memory-mapped.
        time: (times,) of each.
        run: (times,) number of the run or file that a state belongs to: histories do not cross.
        channels: names.
        boundary: ground, sea and sun.
    """

    states: Array
    time: NDArray[np.datetime64]
    run: Index
    channels: tuple[str, ...]
    boundary: Boundary

    @classmethod
    def of(
        cls,
        datasets: Sequence[xr.Dataset],
        channels: Sequence[str] | None = None,
        sun: tuple[str, ...] = ("insolation",),
    ) -> Series:
        """From datasets of one grid, each of which is a run.

        Raises:
            UserError: a channel is missing somewhere, or there is no dataset.
        """
        if not datasets:
            raise UserError("no dataset", "give at least one")
        names = tuple(channels or states.channels(datasets[0]))
        lengths = [s.sizes["time"] for s in datasets]
        grid = Grid.of(datasets[0])
        made = np.empty((sum(lengths), len(names), *grid.shape), np.float32)
        for end, length, dataset in zip(np.cumsum(lengths), lengths, datasets, strict=True):
            # Channel by channel, so that a store never lies in memory twice.
            for place, name in enumerate(names):
                made[end - length : end, place] = states.channel(dataset, name).values
        time = np.concatenate([s.time.values for s in datasets]).astype("datetime64[s]")
        run = np.repeat(np.arange(len(datasets)), lengths)
        return cls(made, time, run, names, Boundary.of(datasets, sun))

    @property
    def grid(self) -> Grid:
        """Of every state."""
        return self.boundary.grid

    def __len__(self) -> int:
        return len(self.time)

    @property
    def step(self) -> np.timedelta64:
        """The usual time between states."""
        gaps = np.diff(self.time)[np.diff(self.run) == 0]
        if not len(gaps):
            raise UserError("a series of one state has no step", "give at least two times")
        values, counts = np.unique(gaps, return_counts=True)
        usual: np.timedelta64 = values[counts.argmax()]
        return usual

    def places(self, offsets: Sequence[int]) -> Index:
        """(starts, offsets) rows of every piece of history ``offsets`` hours long.

        A piece whose times are not all there, or not in one run, is left out.

        Raises:
            UserError: the offsets do not ascend from 0.
        """
        if list(offsets[:1]) != [0] or any(b <= a for a, b in pairwise(offsets)):
            raise UserError(f"offsets {list(offsets)}", "give hours that ascend from 0: [0, 6, 12]")
        found = []
        for run in np.unique(self.run):
            rows = np.flatnonzero(self.run == run)
            wanted = self.time[rows][:, None] + np.array(offsets) * HOUR
            at = np.searchsorted(self.time[rows], wanted).clip(max=len(rows) - 1)
            whole = (self.time[rows][at] == wanted).all(1)
            found.append(rows[at[whole]])
        return np.concatenate(found)

    def select(self, rows: Index) -> Self:
        """These states alone."""
        return replace(self, states=self.states[rows], time=self.time[rows], run=self.run[rows])

    def only(self, channels: Sequence[str]) -> Self:
        """The same states with these channels alone, taken out when they are asked for.

        Raises:
            UserError: there is no such channel.
        """
        missing = [name for name in channels if name not in self.channels]
        if missing:
            raise UserError(f"no channel {missing[0]!r}", f"there are {', '.join(self.channels)}")
        chosen: Any = Chosen(self.states, [self.channels.index(name) for name in channels])
        return replace(self, states=chosen, channels=tuple(channels))

    def row(self, time: np.datetime64) -> int:
        """Where the state of a time is.

        Raises:
            UserError: it is not there.
        """
        found = np.flatnonzero(self.time == time)
        if not len(found):
            ends = f"{self.time[0]} to {self.time[-1]}"
            raise UserError(
                f"no state at {time}", f"there are states from {ends}, every {self.step}"
            )
        return int(found[0])

    def dataset(self, rows: Index) -> xr.Dataset:
        """These states with CF names, (time, [level,] lat, lon)."""
        when = self.time[rows].astype("datetime64[ns]")
        return states.to_dataset(self.states[rows], self.channels, self.grid, {"time": when})

    @cached_property
    def years(self) -> Index:
        """(times,) calendar year."""
        return self.time.astype("datetime64[Y]").astype(np.int64) + 1970


def moments(series: Series, rows: Iterable[int], block: int = 64) -> tuple[Array, Array]:
    """Area-weighted mean and standard deviation of each channel over states, in one pass.

    Blocks are merged as Chan et al. 1983, Am. Stat. 37, 242 do, which rounding does not spoil.

    Returns:
        mean, std (channels,).
    """
    weight = series.grid.weight[:, None] / series.grid.weight.size / series.grid.shape[1]
    chosen = np.asarray(list(rows))
    count, mean, square = 0, np.zeros(len(series.channels)), np.zeros(len(series.channels))
    for start in range(0, len(chosen), block):
        values = series.states[chosen[start : start + block]].astype(np.float64)
        each = (values * weight).sum((-1, -2)).mean(0)
        spread = ((values - each[:, None, None]) ** 2 * weight).sum((-1, -2)).sum(0)
        fresh = len(values)
        shift = each - mean
        square += spread + shift**2 * count * fresh / (count + fresh)
        mean = mean + shift * fresh / (count + fresh)
        count += fresh
    return mean, np.sqrt(square / max(count, 1))


class Chosen:
    """Some channels of states, which stay where they are: (..., channels, lat, lon) by rows."""

    def __init__(self, states: Any, places: Sequence[int]) -> None:
        self.states, self.places = states, list(places)

    def __getitem__(self, rows: Any) -> Array:
        """States of these rows."""
        if isinstance(self.states, np.ndarray):  # never holds the other channels twice
            held: Array = self.states[np.arange(len(self.states))[rows][..., None], self.places]
            return held
        read: Array = self.states[rows][..., self.places, :, :]
        return read
