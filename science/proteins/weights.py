"""How much each sequence of an alignment counts, when many are near copies of each other.

A sequence weighs one over the number of sequences, itself included, that agree with it in at least
80 % of the columns (Morcos et al. 2011, PNAS 108, E1293). A gap agrees with a gap, as in CCMpred,
so the result depends on nothing but the columns. Neff is the sum of the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import rng
from science.proteins.alphabet import Tokens

Floats = NDArray[np.float64]

IDENTITY = 0.8
_BLOCK = 32  # columns compared at a time; most pairs differ enough after one or two blocks


def sequence_weights(tokens: Tokens, identity: float = IDENTITY) -> Floats:
    """(N,) weights in (0, 1]; memory beside the (N, L) tokens is one number a sequence.

    Args:
        tokens: (N, L).
        identity: share of columns from which on two sequences are neighbours, in (0, 1].
    """
    if not 0 < identity <= 1:
        raise UserError(f"identity {identity}", "give a share of columns above 0, at most 1")
    n, length = tokens.shape
    allowed = length - int(np.ceil(identity * length - 1e-9))
    return np.asarray(1.0 / _neighbours(_padded(tokens), allowed), np.float64).reshape(n)


def neff(tokens: Tokens, identity: float = IDENTITY) -> float:
    """Effective number of sequences: the sum of their weights."""
    return float(sequence_weights(tokens, identity).sum())


def subsample(tokens: Tokens, depth: int, seed: int = 0) -> NDArray[np.int64]:
    """Rows of a random subset of ``depth`` sequences, the query first, the rest in their order."""
    n = len(tokens)
    if depth >= n:
        return np.arange(n)
    drawn = rng(seed, "proteins", "subsample").choice(n - 1, max(depth, 1) - 1, replace=False) + 1
    return np.concatenate([[0], np.sort(drawn)]).astype(np.int64)


def filtered(tokens: Tokens, identity: float, depth: int | None = None) -> NDArray[np.int64]:
    """Rows kept greedily, in order: none agrees with an earlier kept one in ``identity`` or more.

    The same rows come out on every machine. It stops once ``depth`` rows are kept.
    """
    length = tokens.shape[1]
    allowed = length - int(np.ceil(identity * length - 1e-9))
    most = len(tokens) if depth is None else depth
    kept: NDArray[np.int64] = _greedy(_padded(tokens), allowed, most)
    return kept


def _padded(tokens: Tokens) -> Tokens:
    """Columns filled up to whole blocks with a value that agrees everywhere."""
    return np.pad(tokens, ((0, 0), (0, -tokens.shape[1] % _BLOCK)))


_compiled: Callable[..., Any] = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _close(a: Tokens, b: Tokens, allowed: int) -> bool:
    differ = 0
    for start in range(0, len(a), 32):
        here = np.uint8(0)
        for k in range(start, start + 32):
            here += np.uint8(a[k] != b[k])
        differ += int(here)
        if differ > allowed:
            return False
    return True


@_compiled
def _neighbours(tokens: Tokens, allowed: int) -> NDArray[np.int64]:
    count = np.ones(len(tokens), np.int64)
    for i in range(len(tokens)):
        for j in range(i):
            if _close(tokens[i], tokens[j], allowed):
                count[i] += 1
                count[j] += 1
    return count


@_compiled
def _greedy(tokens: Tokens, allowed: int, most: int) -> NDArray[np.int64]:
    kept = np.empty(len(tokens), np.int64)
    size = 0
    for i in range(len(tokens)):
        fresh = True
        for k in range(size):
            if _close(tokens[i], tokens[kept[k]], allowed):
                fresh = False
                break
        if fresh:
            kept[size] = i
            size += 1
            if size >= most:
                break
    return kept[:size]
