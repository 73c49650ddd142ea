"""Phase diagrams: formation energy over composition, and which compounds lie on the hull."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.style import BLUE, GREEN, INK, MUTED, VERMILION, WIDTH, plain, style
from science.crystals.account import pretty

Floats = NDArray[np.float64]

_UP = np.sqrt(3) / 2
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, _UP]])
_NAMED = 14  # of each kind: more labels hide each other
_ABOVE = ((7, 4), (-7, 4), (0, 9), (7, 15), (-7, 15))
_BELOW = ((0, -17), (7, -12), (-7, -12), (7, -24), (-7, -24))


class _Label(NamedTuple):
    at: tuple[float, float]
    text: str
    colour: str
    ways: tuple[tuple[int, int], ...] = _BELOW + _ABOVE


def phase_diagram(
    elements: Sequence[str], known: pd.DataFrame, new: pd.DataFrame | None = None
) -> Figure:
    """The phase diagram of two or three elements; raises ``ValueError`` for another number.

    Args:
        elements: symbols of the corners.
        known: the compounds that span the hull and others nearby: ``formula``, ``e_form``
            [eV/atom], ``e_hull`` [eV/atom] and one column per element with its atomic fraction.
            Elements at zero are added.
        new: structures to judge, with the same columns; drawn on top, named by formula.
    """
    if len(elements) not in (2, 3):
        raise ValueError(f"a phase diagram is drawn for 2 or 3 elements, not {len(elements)}")
    known = _with_corners(elements, known)
    new = new if new is not None else known.iloc[:0]
    shares = new.reindex(columns=list(elements)).fillna(0.0)
    new = pd.concat([new[["formula", "e_form", "e_hull"]], shares], axis=1)
    draw = _binary if len(elements) == 2 else _ternary
    with style():
        return draw(list(elements), known, new)


def _with_corners(elements: Sequence[str], known: pd.DataFrame) -> pd.DataFrame:
    """Elements first, then the lowest phase of each formula, most stable last."""
    pure = pd.DataFrame({e: [float(e == own) for own in elements] for e in elements})
    pure = pure.assign(formula=list(elements), e_form=0.0, e_hull=0.0)
    known = known[~known["formula"].isin(elements)].sort_values("e_form")
    known = known.drop_duplicates("formula").fillna(dict.fromkeys(elements, 0.0))
    return pd.concat([pure, known], ignore_index=True) if len(known) else pure


def _binary(elements: list[str], known: pd.DataFrame, new: pd.DataFrame) -> Figure:
    from scipy.spatial import ConvexHull

    share = elements[1]
    figure = Figure(figsize=(WIDTH * 0.85, 4.2))
    ax = figure.subplots()
    low = known[known["e_form"] <= 1e-9]
    points = low[[share, "e_form"]].to_numpy(float)
    on = np.arange(len(points))
    if len(points) > 2 and np.ptp(points[:, 1]) > 0:
        on = np.unique(ConvexHull(points).simplices)
    on = on[np.argsort(points[on, 0])]
    ax.plot(points[on, 0], points[on, 1], color=INK, lw=1.4, zorder=2, label="hull")
    above = known.drop(low.index[on])
    ax.plot(above[share], above["e_form"], "o", ms=4, color=MUTED, alpha=0.6, label="known")
    ax.plot(points[on, 0], points[on, 1], "o", ms=6, color=INK, zorder=3)
    place = new[[share, "e_form"]].to_numpy(float)
    labels = _new(ax, place, new)
    labels += [
        _Label((x, y), pretty(str(name)), INK)
        for (x, y), name in zip(points[on], low["formula"].iloc[on], strict=True)
    ]
    ax.set(xlabel=plain(f"atomic fraction of {share} in {elements[0]}–{share}"))
    ax.set(ylabel="formation energy [eV/atom]", xlim=(-0.03, 1.03))
    ax.margins(y=0.16)
    _legend(figure, ax)
    _place(figure, ax, labels)
    return figure


def _ternary(elements: list[str], known: pd.DataFrame, new: pd.DataFrame) -> Figure:
    """The hull seen from above: lines join phases that coexist."""
    place = known[elements].to_numpy(float) @ _CORNERS
    lines, corners = _faces(place, known["e_form"].to_numpy(float))
    stable = np.isin(np.arange(len(known)), [0, 1, 2, *corners])
    figure = Figure(figsize=(WIDTH * 0.85, 5.6))
    ax = figure.subplots()
    for i, j in lines:
        ax.plot(*place[[i, j]].T, color=MUTED, lw=0.9, zorder=1)
    ax.plot(*np.vstack([_CORNERS, _CORNERS[:1]]).T, color=INK, lw=1.4, zorder=2)
    ax.plot(*place[~stable].T, "o", ms=3.5, color=MUTED, alpha=0.5, label="known, above the hull")
    ax.plot(*place[stable].T, "o", ms=6, color=INK, zorder=3, label="known, on the hull")
    at = new[elements].to_numpy(float) @ _CORNERS
    labels = _new(ax, at, new)
    named = [i for i in np.flatnonzero(stable) if i > 2]
    names = known["formula"].to_numpy(str)
    labels += [_Label((place[i, 0], place[i, 1]), pretty(names[i]), INK) for i in named[:_NAMED]]
    for corner, name, way in zip(_CORNERS, elements, ("right", "left", "center"), strict=True):
        shift = {"right": (-8, -4), "left": (8, -4), "center": (0, 8)}[way]
        ax.annotate(plain(name), corner, shift, textcoords="offset points", ha=way,
                    fontsize=12, fontweight="bold")  # fmt: skip
    ax.set(aspect="equal", xlim=(-0.1, 1.1), ylim=(-0.05, _UP + 0.08))
    ax.set_axis_off()
    _legend(figure, ax)
    _place(figure, ax, labels)
    return figure


def _faces(place: Floats, energy: Floats) -> tuple[list[tuple[int, int]], list[int]]:
    """Edges of the lower hull's triangles, and the rows at their corners."""
    from scipy.spatial import ConvexHull, QhullError

    if len(place) < 4:
        return [], []
    try:
        hull = ConvexHull(np.c_[place, np.minimum(energy, 0.0)])
    except QhullError:  # all in one plane: there is nothing but the corners
        return [], []
    lower = hull.simplices[hull.equations[:, 2] < -1e-9]
    pairs = {(min(p), max(p)) for i, j, k in lower for p in ((i, j), (j, k), (i, k))}
    return sorted(pairs), sorted({int(i) for i in lower.ravel()})


