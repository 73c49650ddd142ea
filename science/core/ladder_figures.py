"""The pictures of a ladder: what a score costs, and how it falls as questions get harder."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from science.core.ladder import MAIN, PARADIGMS, Climbed, Rung
from science.core.ladder_labels import Mark, label
from science.core.style import BLUE, DASHES, GREEN, INK, MUTED, ORANGE, VERMILION, plain, style

NAMES = {name: f"{number} {name}" for number, name in enumerate(PARADIGMS, 1)}
COLOURS = dict(zip(PARADIGMS, (MUTED, BLUE, GREEN, ORANGE, VERMILION), strict=True))
_FEW, _MANY = 30.0, 260.0  # marker areas [pt^2] of no example and of a hundred thousand


def picture(climbed: Climbed) -> Figure:
    """Score against processor time, and against the number of examples."""
    answered = [r for r in climbed.rungs if r.scores]
    measure = climbed.row.headline
    with style():
        figure = Figure(figsize=(8.6, 4.8))
        left, right = figure.subplots(1, 2, sharey=True)
        dash = _dashes(answered)
        left.set_xscale("log")
        marks = [_marker(left, rung, measure) for rung in answered]
        left.xaxis.set_major_formatter(ticker.LogFormatterMathtext())
        left.margins(x=0.14, y=0.12)
        left.set_xlabel("processor time [s]")
        left.set_ylabel(plain(climbed.row.label(measure)))
        for rung in answered:
            _examples(right, rung, climbed.less, measure, dash[rung.cell.name])
        counts = sorted({r.examples for r in [*answered, *climbed.less] if r.examples})
        if counts:
            right.set_xscale("log")
            right.set_xticks(counts, [f"{count:,}" for count in counts])
            right.minorticks_off()
        right.set_xlabel("solved examples shown")
        handles = right.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=3)
        label(left, marks)
    return figure


def along(climbed: Climbed) -> Figure:
    """Every measure by stretch of the axis, one line a way."""
    bins = climbed.bins
    answered = [r for r in climbed.rungs if r.scores]
    with style():
        shown = list(climbed.row.measures)[:4]
        figure = Figure(figsize=(8.6, 3.4 * ((len(shown) + 1) // 2) + 0.8))
        panels = np.ravel(figure.subplots((len(shown) + 1) // 2, min(2, len(shown)), squeeze=False))
        dash = _dashes(answered)
        for axes, measure in zip(panels, shown, strict=False):
            for shift, rung in enumerate(answered):
                _stretch(axes, rung, bins, measure, dash[rung.cell.name], shift - len(answered) / 2)
            axes.set_xticks(range(len(bins)), [textwrap.fill(name, 11) for name in bins])
            axes.set_xlabel(plain(climbed.row.axis.name))
            axes.set_title(plain(climbed.row.label(measure)))
        for axes in panels[len(shown) :]:
            axes.set_visible(False)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _marker(axes: Axes, rung: Rung, measure: str) -> Mark:
    """A marker with its interval; what it needs to be named."""
    found, x = rung.scores[MAIN][measure].measured, max(rung.cpu_s, 1e-3)
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    colour = COLOURS[rung.cell.paradigm]
    axes.plot([x, x], [low, high], color=colour, lw=1.4)
    area = _FEW + (_MANY - _FEW) * np.log10(1 + rung.examples) / 5
    axes.scatter([x], [found.value], s=area, color=colour, edgecolor=INK, lw=0.6, zorder=3)
    return Mark(x, found.value, low, high, rung.cell.name)


def _examples(axes: Axes, rung: Rung, less: Sequence[Rung], measure: str, dash: object) -> None:
    look = {"color": COLOURS[rung.cell.paradigm], "ls": dash, "label": _label(rung)}
    if not rung.cell.learns:
        axes.axhline(rung.scores[MAIN][measure].measured.value, **look)  # type: ignore[arg-type]
        return
    line = [r for r in less if r.cell.name == rung.cell.name and r.scores] + [rung]
    values = [r.scores[MAIN][measure].measured.value for r in line]
    axes.plot([r.examples for r in line], values, marker="o", ms=4, **look)  # type: ignore[arg-type]


def _stretch(
    axes: Axes, rung: Rung, bins: Sequence[str], measure: str, dash: object, shift: float
) -> None:
    found = [rung.scores[place][measure].measured for place in bins]
    x = np.arange(len(bins)) + 0.03 * shift
    value = np.array([m.value for m in found])
    low = np.array([m.value if m.low is None else m.low for m in found])
    high = np.array([m.value if m.high is None else m.high for m in found])
    colour = COLOURS[rung.cell.paradigm]
    axes.vlines(x, low, high, color=colour, lw=0.9, alpha=0.6)
    axes.plot(x, value, color=colour, ls=dash, marker="o", ms=4, label=_label(rung))


def _label(rung: Rung) -> str:
    return plain(f"{NAMES[rung.cell.paradigm]}: {rung.cell.name}")


def _dashes(rungs: Sequence[Rung]) -> Mapping[str, object]:
    """Ways of one paradigm share its colour and differ in dash."""
    found: dict[str, object] = {}
    seen: dict[str, int] = {}
    for rung in rungs:
        place = seen.get(rung.cell.paradigm, 0)
        seen[rung.cell.paradigm] = place + 1
        found[rung.cell.name] = DASHES[place % len(DASHES)]
    return found
