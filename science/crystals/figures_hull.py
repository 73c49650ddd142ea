"""Phase diagrams: formation energy over composition, and which compounds lie on the hull."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.style import BLUE, GREEN, INK, MUTED, VERMILION, WIDTH, plain, style

Floats = NDArray[np.float64]

_UP = np.sqrt(3) / 2
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, _UP]])
_NAMED = 14  # labels beyond these hide each other


def phase_diagram(
    elements: Sequence[str], known: pd.DataFrame, new: pd.DataFrame | None = None
) -> Figure:
    """The phase diagram of two or three elements; raises ``ValueError`` for another number.

    Args:
        elements: symbols of the corners.
        known: the compounds that span the hull and others nearby: ``formula``, ``e_form``
            [eV/atom], ``e_hull`` [eV/atom] and one column per element with its atomic fraction.
            Elements at zero are added where they are missing.
        new: structures to judge, with the same columns; drawn on top, named by formula.
    """
    if len(elements) not in (2, 3):
        raise ValueError(f"a phase diagram is drawn for 2 or 3 elements, not {len(elements)}")
    known = _with_corners(elements, known)
    new = new if new is not None else known.iloc[:0]
    return (_binary if len(elements) == 2 else _ternary)(list(elements), known, new)


def _with_corners(elements: Sequence[str], known: pd.DataFrame) -> pd.DataFrame:
    pure = [
        {e: float(e == corner) for e in elements}
        | {"formula": corner, "e_form": 0.0, "e_hull": 0.0}
        for corner in elements
    ]
    frame = pd.concat([pd.DataFrame(pure), known], ignore_index=True)
    return frame.fillna(dict.fromkeys(elements, 0.0))


def _binary(elements: list[str], known: pd.DataFrame, new: pd.DataFrame) -> Figure:
    from scipy.spatial import ConvexHull

    share = elements[1]
    low = known[known["e_form"] <= 1e-9]
    points = low[[share, "e_form"]].to_numpy(float)
    with style():
        figure = Figure(figsize=(WIDTH * 0.85, 4.0))
        ax = figure.subplots()
        on = np.arange(len(points))
        if len(points) > 2 and np.ptp(points[:, 1]) > 0:
            on = np.unique(ConvexHull(points).simplices)
        on = on[np.argsort(points[on, 0])]
        ax.plot(points[on, 0], points[on, 1], color=INK, lw=1.4, zorder=2, label="hull")
        above = known.drop(low.index[on])
        ax.plot(above[share], above["e_form"], "o", ms=4, color=MUTED, alpha=0.6, label="known")
        ax.plot(points[on, 0], points[on, 1], "o", ms=6, color=INK, zorder=3)
        _new(ax, new[share].to_numpy(float), new["e_form"].to_numpy(float), new)
        _names(ax, points[on], list(low["formula"].iloc[on]), below=True)
        ax.set(xlabel=plain(f"atomic fraction of {share} in {elements[0]}–{share}"))
        ax.set(ylabel="formation energy [eV/atom]", xlim=(-0.03, 1.03))
        ax.margins(y=0.14)
        ax.legend(loc="best")
    return figure


def _ternary(elements: list[str], known: pd.DataFrame, new: pd.DataFrame) -> Figure:
    """Seen from above: triangles are the hull's faces, colours tell how far above it one is."""
    place = known[elements].to_numpy(float) @ _CORNERS
    stable = known["e_hull"].to_numpy(float) <= 1e-6
    with style():
        figure = Figure(figsize=(WIDTH * 0.8, 5.4))
        ax = figure.subplots()
        for a, b in _faces(place[stable], known["e_form"].to_numpy(float)[stable]):
            ax.plot(*zip(a, b, strict=True), color=MUTED, lw=0.9, zorder=1)
        ax.plot(*np.vstack([_CORNERS, _CORNERS[:1]]).T, color=INK, lw=1.4, zorder=2)
        ax.plot(
            *place[~stable].T, "o", ms=3.5, color=MUTED, alpha=0.5, label="known, above the hull"
        )
        ax.plot(*place[stable].T, "o", ms=6, color=INK, zorder=3, label="known, on the hull")
        at = new[elements].fillna(0.0).to_numpy(float) @ _CORNERS
        _new(ax, at[:, 0], at[:, 1], new)
        _names(ax, place[stable][3:], list(known["formula"][stable])[3:], below=True)
        for corner, name, way in zip(_CORNERS, elements, ("right", "left", "center"), strict=True):
            shift = {"right": (-8, -4), "left": (8, -4), "center": (0, 7)}[way]
            ax.annotate(plain(name), corner, shift, textcoords="offset points", ha=way,
                        fontsize=12, fontweight="bold")  # fmt: skip
        ax.set(aspect="equal", xlim=(-0.12, 1.12), ylim=(-0.07, _UP + 0.1))
        ax.set_axis_off()
        ax.legend(loc="upper right")
    return figure


def _faces(place: Floats, energy: Floats) -> list[tuple[Floats, Floats]]:
    """Edges of the lower hull's triangles, seen from above."""
    from scipy.spatial import ConvexHull, QhullError

    if len(place) < 4:
        return []
    try:
        hull = ConvexHull(np.c_[place, energy])
    except QhullError:  # all in one plane: there is nothing but the corners
        return []
    lower = hull.simplices[hull.equations[:, 2] < -1e-9]
    pairs = {tuple(sorted((t[i], t[j]))) for t in lower for i, j in ((0, 1), (1, 2), (0, 2))}
    return [(place[i], place[j]) for i, j in sorted(pairs)]


def _new(ax: Axes, x: Floats, y: Floats, new: pd.DataFrame) -> None:
    above = new["e_hull"].to_numpy(float)
    kinds = ((above <= 0, GREEN, "D", "new, on or below the hull"),
             (above > 0, VERMILION, "s", "new, above the hull"))  # fmt: skip
    for some, colour, mark, label in kinds:
        if some.any():
            ax.plot(x[some], y[some], mark, ms=7, mew=0.8, mec=INK, color=colour, zorder=4,
                    label=label)  # fmt: skip
    order = np.argsort(above)[:_NAMED]
    for i in order[np.isfinite(above[order])]:
        text = plain(f"{new['formula'].iloc[i]} {1000 * above[i]:+.0f} meV")
        ax.annotate(text, (x[i], y[i]), (7, 5), textcoords="offset points", fontsize=8, color=BLUE)


def _names(ax: Axes, at: Floats, names: Sequence[str], below: bool) -> None:
    for (x, y), name in list(zip(at, names, strict=True))[:_NAMED]:
        ax.annotate(plain(name), (x, y), (0, -13 if below else 7), textcoords="offset points",
                    ha="center", fontsize=8, color=INK)  # fmt: skip
