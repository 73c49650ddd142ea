"""Splits of crystals in which every formula is on one side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from science.core.seeds import rng

SHARES: Mapping[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}


def drawn(formulas: NDArray[np.str_], seed: int, *stream: str) -> NDArray[np.str_]:
    """(n,) 80, 10 and 10 % of the formulas, in the random order of the stream so called."""
    names, member = np.unique(formulas, return_inverse=True)
    edges = (np.cumsum(list(SHARES.values()))[:-1] * len(names)).astype(int)
    side = np.empty(len(names), dtype=np.int64)
    order = rng(seed, *stream).permutation(len(names))
    side[order] = np.searchsorted(edges, np.arange(len(names)), side="right")
    return np.array(list(SHARES), dtype="<U5")[side[member]]


def grouped(split: NDArray[np.str_], group: NDArray[np.str_], seed: int) -> NDArray[np.str_]:
    """(n,) a split in the same proportions of rows in which every group is on one side."""
    names, member = np.unique(group, return_inverse=True)
    order = rng(seed, "crystals", "grouped split").permutation(len(names))
    sizes = np.bincount(member)[order]
    before = (np.cumsum(sizes) - sizes) / len(split)
    sides = [name for name in SHARES if (split == name).any()]
    edges = np.cumsum([(split == name).mean() for name in sides])[:-1]
    side = np.empty(len(names), dtype=np.int64)
    side[order] = np.searchsorted(edges, before, side="right")
    return np.array(sides)[side[member]]
