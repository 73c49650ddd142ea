"""Figures of energies: predictions and their doubt, stability, and what a search finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from science.core.style import BLUE, INK, MUTED, ORANGE, SKY, VERMILION, WIDTH, plain, style
from science.crystals.figures import _finite, _line, _look, _percent

Floats = NDArray[np.float64]

_DOTS = 4000  # drawn one by one; beyond that a density says more


def parity(
    truth: ArrayLike,
    predicted: ArrayLike,
    spread: ArrayLike | None = None,
    what: str = "formation energy [eV/atom]",
) -> Figure:
    """Predicted against true values, with the errors' distribution beside them.

    Args:
        truth: (n,) reference values.
        predicted: (n,) predictions of the same rows.
        spread: (n,) one standard deviation each, drawn as bars where there are few rows.
        what: name and unit of the quantity.
    """
    x, y = np.asarray(truth, float), np.asarray(predicted, float)
    fine = np.isfinite(x) & np.isfinite(y)
    x, y = x[fine], y[fine]
    error = y - x
    with style():
        figure = Figure(figsize=(WIDTH, 3.9))
        left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
        if spread is not None and len(x) <= 400:
            bars = np.asarray(spread, float)[fine]
            left.errorbar(x, y, bars, fmt="none", ecolor=SKY, elinewidth=0.8, alpha=0.7, zorder=1)
        _dots(left, x, y)
        if len(x):
            ends = [min(x.min(), y.min()), max(x.max(), y.max())]
            left.plot(ends, ends, color=INK, lw=1, zorder=3)
            mae, median = np.abs(error).mean(), np.median(np.abs(error))
            said = f"MAE {mae:.3f}\nmedian {median:.3f}\nbias {error.mean():+.3f}\nn = {len(x)}"
            left.text(0.03, 0.97, said, transform=left.transAxes, va="top", fontsize=9)
            reach = max(float(np.percentile(np.abs(error), 98)), 1e-6)
            right.hist(np.clip(error, -reach, reach), 41, color=BLUE)
            right.axvline(0, color=INK, lw=1)
        left.set(xlabel=plain(f"reference {what}"), ylabel=plain(f"predicted {what}"))
        right.set(xlabel="error (predicted − reference)", ylabel="structures", title="Errors")
    return figure


def uncertainty(
    truth: ArrayLike, predicted: ArrayLike, spread: ArrayLike, bins: int = 10
) -> Figure:
    """Do stated uncertainties mean what they say?

    Left: share of rows inside a central interval against the share that a normal distribution of
    the stated width promises. Right: the errors actually made, in bins of equal number of rows,
    against the errors stated (root mean square of both).
    """
    error = np.asarray(predicted, float) - np.asarray(truth, float)
    stated = np.asarray(spread, float)
    fine = np.isfinite(error) & np.isfinite(stated) & (stated > 0)
    error, stated = error[fine], stated[fine]
    promised = np.linspace(0, 1, 41)
    with style():
        figure = Figure(figsize=(WIDTH, 3.7))
        left, right = figure.subplots(1, 2)
        left.plot([0, 1], [0, 1], color=MUTED, lw=1)
        left.set(xlabel="share promised", ylabel="share found inside", title="Coverage")
        left.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        right.set(xlabel="stated error [eV/atom]", ylabel="error made [eV/atom]", title="Size")
        if len(error):
            z = np.abs(error) / stated
            held = [float((z <= norm.ppf(0.5 + p / 2)).mean()) for p in promised]
            left.plot(promised, held, color=BLUE)
            left.fill_between(promised, promised, held, color=SKY, alpha=0.3, lw=0)
            miss = float(np.abs(np.array(held) - promised).mean())
            left.text(0.03, 0.92, f"mean deviation {miss:.3f}", fontsize=9)
            _binned(right, stated, error, bins)
    return figure


def hit_rates(rates: pd.DataFrame, label: str = "stable per relaxation") -> Figure:
    """Share of tried candidates that are hits, round by round, one line per arm.

    ``rates`` has ``arm, round, rate`` and maybe ``low, high, n``; the first arm is ours.
    """
    with style():
        figure = Figure(figsize=(WIDTH * 0.8, 3.6))
        ax = figure.subplots()
        for place, name in enumerate(dict.fromkeys(rates["arm"])):
            some = rates[rates["arm"] == name].sort_values("round")
            _line(ax, some, "round", "rate", place, str(name))
        rounds = sorted({int(r) for r in rates["round"]})
        ax.set_xticks(rounds)
        ax.set(xlabel="round", ylabel=plain(label))
        ax.set_ylim(bottom=0)
        _percent(ax)
        ax.legend(loc="best")
    return figure


def found(tries: pd.DataFrame) -> Figure:
    """Hits found against relaxations spent, one line per arm: what the budget bought.

    ``tries`` has ``arm`` and ``hit`` (0 or 1), in the order in which they were tried.
    """
    with style():
        figure = Figure(figsize=(WIDTH * 0.8, 3.6))
        ax = figure.subplots()
        for place, name in enumerate(dict.fromkeys(tries["arm"])):
            hits = np.cumsum(tries.loc[tries["arm"] == name, "hit"].to_numpy(float))
            spent = np.arange(len(hits) + 1)
            ax.step(spent, np.r_[0, hits], where="post", label=plain(name), **_look(place))
        ax.set(xlabel="relaxations", ylabel="stable structures found")
        ax.set_ylim(bottom=0)
        ax.margins(x=0.01)
        ax.legend(loc="upper left")
    return figure


_LONG = 26  # letters of a label of which three do not fit side by side


def above_hull(energies: Mapping[str, ArrayLike], marks: tuple[float, ...] = (0.0, 0.1)) -> Figure:
    """Share of structures below each energy above the hull, one curve per source.

    Args:
        energies: source -> (n,) eV/atom; ``nan`` counts as never stable, so that failures lower the
            curve instead of vanishing.
        marks: thresholds drawn as vertical lines.
    """
    with style():
        figure = Figure(figsize=(WIDTH * 0.85, 3.7))
        ax = figure.subplots()
        low, high = -0.1, 0.5
        for place, (name, values) in enumerate(energies.items()):
            all_ = np.asarray(values, float).ravel()
            some = np.sort(_finite(all_))
            share = np.arange(1, len(some) + 1) / max(len(all_), 1)
            x = np.r_[min(low, *some[:1]), some, max(high, *some[-1:])]
            y = np.r_[0.0, share, share[-1] if len(some) else 0.0]
            ax.step(x, y, where="post", label=plain(f"{name} (n = {len(all_)})"), **_look(place))
        for mark in marks:
            ax.axvline(mark, color=MUTED, lw=1, ls=":", zorder=0)
        ax.set(xlim=(low, high), ylim=(0, 1.02))
        ax.set(xlabel="energy above hull [eV/atom]", ylabel="share of structures below")
        _percent(ax)
        handles, labels = ax.get_legend_handles_labels()
        columns = 3 if max(map(len, labels), default=0) < _LONG else 2
        figure.legend(handles, labels, loc="outside upper left", ncols=columns)
    return figure


def _dots(ax: Axes, x: Floats, y: Floats) -> None:
    if len(x) <= _DOTS:
        look: dict[str, Any] = {"ms": 3, "mew": 0, "alpha": 0.5, "rasterized": len(x) > 800}
        ax.plot(x, y, "o", color=BLUE, zorder=2, **look)
    else:
        ax.hexbin(x, y, gridsize=70, bins="log", mincnt=1, cmap="viridis", linewidths=0)


def _binned(ax: Axes, stated: Floats, error: Floats, bins: int) -> None:
    parts = np.array_split(np.argsort(stated), max(1, min(bins, len(stated) // 5)))
    said = [float(np.sqrt(np.mean(stated[p] ** 2))) for p in parts]
    made = [float(np.sqrt(np.mean(error[p] ** 2))) for p in parts]
    doubt = [m / np.sqrt(2 * len(p)) for m, p in zip(made, parts, strict=True)]
    ends = [0.0, 1.08 * max(*said, *made)]
    ax.plot(ends, ends, color=MUTED, lw=1)
    ax.errorbar(said, made, doubt, fmt="o", ms=5, color=VERMILION, ecolor=ORANGE, capsize=2)
    ax.set(xlim=(0, ends[1]), ylim=(0, ends[1]))
