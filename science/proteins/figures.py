"""Figures of contacts: maps, arcs, precision curves, the depth of an alignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.style import (
    BLUE,
    DASHES,
    GREEN,
    INK,
    MUTED,
    PAPER,
    RULE,
    SERIES,
    VERMILION,
    WIDTH,
    plain,
    style,
)  # fmt: skip
from science.proteins.contacts import CONTACT_A, LEAST, Floats32, in_contact, separated
from science.proteins.metrics import curve

Floats = NDArray[np.floating]
_SHADES = LinearSegmentedColormap.from_list("contacts", [PAPER, BLUE])


def contact_map(
    probability: Floats, distance: Floats32 | None = None, title: str = "", top: int | None = None
) -> Figure:
    """Probability above the diagonal; below it the truth, or the same again.

    The L likeliest pairs are marked: filled where they touch, crossed where they do not, hollow
    where nobody knows.

    Args:
        probability: (L, L).
        distance: (L, L) C-beta distances [Angstrom], ``nan`` where unknown.
        title: of the panel.
        top: pairs to mark; L if not given.
    """
    length = len(probability)
    with style():
        figure = Figure(figsize=(0.62 * WIDTH, 0.58 * WIDTH))
        ax = figure.subplots()
        shown = np.triu(np.asarray(probability, np.float64))
        image = ax.imshow(shown + shown.T * (distance is None), cmap=_SHADES, vmin=0, vmax=1)
        if distance is not None:
            i, j = np.nonzero(np.tril(in_contact(distance), -LEAST))
            ax.scatter(j, i, s=_dot(length), marker="s", color=INK, lw=0, label="native contact")
            _unknown(ax, distance)
        _marks(ax, probability, distance, length if top is None else top)
        ax.plot([0, length - 1], [0, length - 1], color=RULE, lw=0.8)
        ax.set(xlabel="residue", ylabel="residue", title=plain(title))
        ax.set(xlim=(-0.5, length - 0.5), ylim=(length - 0.5, -0.5))
        ax.grid(visible=False)
        figure.colorbar(image, ax=ax, shrink=0.8, label="probability of contact")
        if distance is not None:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)
    return figure


def _dot(length: int) -> float:
    """Area of a mark [pt^2] that fills one residue pair."""
    return float(np.clip((0.42 * WIDTH * 72 / length) ** 2, 1.2, 30))


def _unknown(ax: Axes, distance: Floats32) -> None:
    missing = ~np.isfinite(distance).any(1)
    for residue in np.flatnonzero(missing).tolist():
        ax.plot([0, residue], [residue, residue], color=RULE, lw=1)
        ax.plot([residue, residue], [residue, len(distance) - 1], color=RULE, lw=1)


def _marks(ax: Axes, probability: Floats, distance: Floats32 | None, count: int) -> None:
    i, j = separated(len(probability), LEAST)
    best = np.argsort(-np.asarray(probability)[i, j], kind="stable")[:count]
    i, j = i[best], j[best]
    size = _dot(len(probability)) * 0.7
    if distance is None:
        ax.scatter(j, i, s=size, facecolors="none", edgecolors=INK, lw=0.6)
        return
    right, known = in_contact(distance)[i, j], np.isfinite(distance[i, j])
    ax.scatter(j[right], i[right], s=size, color=GREEN, lw=0, label="top L, right")
    wrong = known & ~right
    ax.scatter(j[wrong], i[wrong], s=size, color=VERMILION, marker="x", lw=0.9, label="wrong")
    ax.scatter(j[~known], i[~known], s=size, facecolors="none", edgecolors=MUTED, lw=0.6)


def arcs(probability: Floats, distance: Floats32 | None = None, top: int | None = None) -> Figure:
    """The chain as a line, its likeliest long-range contacts as arcs above it.

    With a structure, contacts are above and what is none hangs below.

    Args:
        probability: (L, L).
        distance: (L, L) C-beta distances [Angstrom], ``nan`` where unknown.
        top: arcs; half as many as residues if not given.
    """
    length = len(probability)
    i, j = separated(length, 24)
    count = length // 2 if top is None else top
    best = np.argsort(-np.asarray(probability)[i, j], kind="stable")[:count]
    angle = np.linspace(0, np.pi, 40)
    lines, colours = [], []
    for a, b in zip(i[best], j[best], strict=True):
        known = distance is not None and np.isfinite(distance[a, b])
        wrong = known and distance is not None and distance[a, b] >= CONTACT_A
        x = (a + b) / 2 - (b - a) / 2 * np.cos(angle)
        y = (b - a) / 2 * np.sin(angle) * (-1 if wrong else 1)
        lines.append(np.stack([x, y], 1))
        colours.append(VERMILION if wrong else GREEN if known else BLUE)
    with style():
        figure = Figure(figsize=(WIDTH, 0.34 * WIDTH))
        ax = figure.subplots()
        ax.add_collection(LineCollection(lines, colors=colours, lw=1.1, alpha=0.75))
        ax.plot([0, length - 1], [0, 0], color=INK, lw=3, solid_capstyle="round")
        for start in range(0, length, 10 if length <= 250 else 50):
            ax.annotate(str(start + 1), (start, 0), (0, -4), textcoords="offset points",
                        ha="center", va="top", fontsize=7, color=MUTED)  # fmt: skip
        ax.autoscale_view()
        ax.set_axis_off()
    return figure


def depth_profile(coverage: Floats, depth: int, neff: float) -> Figure:
    """How many sequences have a residue in each column.

    Args:
        coverage: (L,) share of the sequences.
        depth: N.
        neff: effective number of sequences; the right-hand scale counts in it.
    """
    place = np.arange(1, len(coverage) + 1)
    with style():
        figure = Figure(figsize=(WIDTH, 0.24 * WIDTH))
        ax = figure.subplots()
        ax.fill_between(place, np.asarray(coverage) * depth, step="mid", color=BLUE, alpha=0.25)
        ax.step(place, np.asarray(coverage) * depth, where="mid", color=BLUE)
        ax.set(xlabel="residue", ylabel="sequences", ylim=(0, depth * 1.05 or 1))
        ax.set_xlim(0.5, len(coverage) + 0.5)
        scale = neff / depth if depth else 1.0
        other = ax.secondary_yaxis("right", functions=_scaled(scale))
        other.set_ylabel("effective sequences (Neff)", color=MUTED)
    return figure


def _scaled(scale: float) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    return lambda value: value * scale, lambda value: value / scale


def precision_curves(
    models: Mapping[str, list[tuple[Floats, Floats32]]], which: str = "long"
) -> Figure:
    """Mean precision of the best pairs, from the first to the L-th, of one range.

    Args:
        models: name -> (score (L, L), distance (L, L)) of each protein.
        which: ``short``, ``medium`` or ``long``.
    """
    grid = np.linspace(0.02, 1, 50)
    with style():
        figure = Figure(figsize=(0.62 * WIDTH, 0.4 * WIDTH))
        ax = figure.subplots()
        for place, (name, maps) in enumerate(models.items()):
            drawn = (_at(score, distance, which, grid) for score, distance in maps)
            each = [row for row in drawn if row is not None]
            if each:
                colour, dash = SERIES[place % len(SERIES)], DASHES[place % len(DASHES)]
                ax.plot(grid, np.mean(np.stack(each), 0), color=colour, ls=dash, label=plain(name))
        for mark, label in ((0.2, "L/5"), (0.5, "L/2"), (1.0, "L")):
            ax.axvline(mark, color=RULE, lw=0.8)
            ax.annotate(label, (mark, 1.0), ha="right", va="top", fontsize=8, color=MUTED)
        ax.set(xlabel="best pairs, as a share of L", ylabel=f"precision, {which} range")
        ax.set(xlim=(0, 1), ylim=(0, 1.02))
        ax.legend()
    return figure


def _at(score: Floats, distance: Floats32, which: str, grid: Floats) -> Floats | None:
    found = curve(np.asarray(score), distance, which)  # type: ignore[arg-type]
    if not len(found):
        return None
    wanted = np.clip((grid * len(score)).astype(int), 1, len(found)) - 1
    return np.asarray(found[wanted])
