"""From an alignment to a contact map by any method, and what to think of the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from science.core.errors import UserError
from science.core.releases import releases
from science.proteins.alignment import Alignment
from science.proteins.contacts import Floats32
from science.proteins.likely import CURVES, likely
from science.proteins.meanfield import inverse_covariance, mean_field
from science.proteins.mi import mutual_information
from science.proteins.pseudolikelihood import pseudolikelihood
from science.proteins.weights import sequence_weights, subsample

Method = Literal["network", "inverse-covariance", "plm", "meanfield", "mi"]
METHODS: tuple[Method, ...] = get_args(Method)
RELEASE = "proteins/contacts"
MOST = 10_000  # sequences; more are drawn from at random
_NEAREST = "inverse-covariance"  # whose scores are spread as those of other couplings
SHALLOW, POOR = 20.0, 100.0  # Neff below which a map cannot be, or should not be, trusted

Tell = Callable[[str, int, int, str], None]


@dataclass(frozen=True)
class Inferred:
    """A contact map with what it rests on.

    Attributes:
        alignment: as used, so after sub-sampling.
        method: that made it.
        score: (L, L) the method's own scores; the probabilities for a network.
        probability: (L, L) of contact.
        neff: effective number of sequences.
        notes: what was done to the input, and how far to trust the result.
    """

    alignment: Alignment
    method: Method
    score: Floats32
    probability: Floats32
    neff: float
    notes: tuple[str, ...]

    @property
    def trust(self) -> str:
        """``good``, ``poor`` or ``none``, by the depth of the alignment."""
        if self.neff < SHALLOW:
            return "none"
        return "poor" if self.neff < POOR else "good"


def chosen(method: Method | None, release: str | None = None) -> Method:
    """The method asked for; without, the network if there is one, else inverse covariance."""
    if method is not None:
        return method
    return "network" if release or RELEASE in releases() else "inverse-covariance"


def infer(
    alignment: Alignment,
    method: Method | None = None,
    release: str | None = None,
    most: int = MOST,
    seed: int = 0,
    tell: Tell | None = None,
) -> Inferred:
    """The contact map of an alignment's query.

    Args:
        alignment: the family.
        method: see `chosen`.
        release: of the network; the one that ships if not given.
        most: sequences; of more, a random subset is used.
        seed: of that subset.
        tell: progress of what takes long.
    """
    how = chosen(method, release)
    notes = list(alignment.notes)
    used = alignment
    if alignment.depth > most:
        used = alignment.take(subsample(alignment.tokens, most, seed))
        notes.append(f"{most:,} of {alignment.depth:,} sequences are used, drawn at random.")
    weights = sequence_weights(used.tokens)
    neff = float(weights.sum())
    notes += doubts(used, neff)
    if how == "network":
        probability = _network(used, release, notes)
        return Inferred(used, how, probability, probability, neff, tuple(notes))
    score = _classical(used, how, weights, tell)
    if how not in CURVES:
        notes.append(f"Probabilities of {how} were not fitted; {_NEAREST}'s curve stands in.")
    probability = likely(score, neff, how if how in CURVES else _NEAREST)
    return Inferred(used, how, score, probability, neff, tuple(notes))


def doubts(alignment: Alignment, neff: float) -> list[str]:
    """Plain warnings where the alignment is too shallow, or empty in places, to say much."""
    said = []
    if alignment.depth == 1:
        said.append(
            "There is one sequence and no homologue: nothing varies together, so this map says no"
            " more than how common contacts are. Do not use it."
        )
    elif neff < SHALLOW:
        said.append(
            f"Neff is {neff:.0f}: too shallow to trust. Find more homologues before you use it."
        )
    elif neff < POOR:
        said.append(f"Neff is {neff:.0f}: shallow; expect the map to miss much of the truth.")
    empty = int((alignment.coverage() < 0.2).sum())
    if alignment.depth > 1 and empty:
        said.append(f"{empty} columns are gaps in four of five sequences; little is known there.")
    return said


def _classical(
    alignment: Alignment, method: Method, weights: np.ndarray, tell: Tell | None
) -> Floats32:
    tokens = alignment.tokens
    if method == "mi":
        found = mutual_information(tokens, weights).score
    elif method == "meanfield":
        found = mean_field(tokens, weights).score
    elif method == "inverse-covariance":
        found = inverse_covariance(tokens, weights).score
    elif method == "plm":
        steps = 40

        def progress(done: int, value: float) -> None:
            if tell is not None:
                tell("pseudolikelihood", min(done, 2 * steps), 2 * steps, f"{value:.5g}")

        found = pseudolikelihood(tokens, weights, steps=steps, tell=progress).score
    else:
        raise UserError(f"no method {method!r}", f"one of {', '.join(METHODS)}")
    return np.asarray(found.numpy(), np.float32)


def _network(alignment: Alignment, release: str | None, notes: list[str]) -> Floats32:
    from science.proteins.predict import predictor

    found = predictor(release or RELEASE).contacts(alignment, notes.append)
    return np.asarray(found, np.float32)
