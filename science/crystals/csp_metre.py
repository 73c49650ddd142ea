"""METRe: every target met by whatever was predicted for its composition.

Hoellmer et al. 2025 (ICML, arXiv:2502.02582) match everyone to reference, so that nobody has to
guess which of several true structures of one formula a row of the table means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from science.crystals.crystals import Crystals
from science.crystals.matcher import CSP, Tell, Tolerances, rms

Floats = NDArray[np.float64]
MOST = 200_000  # further pairs; a set with more is a few formulas over and over, such as carbon


def anyone(
    distance: Floats,
    made: Crystals,
    truth: Crystals,
    tolerances: Tolerances = CSP,
    tell: Tell | None = None,
) -> Floats | None:
    """(n,) least rms of each target to any prediction for the same atoms, ``nan`` for no match.

    Args:
        distance: (n, k) rms of each target's own predictions.
        made: n * k predictions, one target's after the other's.
        truth: n targets.
        tolerances: of the matcher.
        tell: told how many pairs are done, and of how many.

    Returns:
        ``None`` if there are too many pairs to match; METRe is the share that is a number.
    """
    target, other = _pairs(np.sort(truth.species.numpy(), axis=1))
    count = distance.shape[1]
    if len(target) * count > MOST:
        return None
    best: Floats = np.where(np.isfinite(distance), distance, np.inf).min(1, initial=np.inf)
    samples = (other[:, None] * count + np.arange(count)).ravel()
    targets = target.repeat(count)
    found = rms(_take(made, samples), _take(truth, targets), tolerances, tell=tell)
    np.minimum.at(best, targets, np.nan_to_num(found, nan=np.inf))
    return np.where(np.isfinite(best), best, np.nan)


def _pairs(species: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that hold the same atoms as another row, and that other row; both ways round."""
    _, kind = np.unique(species, axis=0, return_inverse=True)
    order = np.argsort(kind.ravel(), kind="stable")
    alike = np.split(order, np.flatnonzero(np.diff(kind.ravel()[order])) + 1)
    pairs = [np.argwhere(~np.eye(len(rows), dtype=bool)) for rows in alike]
    both = np.concatenate([rows[at] for rows, at in zip(alike, pairs, strict=True)])
    return both[:, 0], both[:, 1]


def _take(of: Crystals, rows: NDArray[np.int64]) -> Crystals:
    return of.take(torch.from_numpy(rows))
