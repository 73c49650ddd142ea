"""What contact maps are worth: rows for a run's table, each number with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.evaluation import BINS, Measured, calibration_error
from science.core.seeds import rng
from science.proteins.contacts import LEAST, SEPARATION, Floats32, in_contact, separated
from science.proteins.metrics import averaged, precision, precisions

Floats = NDArray[np.float64]
DEEP, SHALLOW = 200, 100  # Neff from which on, and below which, families are judged apart


@dataclass(frozen=True)
class Judged:
    """What a model says of one protein, and how it really is.

    Attributes:
        name: of the protein.
        neff: effective number of sequences it was told from.
        score: (L, L), larger for likelier contacts.
        distance: (L, L) [Angstrom], ``nan`` where unknown.
    """

    name: str
    neff: float
    score: NDArray[np.floating]
    distance: Floats32


def measures(
    found: Sequence[Judged], calibrated: bool, resamples: int = 1000, seed: int = 0
) -> dict[str, Measured]:
    """Precision by range and depth, and calibration; intervals are a bootstrap over proteins.

    Args:
        found: one entry a protein.
        calibrated: whether scores are probabilities.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    each = [precisions(f.score, f.distance) for f in found]
    made = {name: averaged([e[name] for e in each], resamples, seed) for name in each[0]}
    strata = {f"neff_over_{DEEP}": (DEEP, np.inf), f"neff_under_{SHALLOW}": (0, SHALLOW)}
    for name, (low, high) in strata.items():
        inside = [e["long_L"] for e, f in zip(each, found, strict=True) if low <= f.neff < high]
        if inside:
            made[f"long_L_{name}"] = averaged(inside, resamples, seed)
    if calibrated:
        made["ece"] = calibration(found, LEAST, resamples, seed)
        made["long_ece"] = calibration(found, SEPARATION["long"][0], resamples, seed)
        made["top_L_ece"] = top_calibration(found, resamples, seed)
    return made


def calibration(found: Sequence[Judged], least: int, resamples: int, seed: int) -> Measured:
    """Expected calibration error of all pairs at least so far apart, proteins pooled."""
    said = [known(f, least) for f in found]
    return _pooled(said, resamples, seed)


def top_calibration(found: Sequence[Judged], resamples: int, seed: int) -> Measured:
    """The same of each protein's L best long-range pairs alone: harder, few of them are sure."""
    said = []
    for one in found:
        score, truth = known(one, SEPARATION["long"][0])
        best = np.argsort(-score, kind="stable")[: len(one.distance)]
        said.append((score[best], truth[best]))
    return _pooled(said, resamples, seed)


def known(one: Judged, least: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Scores and truth of the pairs of known distance at least so far apart."""
    i, j = separated(len(one.distance), least)
    seen = np.isfinite(one.distance[i, j])
    i, j = i[seen], j[seen]
    return one.score[i, j].astype(np.float64), in_contact(one.distance)[i, j]


def mean_over_seeds(
    members: Sequence[Sequence[Judged]], resamples: int, seed: int
) -> dict[str, Measured]:
    """Long-range precision of one network: the mean over seeds, the interval over proteins."""
    made = {}
    for divisor, name in ((1, "long_L"), (2, "long_L2"), (5, "long_L5")):
        each = np.array(
            [[precision(f.score, f.distance, "long", divisor) for f in m] for m in members]
        )
        made[name] = averaged(list(each.mean(0)), resamples, seed)
    return made


def row(model: str, values: Mapping[str, Measured], note: str = "") -> dict[str, Any]:
    """One row of ``metrics.json``."""
    metrics = {name: value.as_dict() for name, value in values.items()}
    return {"model": model, "metrics": metrics, "note": note}


def published(model: str, values: Mapping[str, float]) -> dict[str, Any]:
    """A row that this run did not measure."""
    numbers = {name: Measured(value, None, None, 0) for name, value in values.items()}
    return row(model, numbers, "as published")


def _pooled(
    said: Sequence[tuple[Floats, NDArray[np.bool_]]], resamples: int, seed: int
) -> Measured:
    """Calibration error of all pairs, with an interval from sums that each protein adds to."""
    gap, count = np.zeros((len(said), BINS)), np.zeros(len(said))
    for number, (score, truth) in enumerate(said):
        place = np.minimum((score * BINS).astype(np.int64), BINS - 1)
        gap[number] = np.bincount(place, score - truth, minlength=BINS)
        count[number] = len(score)
    score = np.concatenate([s for s, _ in said])
    truth = np.concatenate([t for _, t in said])
    value = calibration_error(truth, score, np.ones(len(score)))
    if not resamples or len(said) == 1:
        return Measured(value, None, None, len(said))
    drawn = rng(seed, "proteins", "bootstrap").integers(0, len(said), (resamples, len(said)))
    each = np.abs(gap[drawn].sum(1)).sum(1) / count[drawn].sum(1)
    low, high = np.percentile(each, [2.5, 97.5])
    return Measured(value, float(low), float(high), len(said))
