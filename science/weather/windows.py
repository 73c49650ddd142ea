"""Pieces of history for training: where each starts, which split it is in, and its batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from science.core.data import made_by
from science.core.errors import UserError
from science.core.forecast import Trajectory
from science.core.loading import StepLoader, ordered_loader, training_loader
from science.core.samples import Index
from science.core.seeds import rng
from science.weather.grid import Grid
from science.weather.series import HOUR, Series, moments

LEARN_FROM = 2000  # starts that statistics are taken from; more change no digit that matters


@dataclass(frozen=True, eq=False)
class Windows:
    """Pieces of history, one row a start.

    Attributes:
        series: all states.
        offsets: hours from the start of each time in a piece, ascending from 0.
        place: (rows, offsets) rows of the series.
        split: (rows,) ``train``, ``val`` or ``test``.
    """

    series: Series
    offsets: tuple[int, ...]
    place: Index
    split: NDArray[np.str_]

    @classmethod
    def of(
        cls,
        series: Series,
        offsets: Sequence[int],
        val: Sequence[int | str],
        test: Sequence[int | str],
    ) -> Windows:
        """Every piece whose times lie in one split; splits are years (2006) or months (2006-02).

        Raises:
            UserError: a time is in two splits, or no piece is whole.
        """
        watch, judge = within(series.time, val), within(series.time, test)
        if (watch & judge).any():
            both = f"{list(val)} and {list(test)}"
            raise UserError(f"val and test share times: {both}", "give each time one split")
        place = series.places(offsets)
        named = np.where(judge, "test", np.where(watch, "val", "train"))
        each = named[place]
        whole = (each == each[:, :1]).all(1)
        if not whole.any():
            hours = f"{offsets[-1]} hours"
            raise UserError(f"no piece of {hours} without a gap", "shorten data.offsets")
        return cls(series, tuple(offsets), place[whole], each[whole, 0])

    def __len__(self) -> int:
        return len(self.place)

    @property
    def time(self) -> NDArray[np.datetime64]:
        """(rows,) of each start."""
        return self.series.time[self.place[:, 0]]

    @property
    def id(self) -> NDArray[np.str_]:
        """(rows,) time of each start, and its run if there are several."""
        named = np.datetime_as_string(self.time, unit="h")
        runs = self.series.run[self.place[:, 0]]
        return named if not runs.any() else np.char.add(named, np.char.mod("-run%d", runs))

    @property
    def group(self) -> Index:
        """(rows,) month since 1970: neighbours in time are alike."""
        return self.time.astype("datetime64[M]").astype(np.int64)

    def where(self, split: str) -> Index:
        """Row numbers of one split."""
        rows = np.flatnonzero(self.split == split)
        if not len(rows):
            raise UserError(f"no {split!r} split", f"this data has {sorted(set(self.split))}")
        return rows

    def take(self, rows: Index) -> Self:
        """These rows; the states stay where they are."""
        return replace(self, place=self.place[rows], split=self.split[rows])

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """What a network's ``adapt`` learns from these rows alone.

        ``mean`` and ``std`` (channels,); ``leads`` (n,) hours between two times of a piece, and
        ``change`` (n, channels): root mean square of what a state changes in that time. ``area``
        (lat,) of mean 1. The rest is the boundary (`Boundary.arrays`).
        """
        rows = self._some()
        mean, std = moments(self.series, rows[:, 0])
        leads = sorted({b - a for a in self.offsets for b in self.offsets if b > a})
        change = [self._change(rows, lead) for lead in leads]
        made = {"mean": mean, "std": std, "leads": np.array(leads), "change": np.array(change)}
        made["area"] = self.series.grid.weight
        made |= self.series.boundary.arrays()
        return {name: torch.from_numpy(np.asarray(v, np.float32)) for name, v in made.items()}

    def _some(self) -> Index:
        if len(self) <= LEARN_FROM:
            return self.place
        chosen = rng(0, "statistics").choice(len(self), LEARN_FROM, replace=False)
        return self.place[np.sort(chosen)]

    def _change(self, rows: Index, lead: int) -> NDArray[np.floating]:
        offsets = list(self.offsets)
        a, b = next((a, b) for a in offsets for b in offsets if b - a == lead)
        start, end = rows[:, offsets.index(a)], rows[:, offsets.index(b)]
        weight = self.series.grid.weight[:, None]
        total = np.zeros(len(self.series.channels))
        for block in np.array_split(np.arange(len(rows)), max(1, len(rows) // 64)):
            moved = self.series.states[end[block]] - self.series.states[start[block]]
            total += (moved.astype(np.float64) ** 2 * weight).mean((-1, -2)).sum(0)
        return np.sqrt(total / len(rows))


def within(time: NDArray[np.datetime64], spans: Sequence[int | str]) -> NDArray[np.bool_]:
    """(times,): which lie in one of the years (2006) or months (2006-02).

    Raises:
        UserError: a span is neither.
    """
    found = np.zeros(len(time), bool)
    for span in spans:
        try:
            start = np.datetime64(str(span))
        except ValueError:
            start = np.datetime64("NaT", "D")
        unit = np.datetime_data(start.dtype)[0]
        if unit not in ("Y", "M"):
            raise UserError(f"{span!r} is no year or month", "write 2006 or 2006-02")
        found |= time.astype(f"datetime64[{unit}]") == start
    return found


class WindowRows:
    """`Windows` as tensors, handing out whole batches."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self.times = torch.tensor(windows.offsets, dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitems__(self, indices: list[int]) -> Trajectory:
        """One collated batch."""
        series, place = self.windows.series, self.windows.place[indices]
        states = torch.from_numpy(series.states[place].astype(np.float32, copy=False))
        forcings = torch.from_numpy(series.boundary.at(series.time[place]))
        return Trajectory(states, forcings, self.times, torch.as_tensor(indices))


