"""What the network saw: folded events it was sure of, rightly and wrongly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.protocols import Outcome
from science.core.recipe import Recipe
from science.core.style import style

_GROUPS = (
    ("Planet candidates it is sure of", True, -1),
    ("False positives it is sure of", False, 1),
    ("False positives it takes for planets", False, -1),
    ("Planet candidates it misses", True, 1),
)


class Gallery:
    """One row of local views per kind of answer, the most extreme scores first.

    Args:
        columns: events per row.
    """

    def __init__(self, columns: int = 6) -> None:
        self.columns = columns

    def __call__(self, recipe: Recipe, outcome: Outcome) -> Iterator[tuple[Figure, str]]:
        """The figure and its caption."""
        table = recipe.data.table
        truth = table.truth[outcome.rows]
        with style():
            figure = Figure(figsize=(1.7 * self.columns, 1.75 * len(_GROUPS)), layout="constrained")
            axes = figure.subplots(len(_GROUPS), self.columns, sharex=True, squeeze=False)
            for row, (title, positive, sign) in zip(axes, _GROUPS, strict=True):
                # A row about sure or wrong answers shows no answer from the other side of one half.
                side = outcome.score > 0.5 if sign < 0 else outcome.score <= 0.5
                picked = extreme(outcome.score, (truth == positive) & side, sign, self.columns)
                row[0].set_title(title if len(picked) else f"{title}: none", loc="left", fontsize=9)
                for axis, at in zip(row, picked, strict=False):
                    view = table.inputs["local_view"][outcome.rows[at]]
                    axis.plot(np.linspace(-2.5, 2.5, len(view)), view, ".", ms=2.5)
                    label = f"{table.id[outcome.rows[at]]}\nscore {outcome.score[at]:.3f}"
                    axis.text(0.04, 0.04, label, transform=axis.transAxes, fontsize=6)
                for axis in row:
                    axis.set_yticks([])
                    axis.set_visible(axis is row[0] or axis in row[: len(picked)])
            figure.supxlabel("time from mid-event [durations]", fontsize=9)
        yield (
            figure,
            "Folded and binned events of the judged rows, depth scaled to one. The label on the "
            "data may itself be wrong where the network seems to be.",
        )


def extreme(
    score: NDArray[np.float64], among: NDArray[np.bool_], sign: int, count: int
) -> NDArray[np.int64]:
    """Up to ``count`` rows among those allowed, highest score first for a negative ``sign``."""
    rows = np.flatnonzero(among)
    return rows[np.argsort(sign * score[rows], kind="stable")][:count]