def _new(ax: Axes, at: Floats, new: pd.DataFrame) -> list[_Label]:
    above = new["e_hull"].to_numpy(float)
    kinds = ((above <= 0, GREEN, "D", "new, on or below the hull"),
             (above > 0, VERMILION, "s", "new, above the hull"))  # fmt: skip
    for some, colour, mark, label in kinds:
        if some.any():
            look: dict[str, Any] = {"ms": 7.0, "mew": 0.8}
            ax.plot(*at[some].T, mark, mec=INK, color=colour, zorder=4, label=label, **look)
    names = new["formula"].to_numpy(str)
    order = [int(i) for i in np.argsort(above)[:_NAMED] if np.isfinite(above[i])]
    return [
        _Label(
            (at[i, 0], at[i, 1]), f"{pretty(names[i])} {_milli(above[i])}", BLUE, _ABOVE + _BELOW
        )
        for i in order
    ]


def _milli(energy: float) -> str:
    return f"{1000 * energy:+.0f} meV".replace("-", "−")


def _legend(figure: Figure, ax: Axes) -> None:
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=2)


def _place(figure: Figure, ax: Axes, labels: Sequence[_Label]) -> None:
    """Names beside their points, where they hide no other name."""
    figure.draw_without_rendering()  # the layout is final now
    points = [ax.transData.transform(label.at) for label in labels]
    taken = [(x - 5.0, y - 5.0, x + 5.0, y + 5.0) for x, y in points]
    for label, (x, y) in zip(labels, points, strict=True):
        wide, high = 5.6 * len(label.text), 12.0
        for dx, dy in label.ways:
            left = x + 1.33 * dx - (wide if dx < 0 else 0.0 if dx else wide / 2)
            box = (left, y + 1.33 * dy, left + wide, y + 1.33 * dy + high)
            if not any(_cross(box, other) for other in taken):
                break
        taken.append(box)
        way = "right" if dx < 0 else "left" if dx else "center"
        ax.annotate(plain(label.text), label.at, (dx, dy), textcoords="offset points", ha=way,
                    fontsize=8, color=label.colour, zorder=5)  # fmt: skip


def _cross(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
