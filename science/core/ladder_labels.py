"""Names beside markers where no two of them cover each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from science.core.style import INK, PAPER, plain

Side = Literal["left", "center", "right"]
Spot = tuple[float, float, Side]
_REACH = (0, 9, 18, 27)  # points that a name may lie above or below its marker
_BESIDE = 10.0
_SIDES: tuple[tuple[float, Side], ...] = ((_BESIDE, "left"), (-_BESIDE, "right"), (0.0, "center"))


class Mark(NamedTuple):
    """A marker: its place, the ends of its interval, and its name."""

    x: float
    y: float
    low: float
    high: float
    name: str


def label(axes: Axes, marks: Sequence[Mark]) -> None:
    """Write each name where it covers little, and near its marker.

    Call it last, since it needs the layout of the figure to be final.
    """
    figure = cast("Figure", axes.get_figure())
    texts = [_written(axes, mark) for mark in marks]
    figure.draw_without_rendering()
    pixel = figure.dpi / 72
    drawn = [_drawn(axes, mark, 6 * pixel) for mark in marks]
    inside, placed = axes.get_window_extent(), list[Bbox]()
    for mark, text in zip(marks, texts, strict=True):
        size = text.get_window_extent()
        x, y = axes.transData.transform((mark.x, mark.y))
        boxes = {spot: _box((x, y), spot, size, pixel) for spot in _spots()}
        best = min(boxes, key=lambda spot: _cost(boxes[spot], spot, placed, drawn, inside))
        placed.append(boxes[best])
        text.set_position(best[:2])
        text.set_horizontalalignment(best[2])


def _written(axes: Axes, mark: Mark) -> Annotation:
    text = axes.annotate(
        plain(mark.name),
        (mark.x, mark.y),
        xytext=(0, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        fontsize=8,
        color=INK,
        zorder=4,
    )
    text.set_in_layout(False)
    text.set_path_effects([withStroke(linewidth=2.5, foreground=PAPER)])  # a line may pass below
    return text


def _spots() -> list[Spot]:
    """Offsets [pt] and alignments, the nearest first; none is on the marker itself."""
    heights = sorted({sign * reach for reach in _REACH for sign in (1, -1)}, key=abs)
    found = [(x, float(y), side) for y, (x, side) in itertools.product(heights, _SIDES)]
    return [spot for spot in found if spot[2] != "center" or abs(spot[1]) > _BESIDE]


def _box(at: tuple[float, float], spot: Spot, size: Bbox, pixel: float) -> Bbox:
    x, y = at[0] + spot[0] * pixel, at[1] + spot[1] * pixel
    left = {"left": x, "right": x - size.width, "center": x - size.width / 2}[spot[2]]
    return Bbox.from_bounds(left, y - size.height / 2, size.width, size.height)


def _drawn(axes: Axes, mark: Mark, half: float) -> list[Bbox]:
    """What a marker and its interval cover."""
    x, y = axes.transData.transform((mark.x, mark.y))
    low, high = (axes.transData.transform((mark.x, end))[1] for end in (mark.low, mark.high))
    return [Bbox.from_extents(x - half, y - half, x + half, y + half),
            Bbox.from_extents(x - 1, low, x + 1, high)]  # fmt: skip


def _cost(
    box: Bbox,
    spot: Spot,
    placed: Sequence[Bbox],
    drawn: Sequence[Sequence[Bbox]],
    inside: Bbox,
) -> float:
    """How bad a spot is: other names and the frame count most, a line under a name little."""
    out = box.width * box.height - _shared(box, inside)
    names = sum(_shared(box, other) for other in placed)
    markers, lines = (sum(_shared(box, one[kind]) for one in drawn) for kind in (0, 1))
    return 20 * (names + out) + 5 * markers + lines + 8 * abs(spot[1])


def _shared(one: Bbox, two: Bbox) -> float:
    """Area in both."""
    both = Bbox.intersection(one, two)
    return 0.0 if both is None else float(both.width * both.height)
