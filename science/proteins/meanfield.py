"""Couplings from an inverse: of the covariance with a ridge, and of mean-field theory.

If residues were numbers with a normal distribution, the inverse of their covariance would tell
direct dependence from what third residues pass on. Both models here take the one-hot alignment for
such numbers: one tames the noise by a ridge (Yang et al. 2020, PNAS 117, 1496), the other by
pseudocounts (Morcos et al. 2011, PNAS 108, E1293), for which the inverse is the first order of a
small-coupling expansion of the Potts model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.proteins.alphabet import SIZE, Tokens
from science.proteins.statistics import apc, by_pair, counts, strength, weighted, zero_sum

RIDGE = 4.5  # times 1 / sqrt(Neff); Yang et al. 2020
PSEUDOCOUNT = 0.5  # share of pseudocounts in mean-field theory; Morcos et al. 2011


@dataclass(frozen=True)
class Couplings:
    """A pair model of a family.

    Attributes:
        couplings: (L, L, 21, 21), symmetric under exchange of both residues and letters.
        score: (L, L) contact scores: Frobenius norm among residues, with the APC.
        fields: (L, 21) where the model has them.
    """

    couplings: Tensor
    score: Tensor
    fields: Tensor | None = None


def inverse_covariance(
    tokens: Tokens, weights: NDArray[np.float64] | None = None, ridge: float = RIDGE
) -> Couplings:
    """The inverse of the shrunken covariance; ``couplings`` are minus its blocks.

    Args:
        tokens: (N, L).
        weights: (N,); at 80 % identity if not given.
        ridge: added to the diagonal, over the square root of Neff.
    """
    weight = weighted(tokens, weights)
    total = weight.sum()
    single, double = counts(tokens, weight)
    mean = single / total
    covariance = double.div_(total).sub_(mean[:, None] * mean)
    covariance.diagonal().add_(ridge / total.sqrt())
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
    couplings = by_pair(-inverse)
    return Couplings(couplings, apc(strength(couplings)))


def mean_field(
    tokens: Tokens, weights: NDArray[np.float64] | None = None, pseudocount: float = PSEUDOCOUNT
) -> Couplings:
    """Mean-field direct-coupling analysis, in the zero-sum gauge.

    Args:
        tokens: (N, L).
        weights: (N,); at 80 % identity if not given.
        pseudocount: share of what is seen that comes from pseudocounts, in (0, 1).
    """
    weight = weighted(tokens, weights)
    total, length = weight.sum(), tokens.shape[1]
    single, double = counts(tokens, weight)
    one = (1 - pseudocount) * single / total + pseudocount / SIZE
    two = double.mul_((1 - pseudocount) / total).add_(pseudocount / SIZE**2)
    blocks = two.reshape(length, SIZE, length, SIZE)
    for i in range(length):  # a column agrees with itself, pseudocounts and all
        blocks[i, :, i, :] = torch.diag(one.reshape(length, SIZE)[i])
    covariance = two.sub_(one[:, None] * one).reshape(length, SIZE, length, SIZE)
    kept = covariance[:, :-1, :, :-1].reshape(length * (SIZE - 1), -1)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(kept))
    couplings = torch.zeros(length, length, SIZE, SIZE)
    free = inverse.reshape(length, SIZE - 1, length, SIZE - 1).permute(0, 2, 1, 3)
    couplings[:, :, :-1, :-1] = -free
    couplings = zero_sum(couplings)
    return Couplings(couplings, apc(strength(couplings)))
