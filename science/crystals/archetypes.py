"""Known structures that stand for the others of their size: the best answers without a network.

Where the composition says nothing, as with carbon, k answers are judged by how near the nearest of
them is to a structure nobody has seen. So from the known structures of that many atoms those are
taken that leave the others least far from one of them (`science.crystals.cover`). Random known
structures, the usual comparison, repeat what is frequent.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.files import atomic
from science.core.samples import Samples
from science.core.seeds import rng
from science.crystals.cover import MISS, cover
from science.crystals.crystals import Crystals
from science.crystals.matcher import reduce, rms

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Tell = Callable[[int, int], None]


def archetypes(
    known: Samples,
    count: int,
    seed: int,
    folder: Path,
    tell: Tell,
    candidates: int = 400,
    others: int = 600,
    miss: float = MISS,
) -> dict[int, Ints]:
    """Rows of ``known`` that stand for the rest, ``count`` for each number of atoms, best first.

    Args:
        known: training crystals of one element.
        count: how many for each size.
        seed: of the random choice of candidates and others.
        folder: distances are kept there, size by size, so that a killed run goes on.
        tell: told how many sizes are done, and of how many.
        candidates: of each size at most, chosen at random.
        others: that they have to stand for, chosen at random.
        miss: what a structure without a match counts; higher prefers matches over near ones.
    """
    size = sizes(known)
    found = {}
    for place, atoms in enumerate(np.unique(size).tolist()):
        pool = np.flatnonzero(size == atoms)
        draw = rng(seed, "archetypes", atoms)
        one = np.sort(draw.permutation(pool)[:candidates])
        two = np.sort(draw.permutation(pool)[:others])
        path = folder / f"{atoms:03d}.npy"
        if not path.is_file():
            far = distances(crystals(known, one), crystals(known, two))
            far[one[:, None] == two] = np.nan  # nobody stands for itself
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(path) as temporary, temporary.open("wb") as file:
                np.save(file, far)
        far = np.nan_to_num(np.load(path, allow_pickle=False), nan=miss)
        found[atoms] = one[cover(far, np.full(len(two), 1 / len(two)), count, miss)]
        tell(place + 1, len(np.unique(size)))
    return found


def distances(one: Crystals, two: Crystals) -> Floats:
    """(C, J) rms of every pair as the evaluator has it; ``nan`` where they do not match."""
    first, second = reduce(one), reduce(two)
    pairs = [(a, b) for a in first for b in second]
    return rms([a for a, _ in pairs], [b for _, b in pairs]).reshape(len(first), len(second))


def given(known: Samples, chosen: dict[int, Ints], asked: Samples, count: int) -> Crystals:
    """The structures that stand for the size of each row of ``asked``, ``count`` a row."""
    nearest = np.array(sorted(chosen))
    rows = [
        chosen[int(nearest[np.abs(nearest - atoms).argmin()])][:count] for atoms in sizes(asked)
    ]
    return crystals(known, np.concatenate(rows))


def crystals(samples: Samples, rows: Ints) -> Crystals:
    """These rows of a table."""
    inputs = samples.inputs
    return Crystals(*(torch.from_numpy(inputs[name][rows]) for name in ("species", "frac", "cell")))


def sizes(samples: Samples) -> Ints:
    """(n,) atoms of each crystal."""
    found: Ints = (samples.inputs["species"] > 0).sum(1)
    return found
