"""The picture of what the network saw shows the answers its rows speak of, and no others."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from science.core.table import Table
from science.transits.gallery import Gallery, extreme


def test_extreme_takes_the_furthest_rows_that_are_allowed():
    score = np.array([0.9, 0.1, 0.8, 0.99, 0.3])
    allowed = np.array([True, True, True, False, True])
    assert extreme(score, allowed, -1, 2).tolist() == [0, 2]
    assert extreme(score, allowed, 1, 9).tolist() == [1, 4, 2, 0]
    assert extreme(score, np.zeros(5, bool), 1, 3).tolist() == []


def test_right_answers_are_not_shown_as_mistakes():
    count = 8
    label = np.arange(count) % 2
    table = Table(
        inputs={"local_view": np.zeros((count, 61), np.float32)},
        label=label,
        classes=("PC", "AFP"),
        id=np.array([f"event-{i}" for i in range(count)]),
        group=np.arange(count),
        split=np.full(count, "test"),
        positive="PC",
    )
    recipe = SimpleNamespace(data=SimpleNamespace(table=table))
    score = np.where(label == 0, 0.9, 0.1)
    score[0] = 0.2  # the one planet that is missed
    outcome = SimpleNamespace(rows=np.arange(count), score=score)
    ((figure, caption),) = Gallery(columns=3)(recipe, outcome)
    rows = [figure.axes[i : i + 3] for i in range(0, 12, 3)]
    shown = [[t.get_text().split("\n")[0] for a in row for t in a.texts] for row in rows]
    assert shown == [
        ["event-2", "event-4", "event-6"],
        ["event-1", "event-3", "event-5"],
        [],
        ["event-0"],
    ]
    assert rows[2][0].get_title(loc="left").endswith("none")
    assert "label" in caption
