"""Potts models: energies, and families sampled from them with and without a common descent.

P(x) is proportional to exp(sum_i h_i(x_i) + sum_{i<j} J_ij(x_i, x_j)), x of L letters out of 21 or
fewer. Samples are drawn by Gibbs updates, each of which redraws one residue given all others. On a
tree, every branch is a number of such updates from the parent's sequence, so that relatives share
what they did not have the time to forget (as CCMgen does: Vorberg et al. 2018, PLoS Comput. Biol.
14, e1006526).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import derive, rng
from science.proteins.alphabet import Tokens

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Potts:
    """A model of L columns and q letters.

    Attributes:
        fields: (L, q).
        couplings: (L, L, q, q); J_ij(a, b) = J_ji(b, a), zero where i = j.
    """

    fields: Floats
    couplings: Floats

    def __post_init__(self) -> None:
        length, letters = self.fields.shape
        if self.couplings.shape != (length, length, letters, letters):
            raise UserError(f"couplings {self.couplings.shape} for fields {self.fields.shape}")
        if not np.allclose(self.couplings, self.couplings.transpose(1, 0, 3, 2)):
            raise UserError("couplings are not symmetric", "make J_ij(a, b) = J_ji(b, a)")
        if np.abs(self.couplings[np.arange(length), np.arange(length)]).max() > 0:
            raise UserError("a column is coupled to itself", "put zeros where i = j")

    @property
    def length(self) -> int:
        """L."""
        return len(self.fields)

    def log_weight(self, tokens: Tokens) -> Floats:
        """(N,) logarithm of P up to a constant; minus it is the energy."""
        place = np.arange(self.length)
        pairs = self.couplings[
            place[:, None], place[None], tokens[:, :, None], tokens[:, None, :]
        ].sum((1, 2))
        found: Floats = self.fields[place, tokens].sum(1) + pairs / 2
        return found

    def sample(self, count: int, sweeps: int = 50, seed: int = 0) -> Tokens:
        """(count, L) sequences from chains of their own, each after ``sweeps`` from a random start.

        A sweep is L single-residue updates in order.
        """
        draws = rng(seed, "proteins", "potts")
        start = draws.integers(0, self.fields.shape[1], (count, self.length)).astype(np.uint8)
        updates = np.full(count, sweeps * self.length)
        word = derive(seed, "gibbs") % 2**32
        return np.asarray(_gibbs(self.fields, self.couplings, start, updates, word), np.uint8)

    def family(self, count: int, drift: float = 1.0, sweeps: int = 50, seed: int = 0) -> Tokens:
        """(count, L) leaves of a random binary tree that grew from one ancient sequence.

        Args:
            count: leaves.
            drift: updates per residue along a branch, on average; the smaller, the closer the
                relatives and the less independent the sequences.
            sweeps: of the ancestor, before the tree.
            seed: of the tree and all updates.
        """
        draws = rng(seed, "proteins", "tree")
        parents = self.sample(1, sweeps, derive(seed, "root"))
        generation = 0
        while len(parents) < count:
            splits = min(len(parents), count - len(parents))
            chosen = draws.permutation(len(parents))[:splits]
            children = np.concatenate([parents, parents[chosen]])
            updates = draws.poisson(drift * self.length * draws.exponential(1.0, len(children)))
            word = derive(seed, "branch", generation) % 2**32
            parents = _gibbs(self.fields, self.couplings, children, updates, word)
            generation += 1
        return parents[draws.permutation(count)]


_compiled: Callable[..., Any] = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _weigh(share: Floats, fields: Floats, couplings: Floats, sequence: Tokens, i: int) -> None:
    """Fill ``share`` with cumulative weights of the letters that place i may take."""
    letters = fields.shape[1]
    share[:] = fields[i]
    for j in range(len(sequence)):
        if j != i:
            for a in range(letters):
                share[a] += couplings[j, i, sequence[j], a]
    top, total = share.max(), 0.0
    for a in range(letters):
        total += np.exp(share[a] - top)
        share[a] = total


@_compiled
def _gibbs(
    fields: Floats, couplings: Floats, start: Tokens, updates: NDArray[np.int64], word: int
) -> Tokens:
    """Sequences after that many updates each: whole sweeps in order, the rest at random places."""
    np.random.seed(word)  # noqa: NPY002  numba's own stream, seeded from the named one
    length, letters = fields.shape
    tokens, share = start.copy(), np.empty(letters)
    for row in range(len(tokens)):
        whole = updates[row] - updates[row] % length
        for step in range(updates[row]):
            i = step % length if step < whole else np.random.randint(length)  # noqa: NPY002
            _weigh(share, fields, couplings, tokens[row], i)
            drawn = np.random.random() * share[-1]  # noqa: NPY002
            tokens[row, i] = min(np.searchsorted(share, drawn), letters - 1)
    return tokens
