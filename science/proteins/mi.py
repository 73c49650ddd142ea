"""Mutual information between columns: the oldest trace of contact in an alignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from science.proteins.alphabet import SIZE, Tokens
from science.proteins.statistics import apc, by_pair, counts, weighted


@dataclass(frozen=True)
class Information:
    """Attributes: ``raw`` (L, L) mutual information [nat], ``score`` (L, L) with the APC."""

    raw: Tensor
    score: Tensor


def mutual_information(
    tokens: Tokens, weights: NDArray[np.float64] | None = None, pseudocount: float = 1.0
) -> Information:
    """Mutual information of every pair of columns, gaps being a letter as any other.

    Args:
        tokens: (N, L).
        weights: (N,); at 80 % identity if not given.
        pseudocount: sequences of random letters to add, so that what was never seen is not
            impossible.
    """
    weight = weighted(tokens, weights)
    length, total = tokens.shape[1], float(weight.sum()) + pseudocount
    single, double = counts(tokens, weight)
    one = (single.reshape(length, SIZE) + pseudocount / SIZE) / total
    two = (by_pair(double) + pseudocount / SIZE**2) / total
    raw = (two * (two / (one[:, None, :, None] * one[None, :, None, :])).log()).sum((2, 3))
    raw = ((raw + raw.T) / 2).fill_diagonal_(0)
    return Information(raw, apc(raw))
