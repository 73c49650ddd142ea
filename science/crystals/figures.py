"""Figures of predicted and generated structures: how often, how near, and how alike.

Every function takes arrays or frames and returns a figure in the house style; energies are drawn in
``figures_energy``, phase diagrams in ``figures_hull``, structures themselves in ``gallery``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from science.core.style import DASHES, INK, MUTED, SERIES, SKY, WIDTH, plain, style

Floats = NDArray[np.float64]

MARKS = "os^Dvp*"
STOL = 0.5  # the largest RMS distance at which StructureMatcher still sees a match
QUANTITIES = {
    "density": "density [g/cm³]",
    "elements": "number of elements",
    "atoms": "atoms per cell",
    "volume": "volume per atom [Å³]",
    "length": "cell lengths [Å]",
    "angle": "cell angles [°]",
    "distance": "shortest distance [Å]",
    "e_form": "formation energy [eV/atom]",
    "e_hull": "energy above hull [eV/atom]",
}


def match_curves(
    rates: pd.DataFrame,
    published: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    ceiling: float | None = None,
) -> Figure:
    """Match rate against the number of samples per target, with intervals.

    Args:
        rates: columns ``model, k, rate``, maybe ``low, high``; rates are shares from 0 to 1. The
            first model is ours.
        published: name -> ``(k, rate)`` points of the literature.
        ceiling: the highest rate that the evaluator lets anybody reach.
    """
    with style():
        figure = Figure(figsize=(WIDTH, 3.6))
        ax = figure.subplots()
        for place, name in enumerate(dict.fromkeys(rates["model"])):
            some = rates[rates["model"] == name].sort_values("k")
            _line(ax, some, "k", "rate", place, str(name))
        _published(ax, published or {})
        if ceiling is not None:
            ax.axhline(ceiling, color=MUTED, lw=1, ls=(0, (1, 1)), zorder=0)
            where: dict[str, Any] = {
                "transform": ax.get_yaxis_transform(),
                "fontsize": 8,
                "color": MUTED,
            }
            ax.text(0.01, ceiling, f"evaluator's ceiling {ceiling:.1%}", va="bottom", **where)
        counts = sorted({int(k) for k in rates["k"]})
        ax.set(xscale="log", xlabel="samples per target, k", ylabel="match rate", ylim=(0, 1.06))
        _ticks(ax, counts)
        _percent(ax)
        figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper")
    return figure


def rms_curves(rms: Mapping[str, ArrayLike], limit: float = STOL) -> Figure:
    """Share of targets that are met within a distance, for each distance: where a rate comes from.

    Args:
        rms: model -> (targets,) smallest normalised RMS distance, ``nan`` where nothing matched. A
            curve ends at the match rate; the further left it rises, the sharper the structures.
        limit: the matcher's tolerance, the right end of the axis.
    """
    with style():
        figure = Figure(figsize=(WIDTH * 0.85, 3.7))
        ax = figure.subplots()
        for place, (name, values) in enumerate(rms.items()):
            all_ = np.asarray(values, float).ravel()
            met = np.sort(all_[np.isfinite(all_)])
            share = np.arange(1, len(met) + 1) / max(len(all_), 1)
            mean = f"{met.mean():.3f}" if len(met) else "–"
            x, y = np.r_[1e-4, met, limit], np.r_[0.0, share, share[-1:] if len(met) else 0.0]
            label = plain(f"{name} (RMSE {mean})")
            ax.step(x, y, where="post", label=label, **_look(place))
        ax.set(xscale="log", xlim=(1e-3, limit), ylim=(0, 1.02))
        ax.set(xlabel="RMS distance, in (volume per atom)$^{1/3}$", ylabel="share of targets")
        ax.xaxis.set_major_formatter("{x:g}")
        _percent(ax)
        figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def evaluations(rows: pd.DataFrame, measures: Sequence[tuple[str, str]]) -> Figure:
    """Measures against the number of network evaluations a sample costs, side by side.

    Args:
        rows: columns ``model, steps`` and one per measure, maybe with ``<measure>_low`` and
            ``<measure>_high``.
        measures: ``(column, label)`` of one panel each.
    """
    with style():
        figure = Figure(figsize=(WIDTH, 3.4))
        axes = figure.subplots(1, len(measures), squeeze=False).ravel()
        for ax, (column, label) in zip(axes, measures, strict=True):
            for place, name in enumerate(dict.fromkeys(rows["model"])):
                some = rows[rows["model"] == name].dropna(subset=[column]).sort_values("steps")
                _line(ax, some, "steps", column, place, str(name), prefix=f"{column}_")
            ax.set(xscale="log", xlabel="network evaluations per sample", title=plain(label))
            _ticks(ax, sorted({int(s) for s in rows["steps"]})[:6])
        axes[0].legend(loc="best")
    return figure


def histograms(
    samples: Mapping[str, Mapping[str, ArrayLike]],
    labels: Mapping[str, str] | None = None,
    distances: Mapping[str, float] | None = None,
) -> Figure:
    """Distributions of several quantities, generated against reference, one panel each.

    Args:
        samples: source -> quantity -> values; the first source is the reference and is filled.
            Quantities that a source lacks are left out of its curve. Whole numbers become bars.
        labels: quantity -> label; those of ``QUANTITIES`` are known.
        distances: quantity -> Wasserstein distance to write into the panel.
    """
    known = QUANTITIES | dict(labels or {})
    names = list(dict.fromkeys(name for source in samples.values() for name in source))
    columns = min(3, max(len(names), 1))
    lines = -(-len(names) // columns) or 1
    with style():
        figure = Figure(figsize=(WIDTH * (0.4 + 0.2 * columns), 2.6 * lines + 0.3))
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax, name in zip(axes, names, strict=False):
            values = {s: _finite(source[name]) for s, source in samples.items() if name in source}
            _histogram(ax, values, list(samples))
            ax.set(xlabel=plain(known.get(name, name)), yticks=[])
            if distances and name in distances:
                ax.set_title(f"Wasserstein {distances[name]:.3g}", fontsize=9, fontweight="normal")
        for ax in axes[len(names) :]:
            ax.set_axis_off()
        handles, shown = axes[0].get_legend_handles_labels()
        if shown:
            figure.legend(handles, shown, loc="outside upper left", ncols=min(len(shown), 4))
    return figure


def counts(rows: pd.DataFrame, label: str, most: int = 16) -> Figure:
    """Horizontal bars of shares with intervals: how many pass each test, source by source.

    ``rows`` has ``source, test, rate`` and maybe ``low, high``; tests keep their order.
    """
    tests = list(dict.fromkeys(rows["test"]))[:most]
    sources = list(dict.fromkeys(rows["source"]))
    high = 0.8 / max(len(sources), 1)
    with style():
        figure = Figure(figsize=(WIDTH * 0.85, 0.9 + len(tests) * max(0.34, 0.2 * len(sources))))
        ax = figure.subplots()
        for place, source in enumerate(sources):
            some = rows[(rows["source"] == source) & rows["test"].isin(tests)]
            at = [tests.index(t) + high * (place - (len(sources) - 1) / 2) for t in some["test"]]
            colour = SERIES[place % len(SERIES)]
            ax.barh(at, some["rate"], high * 0.9, color=colour, label=plain(source))
            if {"low", "high"} <= set(some):
                ax.errorbar(some["rate"], at, xerr=_bars(some, "rate", ""), fmt="none",
                            ecolor=INK, elinewidth=1, capsize=2)  # fmt: skip
        ax.set_yticks(range(len(tests)), [plain(t) for t in tests])
        ax.invert_yaxis()
        ax.set(xlim=(0, 1.02), xlabel=plain(label))
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
        ax.grid(visible=False, axis="y")
        if len(sources) > 1:
            figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure


def _look(place: int) -> dict[str, Any]:
    return {"color": SERIES[place % len(SERIES)], "ls": DASHES[place % len(DASHES)]}


def _line(
    ax: Axes, some: pd.DataFrame, x: str, y: str, place: int, name: str, prefix: str = ""
) -> None:
    look = _look(place)
    mark: dict[str, Any] = {"marker": MARKS[place % len(MARKS)], "ms": 5}
    ax.plot(some[x], some[y], label=plain(name), **look, **mark)
    if {f"{prefix}low", f"{prefix}high"} <= set(some):
        low, high = some[f"{prefix}low"].astype(float), some[f"{prefix}high"].astype(float)
        ax.fill_between(some[x], low, high, color=look["color"], alpha=0.18, lw=0)


def _bars(some: pd.DataFrame, middle: str, prefix: str) -> Floats:
    low, high = some[middle] - some[f"{prefix}low"], some[f"{prefix}high"] - some[middle]
    bars: Floats = np.nan_to_num(np.clip(np.array([low, high], float), 0, None))
    return bars


def _published(ax: Axes, published: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    for place, (name, points) in enumerate(published.items()):
        x, y = zip(*points, strict=True)
        look: dict[str, Any] = {
            "marker": MARKS[(place + 3) % len(MARKS)],
            "ms": 6,
            "mew": 1.3,
            "mfc": "none",
        }
        ax.plot(x, y, ls="none", color=INK, label=plain(f"{name} (published)"), **look)


def _ticks(ax: Axes, at: Sequence[int]) -> None:
    from matplotlib.ticker import NullLocator

    ax.set_xticks(at, [str(k) for k in at])
    ax.xaxis.set_minor_locator(NullLocator())


def _percent(ax: Axes) -> None:
    ax.yaxis.set_major_formatter(lambda y, _: f"{y:.0%}")


def _finite(values: ArrayLike) -> Floats:
    all_ = np.asarray(values, float).ravel()
    finite: Floats = all_[np.isfinite(all_)]
    return finite


def _histogram(ax: Axes, values: Mapping[str, Floats], sources: Sequence[str]) -> None:
    pooled = np.concatenate([v for v in values.values() if len(v)] or [np.zeros(0)])
    if not len(pooled):
        ax.text(0.5, 0.5, "no values", transform=ax.transAxes, ha="center", color=MUTED)
        return
    edges = _edges(pooled)
    for name, some in values.items():
        place = sources.index(name)
        share = np.histogram(some, edges)[0] / max(len(some), 1)
        if place == 0:
            ax.stairs(share, edges, fill=True, color=SKY, alpha=0.55, label=plain(name))
        else:
            look: dict[str, Any] = {"color": SERIES[(place - 1) % len(SERIES)], "lw": 1.7}
            ax.stairs(share, edges, ls=DASHES[(place - 1) % len(DASHES)], label=plain(name), **look)
    ax.set_ylim(bottom=0)
    ax.margins(y=0.08)


def _edges(pooled: Floats) -> Floats:
    """Bins of whole numbers for counts, else enough for the middle 99 % of the values."""
    low, high = np.percentile(pooled, [0.5, 99.5])
    if np.all(pooled == np.round(pooled)) and np.ptp(pooled) < 60:
        return np.arange(pooled.min(), pooled.max() + 2) - 0.5
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    return np.linspace(low, high, 1 + min(40, max(8, int(2 * len(pooled) ** (1 / 3)))))


__all__ = ["QUANTITIES", "counts", "evaluations", "histograms", "match_curves", "rms_curves"]
