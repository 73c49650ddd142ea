"""How well are structures predicted from compositions, when each prediction was matched or not.

The measures of the field (Xie et al. 2022, ICLR; Jiao et al. 2023, NeurIPS; Hoellmer et al. 2025,
ICML, arXiv:2502.02582), and the traps in them:

- ``match_k``: share of targets that one of the first k predictions matches.
- ``rmse_k``: mean of the least rms / (V / N)^(1/3) over the matched ones. It falls if a model fails
  at what is hard, and the match rate rises if it predicts a blur between two answers; so see
- ``crmse_k``: the same over all, a target without a match counting as much as the tolerance.
- ``metre``: share of targets matched by any prediction made for their composition (`csp_metre`).
  Where a formula has several structures in the set, whichever was found counts.
- ``gated_...``: a match counts only if the prediction is valid, and so is the target. The published
  scripts ask the latter at k = 1 only; here at any k, so that rows can be compared.
- ``ceiling``: the share of targets that are valid, which no gated match rate can exceed.

Intervals are 95 % by a bootstrap over groups, since the structures of one formula are not
independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.evaluation import Measured
from science.core.seeds import rng
from science.crystals.matcher import CSP

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Statistic = Callable[[Floats], Floats]

_FEW = 20  # groups; with fewer, rows are drawn instead


def measure(
    distance: Floats,
    group: NDArray[Any],
    valid: Bools | None = None,
    target_valid: Bools | None = None,
    *,
    counts: Sequence[int] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    stol: float = CSP.stol,
) -> dict[str, Measured]:
    """Match rate, RMSE and cRMSE of the first k predictions; gated too if validity is given.

    Args:
        distance: (n, k) rms of each prediction of n targets, ``nan`` where it does not match.
        group: (n,) what is drawn together in the bootstrap, such as the formula.
        valid: (n, k) whether each prediction is valid.
        target_valid: (n,) whether each target is valid.
        counts: which k; 1 and all unless given.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.
        stol: what a target without a match counts in cRMSE: the tolerance of the matcher.
    """
    if not len(distance) or len(group) != len(distance):
        raise UserError(f"{len(distance)} targets and {len(group)} groups cannot be judged")
    weights = drawn(group, resamples, seed)
    found: dict[str, Measured] = {}
    gates = {"": np.isfinite(distance)}
    if valid is not None and target_valid is not None:
        gates["gated_"] = gates[""] & valid & target_valid[:, None]
        found["ceiling"] = measured(target_valid.astype(float), weights)
    for gate, counted in gates.items():
        for k in dict.fromkeys(counts or (1, distance.shape[1])):
            best = np.where(counted, distance, np.inf)[:, :k].min(axis=1, initial=np.inf)
            hit = np.isfinite(best)
            found[f"{gate}match_{k}"] = measured(hit.astype(float), weights)
            if hit.any():
                found[f"{gate}rmse_{k}"] = measured(np.where(hit, best, 0.0), weights, hit)
            found[f"{gate}crmse_{k}"] = measured(np.where(hit, best, stol), weights)
    return found


def drawn(group: NDArray[Any], resamples: int, seed: int) -> Floats:
    """How often each row counts, (1 + resamples, rows): once, and in each draw of the bootstrap."""
    _, member = np.unique(group, return_inverse=True)
    if member.max(initial=-1) + 1 < _FEW:
        member = np.arange(len(group))
    count = int(member.max(initial=-1)) + 1
    rows = [np.ones(len(group))]
    for number in range(resamples):
        chosen = rng(seed, "bootstrap", number).integers(0, count, count)
        rows.append(np.bincount(chosen, minlength=count)[member].astype(np.float64))
    return np.stack(rows)


def measured(values: Floats, weights: Floats, rows: Bools | None = None) -> Measured:
    """The mean of (n,) values, of some rows only if given, with the interval that draws give."""
    taken = np.ones(len(values)) if rows is None else rows.astype(np.float64)
    total = weights @ taken
    means = (weights @ (values * taken))[total > 0] / total[total > 0]
    low, high = np.percentile(means[1:], [2.5, 97.5]).tolist() if len(means) > 2 else (None, None)
    return Measured(float(means[0]), low, high, int(taken.sum()))
