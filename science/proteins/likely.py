"""From scores of a classical model to probabilities of contact.

A score means nothing by itself: its scale depends on the family's depth and length. Here it is
standardised within its map and put through a logistic curve whose slope grows with the depth; the
share of contacts that chance gives falls with separation. The constants were fitted to training
families apart from PSICOV (`scripts/fit_contact_likelihood.py`), never to a test set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from science.proteins.contacts import LEAST, Floats32, Index, separated

Floats = NDArray[np.float64]


class Curve(NamedTuple):
    """Coefficients of the log-odds; see `columns` for what each multiplies."""

    bias: float
    score: float
    score_depth: float
    depth: float
    separation: float
    length: float


# One row a method, from `fit`; the note in docs/proteins.md says on what.
CURVES: Mapping[str, Curve] = {
    "inverse-covariance": Curve(-3.7023, -0.1053, 0.5757, 0.1390, -0.2868, -0.6855),
    "meanfield": Curve(-3.8415, 0.0206, 0.4628, 0.4555, -0.2693, -0.4421),
    "mi": Curve(-3.7007, -0.2391, 0.7957, 0.0263, -0.1988, -0.7452),
}
_CLIP = (-4.0, 12.0)  # standard deviations


def columns(score: NDArray[np.floating], neff: float) -> tuple[tuple[Index, Index], Floats]:
    """Pairs i, j at least six apart, and (P, 6) of what their log-odds depend on."""
    length = len(score)
    i, j = separated(length, LEAST)
    values = score[i, j].astype(np.float64)
    spread = values.std() if len(values) else 0.0
    z = (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
    z = np.clip(z, *_CLIP)
    deep = np.log(max(neff, 1.0)) / 5
    one = np.ones_like(z)
    apart = np.log((j - i) / 24)
    rows = np.stack([one, z, z * deep, one * deep, apart, one * np.log(length / 150)], 1)
    return (i, j), np.asarray(rows, np.float64)


def likely(score: NDArray[np.floating], neff: float, method: str) -> Floats32:
    """(L, L) probabilities of contact; pairs closer than six in sequence have none, 0.

    Args:
        score: (L, L) of a classical model with the APC.
        neff: effective number of sequences.
        method: that made the scores.
    """
    (i, j), rows = columns(score, neff)
    odds = rows @ np.asarray(CURVES[method])
    found = np.zeros(score.shape, np.float32)
    found[i, j] = found[j, i] = 1 / (1 + np.exp(-odds))
    return found
