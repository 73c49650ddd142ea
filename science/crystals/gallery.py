"""Structures side by side on paper: what was predicted beside what is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from science.core.style import INK, MUTED, WIDTH, plain, style
from science.crystals.account import pretty
from science.crystals.render import render
from science.crystals.scene import scene

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

_PIXELS = 420  # a side of one picture, three times what a page shows


def gallery(
    shown: Sequence[tuple[str, Structure | None]], columns: int = 4, polyhedra: bool = True
) -> Figure:
    """Pictures in a grid, each with its name.

    Args:
        shown: ``(name, structure)``; no structure leaves a gap that says so.
        columns: pictures in a row.
        polyhedra: show coordination polyhedra.
    """
    columns = max(1, min(columns, len(shown)))
    lines = -(-len(shown) // columns) or 1
    side = min(WIDTH / columns, 2.9)
    with style():
        figure = Figure(figsize=(side * columns, (side + 0.28) * lines), dpi=150)
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax, (name, structure) in zip(axes, shown, strict=False):
            _picture(ax, structure, polyhedra)
            ax.set_title(plain(name), fontsize=9, loc="center")
        for ax in axes[len(shown) :]:
            ax.set_axis_off()
    return figure


def side_by_side(
    rows: Sequence[tuple[str, Sequence[tuple[str, Structure | None]]]], polyhedra: bool = True
) -> Figure:
    """One row per composition: the known structure and predictions of it.

    Args:
        rows: ``(label, [(name, structure), ...])``; the label stands at the left, names above each
            picture, such as ``known`` and ``RMS 0.011``. Rows may differ in length.
        polyhedra: show coordination polyhedra.
    """
    columns = max((len(shown) for _, shown in rows), default=1)
    side = min((WIDTH - 0.4) / columns, 2.3)
    with style():
        figure = Figure(figsize=(side * columns + 0.4, (side + 0.25) * max(len(rows), 1)), dpi=150)
        axes = figure.subplots(max(len(rows), 1), columns, squeeze=False)
        for line in axes:
            for ax in line:
                ax.set_axis_off()
        for line, (label, shown) in zip(axes, rows, strict=False):
            place: dict[str, Any] = {
                "transform": line[0].transAxes,
                "rotation": 90,
                "va": "center",
                "ha": "right",
            }
            line[0].text(-0.02, 0.5, plain(pretty(label)), fontsize=10, color=INK, **place)
            for ax, (name, structure) in zip(line, shown, strict=False):
                _picture(ax, structure, polyhedra)
                ax.set_title(plain(name), fontsize=8.5, loc="center", fontweight="normal")
    return figure


def _picture(ax: Axes, structure: Structure | None, polyhedra: bool) -> None:
    ax.set_axis_off()
    ax.set(aspect="equal", xlim=(0, 1), ylim=(0, 1))
    if structure is None:
        ax.text(0.5, 0.5, "none", ha="center", va="center", color=MUTED)
        return
    what = scene(structure)
    ax.imshow(render(what, _PIXELS, polyhedra), extent=(0, 1, 0, 1), interpolation="antialiased")
    for place, (label, colour, _) in enumerate(what.kinds):
        at: dict[str, Any] = {
            "transform": ax.transAxes,
            "ha": "left",
            "va": "bottom",
            "fontsize": 7.5,
        }
        x = 0.02 + 0.16 * place
        ax.plot([x], [-0.005], "o", ms=4.5, color=colour, mec=MUTED, mew=0.4, clip_on=False)
        ax.text(x + 0.03, -0.035, plain(label), color=MUTED, **at)
