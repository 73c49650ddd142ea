"""The ladder of transits: who has a planet, and how long is its year?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.ladder import Axis, Cell, Row
from science.core.ladder_score import median_of
from science.transits import ladder_search as searches
from science.transits import ladder_ways as ways
from science.transits.ladder_problem import IMPOSTOR, NONE, PLANET, Solved, Truth, pose
from science.transits.ladder_search import RIGHT
from science.transits.ladder_ways import Found

FALSE_ALARMS = 0.01
Marks = Mapping[str, NDArray[Any]]
Rows = NDArray[np.int64]


def mark(truth: Truth, found: Found) -> dict[str, NDArray[Any]]:
    """Each star's score and kind, whether its planet's period is right, and how far off."""
    with np.errstate(invalid="ignore"):
        off = np.abs(found.period / truth.period - 1)
        right = off < RIGHT
    return {
        "score": found.score,
        "kind": truth.kind,
        "right": right,
        "period_error": np.where(right, off, np.nan),
    }


def recall(marks: Marks, rows: Rows) -> float:
    """Planets above the score that 1 % of the stars where nothing repeats exceed, period right."""
    kind, score = marks["kind"][rows], marks["score"][rows]
    if not (kind == PLANET).any() or not (kind == NONE).any():
        return float("nan")
    least = threshold(score[kind == NONE])
    return float(((score > least) & marks["right"][rows])[kind == PLANET].mean())


def threshold(score: NDArray[np.float64]) -> float:
    """The least score that about a share ``FALSE_ALARMS`` exceeds, and one at least.

    Of ninety stars one is about a hundredth; the highest of all alone would be one star's whim.
    """
    allowed = max(1, round(FALSE_ALARMS * len(score)))
    return float(np.sort(score)[-1 - min(allowed, len(score) - 1)])


def over_impostors(marks: Marks, rows: Rows) -> float:
    """The chance that a planet scores above a binary or a pulsating star; ties count half."""
    kind, score = marks["kind"][rows], marks["score"][rows]
    planet, other = score[kind == PLANET], score[kind == IMPOSTOR]
    if not len(planet) or not len(other):
        return float("nan")
    above = np.sign(planet[:, None] - other)
    return float((1 + above).mean() / 2)


def fewer(examples: Solved, count: int) -> Solved:
    """The first examples."""
    return examples.fewer(count)


ROW = Row(
    title="Planets among stars, five ways",
    question=(
        "Which of these stars has a planet that passes in front of it, and how long is its year?"
    ),
    pose=pose,
    cells=(
        Cell("observe", "deepest dips", "what a dip looks like", ways.deepest_dips),
        Cell(
            "theory",
            "Kepler and density",
            "depth = (Rp / Rs)^2, Kepler's third law, the star's density, that no planet is larger "
            "than twice Jupiter, and that all its transits are alike",
            ways.kepler_and_density,
        ),
        Cell(
            "compute",
            "transit model",
            "the light of a limb-darkened star behind a planet, fitted at every period",
            ways.transit_model,
        ),
        Cell("data", "BLS", "that the signal is periodic and shaped like a box", searches.bls),
        Cell("data", "TLS", "that the signal is periodic and shaped like a transit", searches.tls),
        Cell(
            "learn",
            "search and network",
            "the box search, and what it found on stars whose truth was shown",
            searches.network,
            learns=True,
        ),
    ),
    mark=mark,
    measures={
        "recall_at_1pct_false_alarms": recall,
        "planet_over_impostor": over_impostors,
        "period_error": median_of("period_error"),
    },
    labels={
        "planet_over_impostor": "Planet above impostor (AUC)",
        "period_error": "Error of the right periods, relative",
    },
    axis=Axis(
        "signal-to-noise of all transits together",
        (0.0, 8.0, 12.0, 18.0, np.inf),
        ("SNR below 8", "SNR 8 to 12", "SNR 12 to 18", "SNR above 18"),
    ),
    fewer=fewer,
    amounts=(1 / 16, 1 / 4),
)
