"""Maps and curves of extremes, chances and storm tracks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.style import MUTED, SERIES, WIDTH, plain, style
from science.weather.extremes import Levels
from science.weather.grid import Grid
from science.weather.hazards import Risk
from science.weather.maps import globe, shown, side_by_side, told
from science.weather.maps import levels as ends_of

Fields = NDArray[Any]
LEVELS = {
    "years": (
        "A generalised Pareto distribution of the peaks above the local 95th percentile, storms at"
        " least three days apart. Few years tell little of rare levels: the intervals say how"
        " little, and points with fewer than ten peaks stay white. A climate that changes is not in"
        " it."
    ),
    "members": (
        "A generalised extreme value distribution of each member's highest value over the whole"
        " forecast: what the worst of so many possible weeks would bring."
    ),
}
BELIEVED = (
    "Where the curve lies on the diagonal, what was said came true as often as was said. The Brier"
    " score is reliability (best 0) minus resolution (best high) plus the uncertainty of the"
    " weather itself; its skill is over the chance that the climatology gives."
)
TRACKS = "Root of half the mean square of 24-hour differences: where weather changes most in a day."
AGREE = (
    "Members beside the truth: correlation of the maps, ratio of their means, and the share of the"
    " area where the truth lies between the members' 5th and 95th percentile (right at 0.9)."
)


def levels(name: str, found: Levels, unit: str, grid: Grid, land: Fields | None) -> Figure:
    """Level of the middle and the longest period, and half the width of their intervals."""
    label, people, factor, _ = shown(name)
    few = sorted({len(found.periods) // 2, len(found.periods) - 1})
    with style():
        figure = Figure(figsize=(WIDTH, 0.5 + 2.3 * len(few)))
        axes = figure.subplots(len(few), 2, squeeze=False, sharex=True, sharey=True)
        for row, k in zip(axes, few, strict=True):
            wide = (found.high[k] - found.low[k]) / 2 * factor
            for ax, field, colours, words in (
                (row[0], told(name, found.level[k]), "viridis", label),
                (row[1], wide, "magma_r", "half of the 95 % interval"),
            ):
                drawn = globe(ax, grid, field, land, ends_of([field], False), colours)
                ax.set_title(plain(f"{words}, 1 in {found.periods[k]:g} {unit}"), fontsize=9)
                unit_of = "K" if people == "°C" and ax is row[1] else people
                figure.colorbar(drawn, ax=ax, shrink=0.8).set_label(plain(unit_of), fontsize=8)
    return figure


def curve(name: str, found: Levels, unit: str, place: tuple[int, int]) -> Figure:
    """Levels at one point by period, with their intervals."""
    label, people, _, _ = shown(name)
    at = (slice(None), *place)
    with style():
        figure = Figure(figsize=(WIDTH * 0.6, 3.0))
        ax = figure.subplots()
        low, high = told(name, found.low[at]), told(name, found.high[at])
        ax.fill_between(found.periods, low, high, color=SERIES[0], alpha=0.2, lw=0)
        ax.plot(found.periods, told(name, found.level[at]), "o-", color=SERIES[0], ms=4)
        ax.set(xscale="log", xlabel=f"once in so many {unit}", ylabel=plain(f"{label} [{people}]"))
        ax.set_xticks(found.periods, [f"{p:g}" for p in found.periods])
        ax.set_xticks([], minor=True)
    return figure


def chances(found: Risk, land: Fields | None) -> Figure:
    """Chance of passing the threshold at three leads, from the first start."""
    later = np.flatnonzero(found.leads > 0)
    few = np.unique(later[np.linspace(0, len(later) - 1, min(3, len(later))).round().astype(int)])
    with style():
        figure = Figure(figsize=(WIDTH, 2.6))
        axes = figure.subplots(1, len(few), squeeze=False, sharey=True)[0]
        for ax, k in zip(axes, few, strict=True):
            drawn = globe(ax, found.grid, found.chance[0, k], land, (0, 1), "YlOrRd")
            ax.set_title(f"day {found.leads[k] / 24:g}", fontsize=9)
        bar = figure.colorbar(drawn, ax=list(axes), location="bottom", shrink=0.4, aspect=40)
        bar.set_label("share of the members", fontsize=9)
    return figure


def reliability(found: Risk) -> Figure:
    """What was said against how often it happened, at up to three leads."""
    hours = list(found.judged)
    few = sorted({hours[0], hours[len(hours) // 2], hours[-1]})
    with style():
        figure = Figure(figsize=(WIDTH * 0.8, 3.3))
        left, right = figure.subplots(1, 2)
        left.plot([0, 1], [0, 1], color=MUTED, lw=1)
        for number, lead in enumerate(few):
            table = found.judged[lead].table
            look: dict[str, Any] = {"color": SERIES[number], "label": f"day {lead / 24:g}"}
            left.plot(table["said"], table["happened"], "o-", ms=4, **look)
            right.semilogy(table["said"], table["share"], "o-", ms=4, **look)
        left.set(xlabel="chance that was said", ylabel="share that happened", xlim=(0, 1))
        left.set_ylim(0, 1)
        right.set(xlabel="chance that was said", ylabel="share of the area")
        left.legend(fontsize=8)
    return figure


def tracks(name: str, grid: Grid, maps: Mapping[str, Fields], land: Fields | None) -> Figure:
    """Storm tracks side by side on one scale."""
    columns = {title: [field] for title, field in maps.items()}
    return side_by_side(name, grid, columns, ["24-hour changes"], land, size=True)