class WindowData(LightningDataModule):
    """The series that a dataset card's ``table`` function makes, cut into pieces of history.

    Args:
        card: name of a dataset card or path to one's own.
        offsets: hours from its start of each time in a piece, ascending from 0.
        batch_size: pieces in a training batch.
        val: years (2006) or months (2006-02) that watch; by default the last year but one.
        test: those that judge; by default the last year.
        options: passed to that function.
        workers: processes that fetch batches; 0 fetches in the trainer's own.
        stride: hours between starts that watch or judge.
    """

    def __init__(
        self,
        card: str,
        offsets: Sequence[int] = (0, 6, 12, 24),
        batch_size: int = 16,
        val: Sequence[int | str] | None = None,
        test: Sequence[int | str] | None = None,
        options: Mapping[str, Any] | None = None,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.card, self.offsets, self.batch_size = card, tuple(offsets), batch_size
        self.val, self.test = val, test
        self.options, self.workers = dict(options or {}), workers

    @cached_property
    def series(self) -> Series:
        """All states, read once.

        Raises:
            UserError: the card's function makes something else.
        """
        made = made_by(self.card, self.options)
        if not isinstance(made, Series):
            raise UserError(f"{self.card}: makes a {type(made).__name__}, no series of states")
        return made

    @cached_property
    def samples(self) -> Windows:
        """All pieces of history.

        Raises:
            UserError: there are too few years to leave out any.
        """
        years = sorted(set(self.series.years))
        if len(years) < 3 and (self.val is None or self.test is None):
            problem = f"{self.card}: {len(years)} years are too few for the default splits"
            raise UserError(problem, "name them: data.val=[YEAR] data.test=[YEAR]")
        val: Sequence[int | str] = [int(y) for y in years[-2:-1]] if self.val is None else self.val
        test: Sequence[int | str] = [int(y) for y in years[-1:]] if self.test is None else self.test
        return Windows.of(self.series, self.offsets, val, test)

    @property
    def grid(self) -> Grid:
        """Of every state."""
        return self.series.grid

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of what a state holds."""
        return self.series.channels

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what is known beforehand."""
        return self.series.boundary.fields

    def fold(self, train: Index, val: Index, seed: int) -> WindowFold:
        """The data of one network: the rows it learns from and those it is watched on."""
        return WindowFold(self.samples, train, val, self.batch_size, seed, self.workers)


class WindowFold(LightningDataModule):
    """Training and validation rows of one set of pieces, for one network."""

    def __init__(
        self, samples: Windows, train: Index, val: Index, batch_size: int, seed: int, workers: int
    ) -> None:
        super().__init__()
        self.samples, self.train, self.val = samples, train, val
        self.batch_size, self.seed, self.workers = batch_size, seed, workers

    @cached_property
    def training_table(self) -> Windows:
        """What the network may learn from: normalisations are fitted on this."""
        return self.samples.take(self.train)

    def train_dataloader(self) -> StepLoader:
        """Shuffled batches whose order follows from the seed and the step."""
        rows = WindowRows(self.training_table)
        how = (self.batch_size, self.seed, self._position, self.workers)
        return training_loader(rows, *how, share=self._share())

    def val_dataloader(self) -> DataLoader[Any]:
        """The rows the network is watched on, in an order that never changes."""
        return ordered_loader(WindowRows(self.samples.take(self.val)), 64, self.workers)

    def _share(self) -> tuple[int, int]:
        trainer = self.trainer
        return (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)

    def _position(self) -> int:
        # Not the optimiser's steps: several batches may add up to one of those.
        return self.trainer.fit_loop.total_batch_idx + 1 if self.trainer is not None else 0


def batch_of(series: Series, rows: Index, hours: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Starts and what is known beforehand of their forecasts.

    Args:
        series: that holds the starts.
        rows: (n,) of the starts.
        hours: (times,) of the forecast, from 0.

    Returns:
        states (n, channels, lat, lon) and forcings (n, times, fields, lat, lon).
    """
    when = series.time[rows][:, None] + np.array(hours) * HOUR
    states = torch.from_numpy(series.states[rows].astype(np.float32, copy=False))
    return states, torch.from_numpy(series.boundary.at(when))
