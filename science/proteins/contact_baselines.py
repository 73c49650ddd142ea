"""What a contact network has to beat on the same alignments: models without a training set."""

from __future__ import annotations

from collections.abc import Callable

from science.proteins.alphabet import Tokens
from science.proteins.contacts import Floats32
from science.proteins.features import coupling_score
from science.proteins.meanfield import mean_field
from science.proteins.mi import mutual_information


def information(tokens: Tokens) -> Floats32:
    """(L, L) mutual information with the average product correction."""
    score: Floats32 = mutual_information(tokens).score.float().numpy()
    return score


def field(tokens: Tokens) -> Floats32:
    """(L, L) mean-field direct coupling."""
    score: Floats32 = mean_field(tokens).score.float().numpy()
    return score


BASELINES: dict[str, Callable[[Tokens], Floats32]] = {
    "inverse covariance": coupling_score,
    "mutual information": information,
    "mean field": field,
}
