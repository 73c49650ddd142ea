"""Names of a ladder's markers can be read where markers crowd."""

from __future__ import annotations

import itertools

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from science.core.ladder_labels import Mark, label
from science.core.style import style

CROWD = [
    Mark(25.0, 0.01, 0.0, 0.73, "box search"),
    Mark(34.0, 0.06, 0.0, 0.35, "Kepler and density"),
    Mark(44.0, 0.0, 0.0, 0.72, "shape search"),
    Mark(64.0, 0.0, 0.0, 0.28, "transit model"),
    Mark(78.0, 0.71, 0.6, 0.8, "search and network"),
]


def test_no_name_covers_another_or_leaves_the_frame():
    with style():
        figure = Figure(figsize=(8.6, 4.8))
        axes, _ = figure.subplots(1, 2)
        axes.set_xscale("log")
        axes.set(xlim=(1.0, 110.0), ylim=(-0.05, 0.85))
        label(axes, CROWD)
        figure.draw_without_rendering()
        frame = axes.get_window_extent()
        boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert set(boxes) == {mark.name for mark in CROWD}
    for one, two in itertools.combinations(boxes.values(), 2):
        assert Bbox.intersection(one, two) is None
    for name, box in boxes.items():
        assert frame.x0 <= box.x0, name
        assert box.x1 <= frame.x1, name


def test_a_name_stays_near_its_marker():
    with style():
        figure = Figure(figsize=(8.6, 4.8))
        axes = figure.subplots()
        axes.set(xlim=(0.0, 2.0), ylim=(0.0, 2.0))
        label(axes, [Mark(1.0, 1.0, 0.9, 1.1, "alone")])
        box = axes.texts[0].get_window_extent()
        x, y = axes.transData.transform((1.0, 1.0))
    assert abs((box.y0 + box.y1) / 2 - y) < 2
    assert 0 < box.x0 - x < 20
