"""Batches of samples of like size, so that little of a batch is padding."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from science.core.seeds import rng


class SizedSampler(Sampler[list[int]]):
    """Batches of samples of like size, every row once an epoch, starting where the training stands.

    Rows are sorted by size, equals in an order of their own each epoch, and cut into batches that
    all cost about the same; the batches are then shuffled.

    Args:
        size: (rows,) places that each sample takes.
        batch_size: rows in a batch at most, unless ``pairs`` is given.
        seed: master seed of the order.
        position: says how many batches the training has seen so far.
        pairs: what a batch may cost if a sample of n places costs n**2.
    """

    def __init__(
        self,
        size: NDArray[np.int64],
        batch_size: int,
        seed: int,
        position: Callable[[], int],
        pairs: int | None = None,
    ) -> None:
        self.size, self.seed, self.position = np.asarray(size), seed, position
        self.cuts = _cuts(np.sort(self.size), batch_size, pairs)

    def __len__(self) -> int:
        return len(self.cuts) + 1

    def __iter__(self) -> Iterator[list[int]]:
        epoch, done = divmod(self.position(), len(self))
        order = rng(self.seed, "order", epoch)
        shuffled = order.permutation(len(self.size))
        ranked = shuffled[np.argsort(self.size[shuffled], kind="stable")]
        batches = np.split(ranked, self.cuts)
        for batch in order.permutation(len(batches))[done:]:
            yield batches[batch].tolist()


def sized_batches(
    size: NDArray[np.int64], batch_size: int = 1024, pairs: int | None = None
) -> list[list[int]]:
    """Row numbers of batches of like size, smallest first, for validation and sampling.

    Args:
        size: (rows,) places that each sample takes.
        batch_size: rows in a batch at most, unless ``pairs`` is given.
        pairs: what a batch may cost if a sample of n places costs n**2.
    """
    ranked = np.argsort(size, kind="stable")
    cuts = _cuts(np.asarray(size)[ranked], batch_size, pairs)
    return [batch.tolist() for batch in np.split(ranked, cuts)]


def _cuts(ranked: NDArray[np.int64], batch_size: int, pairs: int | None) -> NDArray[np.int64]:
    """Where to cut rows of ascending size so that all batches cost about the same."""
    each = (
        np.full(len(ranked), 1 / batch_size) if pairs is None else ranked.astype(float) ** 2 / pairs
    )
    # Less a rounding error, or 256 rows by 128 would make three batches.
    count = max(1, math.ceil(each.sum() - 1e-9))
    middle = (np.cumsum(each) - each / 2) / each.sum()
    return np.flatnonzero(np.diff(np.floor(middle * count))) + 1
