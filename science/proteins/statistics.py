"""Weighted frequencies of an alignment, and what turns couplings into contact scores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.core.errors import UserError
from science.proteins.alphabet import LETTERS, SIZE, Tokens
from science.proteins.weights import sequence_weights

_ROWS = 2048  # sequences in one-hot form at a time
_RESIDUES = len(LETTERS)
_BYTES = 8 * 2**30  # of all matrices of a pair model


def one_hot(tokens: Tokens | Tensor) -> Tensor:
    """(N, 21 L) float32, one in the place of each token."""
    indices = torch.as_tensor(tokens).long()
    return torch.nn.functional.one_hot(indices, SIZE).flatten(1).float()


def blocks(tokens: Tokens, weights: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """One-hot rows (n, 21 L) with their weights (n,), a few thousand at a time."""
    for start in range(0, len(tokens), _ROWS):
        yield one_hot(tokens[start : start + _ROWS]), weights[start : start + _ROWS]


def weighted(tokens: Tokens, weights: NDArray[np.float64] | None = None) -> Tensor:
    """(N,) float32 weights: as given, or at 80 % identity.

    Raises:
        UserError: not one finite, non-negative weight a sequence, or all of them zero.
    """
    found = sequence_weights(tokens) if weights is None else np.asarray(weights)
    if found.shape != (len(tokens),) or not np.isfinite(found).all() or (found < 0).any():
        raise UserError(f"weights of shape {found.shape}", "one number from 0 up a sequence")
    if not found.any():
        raise UserError("all weights are zero", "give some sequence a weight")
    return torch.from_numpy(found).float()


def counts(tokens: Tokens, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted counts of tokens (21 L,) and of pairs of tokens (21 L, 21 L)."""
    roomy(tokens.shape[1])
    size = SIZE * tokens.shape[1]
    single, double = torch.zeros(size), torch.zeros(size, size)
    for rows, weight in blocks(tokens, weights):
        scaled = rows * weight[:, None]
        single += scaled.sum(0)
        double.addmm_(scaled.T, rows)
    return single, double


def roomy(length: int, matrices: int = 4) -> None:
    """Raise ``UserError`` if a pair model of that many columns needs more than a laptop has.

    Args:
        length: L.
        matrices: of 21 L by 21 L numbers that are needed at once.
    """
    if 4 * matrices * (SIZE * length) ** 2 > _BYTES:
        most = int((_BYTES / 4 / matrices) ** 0.5 / SIZE)
        raise UserError(
            f"{length} columns are too many for this pair model, which takes {most}",
            "cut the protein into its domains",
        )


def by_pair(matrix: Tensor) -> Tensor:
    """(L, L, 21, 21) blocks of a (21 L, 21 L) matrix."""
    length = len(matrix) // SIZE
    return matrix.reshape(length, SIZE, length, SIZE).permute(0, 2, 1, 3)


def zero_sum(couplings: Tensor) -> Tensor:
    """The same model with couplings (..., q, q) whose rows and columns sum to zero.

    Of all equivalent couplings of a Potts model these are the smallest (Ekeberg et al. 2013).
    """
    over_rows = couplings.mean(-2, keepdim=True)
    over_columns = couplings.mean(-1, keepdim=True)
    return couplings - over_rows - over_columns + couplings.mean((-2, -1), keepdim=True)


def strength(couplings: Tensor) -> Tensor:
    """(L, L) Frobenius norms of couplings (L, L, 21, 21) among residues; gaps do not count."""
    return couplings[:, :, :_RESIDUES, :_RESIDUES].square().sum((2, 3)).sqrt()


def apc(score: Tensor) -> Tensor:
    """Average product correction (Dunn et al. 2008, Bioinformatics 24, 333): (L, L), diagonal zero.

    Takes from each pair what its two columns have with all others, which entropy and phylogeny
    give to every pair of theirs.
    """
    free = score.clone().fill_diagonal_(0)
    total = free.sum()
    if total == 0:
        return free
    mean = free.sum(0, keepdim=True)
    corrected = free - mean.T * mean / total
    return corrected.fill_diagonal_(0)
