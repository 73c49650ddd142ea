"""Judge predicted structures beside what costs nothing and what others published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.recipe import Recipe
from science.crystals.crystals import Crystals


class Judge:
    """Match rates, errors and their intervals, of ours and of baselines.

    Args:
        resamples: of the bootstrap; 0 for no intervals.
        goals: measure -> ``{goal, published, source}``.
        published: rows of others' results: name -> measure -> value.
    """

    def __init__(
        self,
        resamples: int = 1000,
        goals: Mapping[str, Mapping[str, Any]] | None = None,
        published: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.resamples, self.goals, self.published = resamples, goals or {}, published or {}

    def measure(
        self,
        recipe: Recipe,
        rows: NDArray[np.int64],
        made: Crystals,
        learn: NDArray[np.int64],
        notes: Sequence[str],
    ) -> dict[str, Any]:
        """Rows, goals and notes for ``metrics.json``."""
        raise NotImplementedError
