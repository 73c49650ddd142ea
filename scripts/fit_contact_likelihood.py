"""Fit what turns classical scores into probabilities (science/proteins/likely.py).

    FIFTH_MIRROR=/path/to/mirror python scripts/fit_contact_likelihood.py

Learns from training families (proteins/promod3-extra, sub-sampled to random depths), checks the
calibration on others of the same card, and prints the constants. No test set is read.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from science.core.seeds import rng
from science.proteins.contacts import in_contact
from science.proteins.families import Family, families
from science.proteins.likely import columns
from science.proteins.meanfield import inverse_covariance, mean_field
from science.proteins.mi import mutual_information
from science.proteins.pseudolikelihood import pseudolikelihood
from science.proteins.weights import sequence_weights, subsample

Array = NDArray[Any]
LONGEST, MOST = 100, 400
METHODS = {
    "inverse-covariance": inverse_covariance,
    "meanfield": mean_field,
    "mi": mutual_information,
    "plm": pseudolikelihood,
}


def rows(family: Family, method: str, draws: np.random.Generator) -> tuple[Array, Array]:
    """(P, 6) what the log-odds of pairs depend on, and (P,) whether they touch."""
    depth = int(np.exp(draws.uniform(np.log(5), np.log(MOST))))
    tokens = family.alignment.tokens
    tokens = tokens[subsample(tokens, depth, int(draws.integers(1 << 30)))]
    weights = sequence_weights(tokens)
    score = METHODS[method](tokens, weights).score.numpy()
    (i, j), made = columns(score, float(weights.sum()))
    known = np.isfinite(family.distance[i, j])
    return made[known], in_contact(family.distance)[i, j][known]


def fit(made: Array, truth: Array) -> Array:
    """Coefficients of the logistic curve of least cross-entropy."""

    def loss(w: Array) -> tuple[float, Array]:
        odds = made @ w
        value = np.logaddexp(0, odds).mean() - (odds * truth).mean()
        return value, made.T @ (1 / (1 + np.exp(-odds)) - truth) / len(truth)

    return minimize(loss, np.zeros(made.shape[1]), jac=True, method="L-BFGS-B").x


def main(count: int, methods: list[str]) -> None:
    """Print the constants of each method, from ``count`` families."""
    pool = [f for f in families("proteins/promod3-extra") if f.alignment.length <= LONGEST]
    chosen = rng(0, "likely").permutation(len(pool))[: count + count // 3]
    for method in methods:
        draws = rng(0, "likely", method)
        made = [rows(pool[k], method, draws) for k in chosen]
        learn, check = made[:count], made[count:]
        w = fit(np.concatenate([m for m, _ in learn]), np.concatenate([t for _, t in learn]))
        x, t = np.concatenate([m for m, _ in check]), np.concatenate([t for _, t in check])
        p = 1 / (1 + np.exp(-x @ w))
        place = np.minimum((p * 15).astype(int), 14)
        ece = np.abs(np.bincount(place, p - t, 15)).sum() / len(p)
        print(f'    "{method}": Curve({", ".join(f"{v:.4f}" for v in w)}),', flush=True)
        print(f"    # {len(learn)} families; ECE on {len(check)} others {ece:.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] or list(METHODS))
