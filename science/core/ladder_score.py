"""Scores of a ladder with their intervals, resampled alike for all ways so that they compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from science.core.evaluation import Measured
from science.core.seeds import rng

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Draws = Mapping[str, tuple[Rows, list[Rows]]]
Measure = Callable[[Mapping[str, NDArray[Any]], Rows], float]
RESAMPLES = 300


class Score(NamedTuple):
    """A measured number, and what it is in each resample (``nan`` where it cannot be told)."""

    measured: Measured
    drawn: Floats


Scores = Mapping[str, Score]


def draw(group: Rows, places: Mapping[str, Rows], resamples: int = RESAMPLES) -> Draws:
    """Rows of each place, and of each resample of its groups, the same for whoever is judged."""
    found = {}
    for name, rows in places.items():
        _, member = np.unique(group[rows], return_inverse=True)
        order = np.argsort(member, kind="stable")
        pieces = np.split(rows[order], np.cumsum(np.bincount(member))[:-1])
        random = rng(0, "ladder", "resamples", name)
        chosen = random.integers(0, len(pieces), (resamples, len(pieces)))
        found[name] = (rows, [np.concatenate([pieces[i] for i in one]) for one in chosen])
    return found


def judged(
    marks: Mapping[str, NDArray[Any]], measures: Mapping[str, Measure], draws: Draws
) -> dict[str, dict[str, Score]]:
    """Place -> measure -> score."""
    return {
        place: {name: _score(marks, measure, *rows) for name, measure in measures.items()}
        for place, rows in draws.items()
    }


def _score(marks: Mapping[str, Any], measure: Measure, rows: Rows, resampled: list[Rows]) -> Score:
    drawn = np.array([measure(marks, some) for some in resampled], dtype=np.float64)
    value, known = float(measure(marks, rows)), drawn[np.isfinite(drawn)]
    low, high = map(float, np.percentile(known, [2.5, 97.5])) if len(known) > 1 else (None, None)
    return Score(Measured(value, low, high, len(rows)), drawn)


def mean_of(name: str) -> Measure:
    """The mean of a mark, ``nan`` left out; ``nan`` if nothing is left."""

    def measure(marks: Mapping[str, NDArray[Any]], rows: Rows) -> float:
        values = marks[name][rows]
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else float("nan")

    return measure


def root_of(name: str) -> Measure:
    """The root of the mean of a mark: of squared errors, say."""
    mean = mean_of(name)
    return lambda marks, rows: float(np.sqrt(mean(marks, rows)))


def median_of(name: str) -> Measure:
    """The median of a mark, ``nan`` left out; ``nan`` if nothing is left."""

    def measure(marks: Mapping[str, NDArray[Any]], rows: Rows) -> float:
        values = marks[name][rows]
        values = values[np.isfinite(values)]
        return float(np.median(values)) if len(values) else float("nan")

    return measure


def difference(one: Score, two: Score) -> Measured:
    """One less two on the same resamples, with its interval."""
    apart = one.drawn - two.drawn
    known = apart[np.isfinite(apart)]
    low, high = map(float, np.percentile(known, [2.5, 97.5])) if len(known) > 1 else (None, None)
    value = one.measured.value - two.measured.value
    return Measured(value, low, high, one.measured.n)
