"""Pictures of a contact run: maps over the truth, precision down the list, honesty, depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core import figures, pictures
from science.core.style import BLUE, DASHES, MUTED, SERIES, VERMILION, WIDTH, style
from science.proteins.contact_judge import Judged, known
from science.proteins.contacts import LEAST, in_contact
from science.proteins.metrics import curve, precision

SHOWN = (0.05, 0.25, 0.5, 0.75, 0.95)  # ranks of the proteins that are drawn
_GRID = np.linspace(0.05, 1.0, 40)  # k / L


def keep(folder: Path, ours: Sequence[Judged], others: Mapping[str, Sequence[Judged]]) -> None:
    """Draw everything and keep it with the run."""
    score, truth = (
        np.concatenate(part) for part in zip(*(known(f, LEAST) for f in ours), strict=True)
    )
    drawn = [
        (
            "contact-maps",
            contact_maps(ranked(ours)),
            "Above the diagonal the stated probability, below it the true contacts (grey: distance "
            "unknown). From the protein that went worst of twenty to the best of twenty, by "
            "precision of its L best long-range pairs.",
        ),
        (
            "precision-curves",
            precision_curves({"this run": ours, **others}),
            "Mean precision of the k best long-range pairs of each protein, k in units of its "
            "length.",
        ),
        (
            "calibration",
            figures.reliability(truth, score),
            "Share of pairs in contact against the probability stated for them, all ranges, "
            "proteins pooled.",
        ),
        (
            "depth",
            depth_figure(ours),
            "Precision of each protein's L best long-range pairs against how many effective "
            "sequences it was told from.",
        ),
    ]
    pictures.keep(folder, drawn, "Contacts")


def ranked(found: Sequence[Judged]) -> list[Judged]:
    """A few proteins from bad to good, by precision of their L best long-range pairs."""
    able = [f for f in found if np.isfinite(precision(f.score, f.distance))]
    order = sorted(able, key=lambda f: precision(f.score, f.distance))
    return [order[min(int(q * len(order)), len(order) - 1)] for q in SHOWN] if order else []


def contact_maps(found: Sequence[Judged]) -> Figure:
    """One map a protein: probabilities above the diagonal, the truth below it."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.2 * -(-max(len(found), 1) // 3) * 1.25))
        axes = figure.subplots(-(-max(len(found), 1) // 3), 3, squeeze=False).ravel()
        for ax in axes[len(found) :]:
            ax.set_axis_off()
        for ax, one in zip(axes, found, strict=False):
            map_panel(ax, one)
    return figure


def map_panel(ax: Axes, one: Judged) -> None:
    """Draw one protein's map."""
    length = len(one.distance)
    shown = np.full((length, length), np.nan)
    upper, lower = np.triu_indices(length, LEAST), np.tril_indices(length, -LEAST)
    shown[upper] = one.score[upper]
    shown[lower] = np.where(np.isfinite(one.distance), in_contact(one.distance), np.nan)[lower]
    ax.imshow(np.full_like(shown, 0.12), cmap="Greys", vmin=0, vmax=1)
    ax.imshow(shown, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    ax.plot([0, length - 1], [0, length - 1], color=MUTED, lw=0.6)
    value = precision(one.score, one.distance)
    ax.set_title(f"{one.name}, Neff {one.neff:.0f}: {value:.2f}", fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])


def precision_curves(models: Mapping[str, Sequence[Judged]]) -> Figure:
    """Mean over proteins of the precision of the k best long-range pairs, against k / L."""
    with style():
        figure = Figure(figsize=(WIDTH * 0.7, 3.4))
        ax = figure.subplots()
        for number, (name, found) in enumerate(models.items()):
            colour, dash = SERIES[number % len(SERIES)], DASHES[number % len(DASHES)]
            ax.plot(_GRID, mean_curve(found), color=colour, ls=dash, label=name)
        ax.set(xlabel="k / L", ylabel="precision", ylim=(0, 1), xlim=(0, 1))
        ax.legend()
    return figure


def mean_curve(found: Sequence[Judged]) -> NDArray[np.float64]:
    """Mean precision at each k / L of the grid, of proteins with long-range pairs."""
    lines = []
    for one in found:
        values = curve(one.score, one.distance)
        if len(values):
            place = np.clip(np.ceil(_GRID * len(one.distance)).astype(int), 1, len(values)) - 1
            lines.append(values[place])
    return np.mean(lines, axis=0) if lines else np.full(len(_GRID), np.nan)


def depth_figure(found: Sequence[Judged]) -> Figure:
    """Precision at L of each protein against Neff, and the running median."""
    value = np.array([precision(f.score, f.distance) for f in found])
    neff = np.array([f.neff for f in found])
    kept = np.isfinite(value)
    neff, value = neff[kept], value[kept]
    order = np.argsort(neff)
    with style():
        figure = Figure(figsize=(WIDTH * 0.7, 3.2))
        ax = figure.subplots()
        ax.scatter(neff, value, s=14, color=BLUE, alpha=0.6, linewidths=0)
        if len(order) >= 20:
            parts = np.array_split(order, 8)
            middle = [np.median(value[part]) for part in parts]
            ax.plot([np.median(neff[part]) for part in parts], middle, color=VERMILION)
        ax.set(xscale="log", xlabel="Neff", ylabel="precision at L, long range", ylim=(0, 1))
    return figure
