"""Batches whose contents depend on the seed and the step alone.

A run that was killed must see, after its resumption, the very batches that it would have seen.
So the order is computed from ``(seed, epoch)`` and the position is the trainer's count of batches;
no generator's state has to survive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from science.core.errors import UserError
from science.core.seeds import generator
from science.core.sized import SizedSampler, sized_batches

__all__ = [
    "Rows",
    "Shared",
    "SizedSampler",
    "StepLoader",
    "StepSampler",
    "ordered_loader",
    "sized_batches",
    "training_loader",
]


class Rows(Protocol):
    """A dataset that can hand out a whole batch at once."""

    def __len__(self) -> int: ...

    def __getitems__(self, indices: list[int]) -> Any:
        """The batch of these rows, collated."""


class StepSampler(Sampler[list[int]]):
    """Batches of row numbers, shuffled anew each epoch, starting wherever the training stands.

    Args:
        size: rows in the dataset.
        batch_size: rows in a batch; a smaller last batch is dropped unless it is the only one.
        seed: master seed of the order.
        position: says how many batches the training has seen so far.
    """

    def __init__(self, size: int, batch_size: int, seed: int, position: Callable[[], int]) -> None:
        self.size, self.batch_size, self.seed, self.position = size, batch_size, seed, position

    def __len__(self) -> int:
        return max(1, self.size // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        epoch, done = divmod(self.position(), len(self))
        order = torch.randperm(self.size, generator=generator(self.seed, "order", epoch)).tolist()
        for batch in range(done, len(self)):
            yield order[batch * self.batch_size : (batch + 1) * self.batch_size]


class Shared(Sampler[list[int]]):
    """One process's share of every batch: the batches of all together are those of one alone.

    Args:
        batches: the whole batches, a function of seed and step.
        rank, world: which process this is, of how many.
    """

    def __init__(self, batches: Sampler[list[int]], rank: int, world: int) -> None:
        self.batches, self.rank, self.world = batches, rank, world

    def __len__(self) -> int:
        return len(self.batches)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[list[int]]:
        for rows in self.batches:
            if len(rows) < self.world:
                raise UserError(
                    f"a batch of {len(rows)} samples for {self.world} processes",
                    "raise data.batch_size",
                )
            yield rows[self.rank :: self.world]


class StepLoader(DataLoader[Any]):
    """A loader that Lightning may resume in mid-epoch: the trainer's count is its place."""

    def __iter__(self) -> Any:
        """Batches; workers start to fetch when the first one is asked for.

        Lightning makes the iterator before it has restored its counts, and a stock loader with
        workers would there and then fetch the batches of step 0.
        """
        yield from super().__iter__()

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the sampler computes its place."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to restore."""


def training_loader(
    rows: Rows,
    batch_size: int,
    seed: int,
    position: Callable[[], int],
    workers: int = 0,
    size: NDArray[np.int64] | None = None,
    pairs: int | None = None,
    share: tuple[int, int] = (0, 1),
) -> StepLoader:
    """Shuffled, resumable batches for training; of like size if ``size`` is given.

    ``share`` is (rank, processes): each process gets its part of the same batches.
    """
    sampler: Sampler[list[int]] = StepSampler(len(rows), batch_size, seed, position)
    if size is not None:
        sampler = SizedSampler(size, batch_size, seed, position, pairs)
    if share[1] > 1:
        sampler = Shared(sampler, *share)
    return StepLoader(
        _Whole(rows),
        batch_sampler=sampler,
        collate_fn=_same,
        num_workers=workers,
        generator=generator(seed, "workers"),  # or workers' seeds come from the global generator
    )


def ordered_loader(
    rows: Rows,
    batch_size: int = 1024,
    workers: int = 0,
    size: NDArray[np.int64] | None = None,
    pairs: int | None = None,
) -> DataLoader[Any]:
    """Every row once, for validation and prediction: in order, or by ``size`` if that is given."""
    whole = _Whole(rows)
    if size is not None:
        batches: Any = sized_batches(size, batch_size, pairs)
        return DataLoader(whole, batch_sampler=batches, collate_fn=_same, num_workers=workers)
    return DataLoader(
        whole, batch_size=batch_size, shuffle=False, collate_fn=_same, num_workers=workers
    )


class _Whole(Dataset[Any]):
    """Lets a stock DataLoader fetch ``Rows``: its fetcher prefers ``__getitems__``."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> Any:
        return self.rows.__getitems__(indices)


def _same(batch: Any) -> Any:
    return batch
