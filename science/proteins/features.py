"""What the contact network sees of an alignment: couplings per pair, a profile per residue.

The couplings are blocks of the inverse covariance of the one-hot alignment, the Gaussian model of
Baldassi et al. (2014, PLoS ONE 9, e92721) with the ridge of trRosetta (Yang et al. 2020, PNAS 117,
1496). A block of 21 x 21 numbers a pair is more than a small network can read, so each is projected
on a few directions that a chemist would name; the sign of a coupling (like seeks like, or charge
seeks countercharge) survives, which it does not in the usual norm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.proteins.alphabet import GAP, LETTERS, SIZE, Tokens
from science.proteins.weights import sequence_weights, subsample

RIDGE = 4.5
DEPTH = 2000
RECIPE = "inverse covariance, 8 directions, 1"  # changes whenever the numbers do
NEAR = 3  # pairs nearer along the chain do not set a channel's scale
LOW, HIGH, STEP = -5.0, 10.0, 0.1  # what a channel may hold, in standard deviations
_STRIP = 16  # residues
Levels = NDArray[np.int8]

# Scales in the order of ``LETTERS``. Hydropathy: Kyte and Doolittle (1982). Volume [A^3]:
# Zamyatnin (1972). Propensities for helix [kcal/mol]: Pace and Scholtz (1998); for strands: Chou
# and Fasman (1978). Charge at pH 7, aromatic rings and cysteine are counts.
_SCALES = """
hydropathy 1.8 -4.5 -3.5 -3.5 2.5 -3.5 -3.5 -.4 -3.2 4.5 3.8 -3.9 1.9 2.8 -1.6 -.8 -.7 -.9 -1.3 4.2
charge     0 1 0 -1 0 0 -1 0 .1 0 0 1 0 0 0 0 0 0 0 0
volume     88.6 173.4 114.1 111.1 108.5 143.8 138.4 60.1 153.2 166.7
           166.7 168.6 162.9 189.9 112.7 89 116.1 227.8 193.6 140
aromatic   0 0 0 0 0 0 0 0 .5 0 0 0 0 1 0 0 0 1 1 0
helix      0 .21 .65 .69 .68 .39 .40 1 .61 .41 .21 .26 .24 .54 3.16 .50 .66 .49 .53 .61
strand     .83 .93 .89 .54 1.19 1.1 .37 .75 .87 1.6 1.3 .74 1.05 1.38 .55 .75 1.19 1.37 1.47 1.7
cysteine   0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
"""
SCORES = ("precision", "precision, corrected", "covariance", "covariance, corrected")
DIRECTIONS = 8
PAIR = len(SCORES) + DIRECTIONS**2
SINGLE = 2 * SIZE + 1


@dataclass(frozen=True)
class Features:
    """Inputs of the network for one alignment.

    Attributes:
        pair: (PAIR, L, L) int8, standard deviations in steps of ``STEP``.
        single: (L, SINGLE) float16: the query's residue, the weighted profile, its entropy.
        neff: effective number of sequences that they rest on.
    """

    pair: Levels
    single: NDArray[np.float16]
    neff: float


def directions() -> Tensor:
    """(SIZE, DIRECTIONS) orthonormal columns: the scales made independent, and the gap."""
    words = _SCALES.split()
    numbers = [float(word) for word in words if not word.isalpha()]
    scales = np.array(numbers).reshape(DIRECTIONS - 1, len(LETTERS)).T
    centred = (scales - scales.mean(0)) / scales.std(0)
    basis = np.zeros((SIZE, DIRECTIONS))
    basis[: len(LETTERS), :-1] = np.linalg.qr(centred)[0]
    basis[GAP, -1] = 1.0
    return torch.from_numpy(basis).float()


def features(tokens: Tokens, depth: int = DEPTH, seed: int = 0) -> Features:
    """What the network sees of an alignment.

    Args:
        tokens: (N, L), the query first.
        depth: more sequences than this are sub-sampled.
        seed: of the sub-sample.
    """
    chosen = tokens[subsample(tokens, depth, seed)]
    weight = sequence_weights(chosen)
    pair = torch.stack([*scores_and_blocks(chosen, weight)])
    return Features(levels(pair), single(chosen, weight), float(weight.sum()))


def coupling_score(tokens: Tokens, depth: int = DEPTH, seed: int = 0) -> NDArray[np.float32]:
    """(L, L) norm of the inverse covariance's blocks with the average product correction."""
    chosen = tokens[subsample(tokens, depth, seed)]
    weight = sequence_weights(chosen)
    half, _ = precision_factor(centred(chosen, weight), _ridge(weight))
    score: NDArray[np.float32] = corrected(block_norm(_residues(half), tokens.shape[1])).numpy()
    return score


