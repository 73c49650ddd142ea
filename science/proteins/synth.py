"""Families made on the spot: known contacts, known couplings, with and without a phylogeny.

A shape is drawn that fills a box of the lattice. Sequences are drawn to be stable in it and
unstable elsewhere: to first order in the energies, log P_nat is E(mean of shapes) - E(shape),
which is a Potts model with J_ij(a, b) = -(c_ij - mean c_ij) E(a, b), c the contacts (Jacquin et al.
2016, PLoS Comput. Biol. 12, e1004889). Its Gibbs samples along a random tree are the family.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from science.core.allow import configurable
from science.core.errors import UserError
from science.core.seeds import derive, rng
from science.proteins.alignment import Alignment
from science.proteins.alphabet import GAP, Tokens, decode
from science.proteins.families import Family
from science.proteins.lattice import (
    SPACING_A,
    Shapes,
    backbite,
    contact_energies,
    contacts_of,
    distances_of,
    neighbours,
    places,
)
from science.proteins.potts import Potts
from science.proteins.structure import Chain

Floats = NDArray[np.float64]
Box = tuple[int, int, int]

BOX: Box = (4, 4, 4)
_DECOYS = 2000  # shapes that stand for all that a sequence must not fold into
STRENGTH = 1.0  # how hard sequences were selected, in kT of the contact energies


@dataclass(frozen=True)
class Made:
    """A family with all that is known about it.

    Attributes:
        model: the Potts model of 20 letters that the sequences are drawn from.
        tokens: (N, L); gaps are cut out afterwards, and the query has none.
        shape: (L,) place of each residue in the box.
    """

    model: Potts
    tokens: Tokens
    shape: NDArray[np.int64]


def model_of(shape: NDArray[np.int64], box: Box = BOX, strength: float = STRENGTH) -> Potts:
    """The Potts model of sequences that fold into ``shape`` rather than another of its box."""
    near = neighbours(box)
    native = _touching(shape[None], near)
    excess = strength * (native - _usual(box))
    np.fill_diagonal(excess, 0.0)
    couplings = -excess[:, :, None, None] * contact_energies()
    return Potts(np.zeros((len(shape), 20)), couplings)


def make(
    box: Box = BOX,
    depth: int = 300,
    drift: float | None = 0.5,
    strength: float = STRENGTH,
    gaps: float = 0.05,
    seed: int = 0,
) -> Made:
    """One family.

    Args:
        box: that the chain fills; its volume is L.
        depth: sequences.
        drift: updates per residue and branch of the tree; ``None`` for independent sequences.
        strength: of the selection.
        gaps: share of residues lost in deletions, of all sequences but the query.
        seed: of everything.
    """
    if not 0 <= gaps < 1:
        raise UserError(f"gaps {gaps}", "give a share from 0 to below 1")
    shape = backbite(box, 1, derive(seed, "shape"))[0]
    model = model_of(shape, box, strength)
    if drift is None:
        tokens = model.sample(depth, seed=seed)
    else:
        tokens = model.family(depth, drift, seed=seed)
    return Made(model, _with_gaps(tokens, gaps, seed), shape)


@configurable
def simulated(
    card: str = "proteins/simulated",
    families: int = 200,
    box: tuple[int, int, int] = BOX,
    depth: int = 300,
    drift: float | None = 0.5,
    gaps: float = 0.05,
    seed: int = 0,
) -> list[Family]:
    """Families of lattice proteins; of every ten one is for validation and two are for testing.

    Depths differ: each family has between an eighth of ``depth`` and all of it. Their shapes and
    sequences share nothing.

    Args:
        card: the dataset card that names this function.
        families: how many.
        box: that the chains fill.
        depth: most sequences of a family.
        drift: updates per residue and branch of the tree; ``None`` for independent sequences.
        gaps: share of residues lost in deletions.
        seed: of everything.
    """
    where = (int(box[0]), int(box[1]), int(box[2]))
    draws = rng(seed, "proteins", "depths")
    depths = np.exp(draws.uniform(np.log(depth / 8), np.log(depth), families)).round()
    splits = ("train",) * 7 + ("val",) + ("test",) * 2
    return [
        _family(
            card,
            k,
            make(where, max(2, int(depths[k])), drift, gaps=gaps, seed=derive(seed, "family", k)),
            where,
            splits[k % 10],
        )
        for k in range(families)
    ]


def _family(card: str, number: int, made: Made, box: Box, split: str) -> Family:
    name = f"lattice-{number:04d}"
    alignment = Alignment(made.tokens, source=f"{card}/{name}")
    cb = (places(box)[made.shape] * SPACING_A).astype(np.float32)
    chain = Chain(name, decode(made.tokens[0]), cb, source=card)
    return Family(name, alignment, distances_of(made.shape, box), chain, split)


def _touching(shapes: Shapes, near: NDArray[np.int64]) -> Floats:
    """(L, L) share of the shapes in which each pair touches."""
    pairs = contacts_of(shapes, near).reshape(-1, 2)
    length = shapes.shape[1]
    count = np.bincount(pairs[:, 0] * length + pairs[:, 1], minlength=length**2)
    upper = count.reshape(length, length) / len(shapes)
    return np.asarray(upper + upper.T, np.float64)


@cache
def _usual(box: Box) -> Floats:
    return _touching(backbite(box, _DECOYS, seed=0, moves=300), neighbours(box))


def _with_gaps(tokens: Tokens, share: float, seed: int) -> Tokens:
    """Deletions a few residues long, in all rows but the first."""
    draws = rng(seed, "proteins", "gaps")
    count, length = tokens.shape
    cut = tokens.copy()
    mean = 4.0
    number = draws.poisson(share * length / mean, count)
    number[0] = 0
    for row in np.flatnonzero(number):
        for _ in range(number[row]):
            start = int(draws.integers(0, length))
            cut[row, start : start + int(draws.geometric(1 / mean))] = GAP
    return cut
