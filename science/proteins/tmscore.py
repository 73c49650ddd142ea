"""TM-score and RMSD of two models of one protein.

TM-score (Zhang and Skolnick 2004, Proteins 57, 702): the largest, over all superpositions, of the
mean of ``1 / (1 + (d / d0)**2)`` over the residues of the native, where
``d0 = 1.24 (L - 15)**(1/3) - 1.8`` Angstrom makes the score of unrelated proteins the same, about
0.17, at all lengths. Above 0.5 two models share a fold (Xu and Zhang 2010). The superposition is
looked for as the authors do it: from fragments of several lengths all along the chain, refined on
those residues that came close.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError

Points = NDArray[np.float64]
_LEAST_D0 = 0.5
_SHORTEST = 4
_ROUNDS = 20


class Superposed(NamedTuple):
    """How alike two sets of points are.

    Attributes:
        tm: TM-score, 0 to 1.
        rmsd: of all residues, best superposed for that [Angstrom].
        rotation: (3, 3) of the TM-score's superposition.
        shift: (3,) so that ``model @ rotation.T + shift`` lies on the native.
        n: residues compared.
    """

    tm: float
    rmsd: float
    rotation: Points
    shift: Points
    n: int


def d0(length: int) -> float:
    """The distance that counts half [Angstrom], of a protein of that length."""
    return max(_LEAST_D0, 1.24 * float(np.cbrt(length - 15)) - 1.8)


def kabsch(model: Points, native: Points) -> tuple[Points, Points]:
    """Rotation and shift that lay ``model`` on ``native`` with the least RMSD (Kabsch 1976)."""
    here, there = model.mean(0), native.mean(0)
    u, _, vt = np.linalg.svd((model - here).T @ (native - there))
    u[:, -1] *= np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = (u @ vt).T
    return rotation, there - rotation @ here


def rmsd(model: Points, native: Points) -> float:
    """Root of the mean squared distance, best superposed [Angstrom]."""
    rotation, shift = kabsch(model, native)
    return float(np.sqrt(((model @ rotation.T + shift - native) ** 2).sum(-1).mean()))


def compare(model: NDArray[np.floating], native: NDArray[np.floating]) -> Superposed:
    """TM-score and RMSD of two models, (L, 3) each; residues unknown in either are left out.

    The score is normalised by the number of residues that the native has.

    Raises:
        UserError: they differ in length, or share fewer than 4 residues.
    """
    if model.shape != native.shape or model.ndim != 2 or model.shape[1] != 3:
        raise UserError(
            f"a model of {model.shape} and a native of {native.shape} cannot be compared",
            "both must be of the same sequence",
        )
    there = np.isfinite(native).all(-1)
    both = there & np.isfinite(model).all(-1)
    if both.sum() < _SHORTEST:
        raise UserError(f"{both.sum()} residues in common", "4 are needed for a superposition")
    a, b = model[both].astype(np.float64), native[both].astype(np.float64)
    length = int(there.sum())
    best = max((_climb(a, b, piece, length) for piece in _fragments(len(a))), key=lambda s: s[0])
    return Superposed(best[0], rmsd(a, b), best[1], best[2], len(a))


def _fragments(n: int) -> list[NDArray[np.int64]]:
    """Stretches of the whole, half, a quarter ... of the chain that a search begins with."""
    found, size = [], n
    while size >= _SHORTEST:
        step = max(1, size // 2)
        starts = sorted({*range(0, n - size + 1, step), n - size})
        found += [np.arange(start, start + size) for start in starts]
        size //= 2
    return found


def _climb(
    model: Points, native: Points, piece: NDArray[np.int64], length: int
) -> tuple[float, Points, Points]:
    """Superpose on a piece, then on what came close, until that no longer changes."""
    half = d0(length)
    best: tuple[float, Points, Points] = (-1.0, np.eye(3), np.zeros(3))
    near = np.zeros(len(model), bool)
    near[piece] = True
    for _ in range(_ROUNDS):
        rotation, shift = kabsch(model[near], native[near])
        apart = np.sqrt(((model @ rotation.T + shift - native) ** 2).sum(-1))
        score = float((1 / (1 + (apart / half) ** 2)).sum() / length)
        if score > best[0]:
            best = (score, rotation, shift)
        again = _within(apart, half)
        if (again == near).all():
            break
        near = again
    return best


def _within(apart: Points, half: float) -> NDArray[np.bool_]:
    """Residues nearer than about ``d0``; the limit is raised until there are enough."""
    limit = float(np.clip(half, 4.5, 8.0))
    while True:
        near = np.asarray(apart < limit, np.bool_)
        if near.sum() >= _SHORTEST - 1 or near.all():
            return near
        limit += 0.5
