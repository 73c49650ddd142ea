"""The Potts model by pseudolikelihood: each residue told from all others of its sequence.

P(x_i = a | rest) is proportional to exp(h_i(a) + sum_j J_ij(a, x_j)); couplings are symmetric,
J_ij(a, b) = J_ji(b, a). The weighted negative log-pseudolikelihood plus ridges on fields and
couplings is convex and is minimised by L-BFGS (Balakrishnan et al. 2011, Proteins 79, 1061; Ekeberg
et al. 2013, PRE 87, 012707; Kamisetty et al. 2013, PNAS 110, 15674).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.proteins.alphabet import SIZE, Tokens
from science.proteins.meanfield import Couplings
from science.proteins.statistics import apc, blocks, by_pair, roomy, strength, weighted, zero_sum

RIDGE_COUPLINGS = 0.2  # times L - 1, as in CCMpred and GREMLIN: more pairs, more noise
RIDGE_FIELDS = 0.01
_STRETCH = 8  # steps between tests of convergence
_HISTORY = 5  # pairs of steps and gradients that L-BFGS keeps; each is as large as the model

Tell = Callable[[int, float], None]


@dataclass(frozen=True)
class _Problem:
    """What is minimised: ``value(fields, couplings)`` with its gradients."""

    tokens: Tokens
    weight: Tensor
    ridge_fields: float
    ridge_couplings: float
    start: Tensor  # (21 L,) fields of independent columns, which the ridge pulls to

    def __call__(self, fields: Tensor, couplings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The objective, and its gradients by fields (21 L,) and couplings (21 L, 21 L)."""
        length = self.tokens.shape[1]
        loss, by_fields = fields.new_zeros(()), torch.zeros_like(fields)
        by_couplings = torch.zeros_like(couplings)
        for rows, weight in blocks(self.tokens, self.weight):
            logits = torch.addmm(fields, rows, couplings).view(-1, length, SIZE)
            log_p = torch.log_softmax(logits, -1).flatten(1)
            loss -= ((log_p * rows).sum(1) * weight).sum()
            wrong = (log_p.exp() - rows) * weight[:, None]
            by_fields += wrong.sum(0)
            by_couplings.addmm_(rows.T, wrong)
        # Both copies of a coupling move together, so each gets the mean of the two gradients.
        by_couplings = _without_self((by_couplings + by_couplings.T) / 2)
        away = fields - self.start
        loss += self.ridge_fields / 2 * away.square().sum()
        loss += self.ridge_couplings / 4 * couplings.square().sum()
        by_fields += self.ridge_fields * away
        return loss, by_fields, by_couplings.add_(couplings, alpha=self.ridge_couplings / 2)


def pseudolikelihood(
    tokens: Tokens,
    weights: NDArray[np.float64] | None = None,
    ridge_couplings: float = RIDGE_COUPLINGS,
    ridge_fields: float = RIDGE_FIELDS,
    steps: int = 40,
    tolerance: float = 1e-3,
    tell: Tell | None = None,
) -> Couplings:
    """The regularised Potts model of a family, in the zero-sum gauge.

    Memory: about fifteen matrices of 21 L by 21 L.

    Args:
        tokens: (N, L).
        weights: (N,); at 80 % identity if not given.
        ridge_couplings: of the sum of squares of the couplings of all pairs, times (L - 1) / 2.
        ridge_fields: of that of the fields' distance from independent columns, times 1/2.
        steps: most steps of L-BFGS.
        tolerance: gain of eight steps, as a share of the objective, below which it stops.
        tell: called with the number of evaluations and the objective.
    """
    weight, length = weighted(tokens, weights), tokens.shape[1]
    roomy(length, matrices=15)
    start = _independent(tokens, weight)
    problem = _Problem(tokens, weight, ridge_fields, ridge_couplings * (length - 1), start)
    fields, couplings = _minimised(problem, start, steps, tolerance, tell)
    pairs = zero_sum(by_pair(couplings))
    centred = fields.reshape(length, SIZE)
    # What the gauge takes from the couplings belongs to the fields.
    rest = by_pair(couplings)
    moved = rest.mean(3) - rest.mean((2, 3))[:, :, None]
    full = centred - centred.mean(1, keepdim=True) + moved.sum(1)
    return Couplings(pairs, apc(strength(pairs)), full)


def _minimised(
    problem: _Problem, start: Tensor, steps: int, tolerance: float, tell: Tell | None
) -> tuple[Tensor, Tensor]:
    size = len(start)
    fields = start.clone().requires_grad_()
    couplings = torch.zeros(size, size).requires_grad_()
    done = [0]

    def evaluate() -> Tensor:
        with torch.no_grad():
            loss, fields.grad, couplings.grad = problem(fields, couplings)
        done[0] += 1
        if tell is not None:
            tell(done[0], float(loss))
        return loss

    # Its own tests of convergence compare with steps and values of no fixed scale.
    optimiser = torch.optim.LBFGS(
        [fields, couplings],
        max_iter=_STRETCH,
        history_size=_HISTORY,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )
    before = float("inf")
    for _ in range(-(-steps // _STRETCH)):
        value = float(optimiser.step(evaluate))  # type: ignore[no-untyped-call]
        if before - value < tolerance * abs(value):
            break
        before = value
    return fields.detach(), couplings.detach()


def _independent(tokens: Tokens, weight: Tensor) -> Tensor:
    """(21 L,) fields of columns that know nothing of each other, with one pseudocount."""
    length = tokens.shape[1]
    single = torch.zeros(SIZE * length)
    for rows, some in blocks(tokens, weight):
        single += (rows * some[:, None]).sum(0)
    logs = (single.reshape(length, SIZE) + 1 / SIZE).log()
    return (logs - logs.mean(1, keepdim=True)).flatten()


def _without_self(matrix: Tensor) -> Tensor:
    """The matrix with zeros where a column meets itself."""
    length = len(matrix) // SIZE
    index = torch.arange(length)
    matrix.view(length, SIZE, length, SIZE)[index, :, index, :] = 0
    return matrix