def centred(tokens: Tokens, weight: NDArray[np.float64]) -> Tensor:
    """(N, SIZE L) weighted one-hot rows less their mean: their Gram matrix is the covariance."""
    n, length = tokens.shape
    hot = torch.zeros(n, length * SIZE)
    place = torch.arange(length) * SIZE + torch.from_numpy(tokens.astype(np.int64))
    hot.scatter_(1, place, 1.0)
    share = torch.from_numpy(weight / weight.sum()).float()
    hot -= share @ hot
    return hot.mul_(share.sqrt()[:, None])


def coupled(rows: Tensor, ridge: float) -> Tensor:
    """(R, SIZE L) factor whose Gram matrix is, off the diagonal, minus the inverse covariance.

    With the covariance C = rows' rows and few sequences, (C + r)^-1 = (1 - rows' (rows rows' +
    r)^-1 rows) / r needs only the inverse of an N x N matrix.
    """
    small = rows @ rows.T
    small.diagonal().add_(ridge)
    lower = torch.linalg.cholesky(small)
    factor: Tensor = torch.linalg.solve_triangular(lower, rows, upper=False)
    return factor.div_(ridge**0.5)


def scores_and_blocks(tokens: Tokens, weight: NDArray[np.float64]) -> list[Tensor]:
    """PAIR maps (L, L), in the order of ``SCORES``, then the projections row by row."""
    length = tokens.shape[1]
    ridge = _ridge(weight)
    rows = centred(tokens, weight)
    plain = block_norm(_residues(rows), length)
    half, sign = precision_factor(rows, ridge)
    strong = block_norm(_residues(half), length)
    seen = (half.view(-1, length, SIZE) @ directions()).reshape(len(half), -1)
    blocks = (seen.T @ (sign * seen)).view(length, DIRECTIONS, length, DIRECTIONS)
    maps = blocks.permute(1, 3, 0, 2).reshape(DIRECTIONS**2, length, length)
    return [strong, corrected(strong), plain, corrected(plain), *maps]


def precision_factor(rows: Tensor, ridge: float) -> tuple[Tensor, float]:
    """A factor and a sign: sign times its Gram matrix is minus the inverse covariance."""
    if len(rows) < rows.shape[1]:
        return coupled(rows, ridge), 1.0
    return _root(rows.T @ rows, ridge), -1.0


def _root(covariance: Tensor, ridge: float) -> Tensor:
    """A factor of the inverse covariance itself, where sequences outnumber its columns."""
    covariance.diagonal().add_(ridge)
    lower = torch.linalg.cholesky(covariance)
    identity = torch.eye(len(lower))
    factor: Tensor = torch.linalg.solve_triangular(lower, identity, upper=False)
    return factor


def _ridge(weight: NDArray[np.float64]) -> float:
    return float(RIDGE / np.sqrt(weight.sum()))


def _residues(rows: Tensor) -> Tensor:
    """The (R, GAP L) columns that stand for residues."""
    return rows.view(len(rows), -1, SIZE)[:, :, :GAP].reshape(len(rows), -1)


def block_norm(rows: Tensor, length: int) -> Tensor:
    """(L, L) Frobenius norms of the blocks of the Gram matrix of (R, GAP L) rows."""
    norm = torch.zeros(length, length)
    ones = torch.ones(GAP)
    for start in range(0, length, _STRIP):  # what fits in the cache, and of each pair only one
        stop, later = min(start + _STRIP, length), length - start
        gram = rows[:, start * GAP : stop * GAP].T @ rows[:, start * GAP :]
        square = gram.square_().view(-1, GAP) @ ones
        norm[start:stop, start:] = square.view(stop - start, GAP, later).sum(1).sqrt()
    return norm.triu(1) + norm.triu(1).T


def corrected(score: Tensor) -> Tensor:
    """Average product correction (Dunn et al. 2008, Bioinformatics 24, 333)."""
    row = score.sum(0)
    return (score - row[:, None] * row / row.sum().clamp(min=1e-12)).fill_diagonal_(0)


def levels(pair: Tensor) -> Levels:
    """Each map in standard deviations from its mean, as small integers."""
    length = pair.shape[-1]
    far = torch.ones(length, length).triu(NEAR) > 0
    if not far.any():
        return np.zeros(tuple(pair.shape), np.int8)
    values = pair[:, far]
    mean, spread = values.mean(1)[:, None, None], values.std(1, correction=0)[:, None, None]
    scaled = ((pair - mean) / (spread + 1e-6)).clamp(LOW, HIGH)
    return (scaled / STEP).round().to(torch.int8).numpy()


def single(tokens: Tokens, weight: NDArray[np.float64]) -> NDArray[np.float16]:
    """(L, SINGLE) the query's residue, the weighted profile, its entropy [nat]."""
    length = tokens.shape[1]
    profile = np.zeros((length, SIZE))
    for token in range(SIZE):
        profile[:, token] = weight @ (tokens == token)
    profile /= weight.sum()
    entropy = -(profile * np.log(profile + 1e-9)).sum(1, keepdims=True)
    query = np.eye(SIZE)[tokens[0]]
    return np.concatenate([query, profile, entropy], 1).astype(np.float16)
