"""Figures that every domain shares: learning curves, calibration, ranking curves, comparisons.

They are drawn on ``Figure`` objects, never through pyplot, so nothing stays open and no window
system is needed.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from science.core.glossary import term
from science.core.style import (
    BLUE,
    DASHES,
    GREEN,
    MUTED,
    ORANGE,
    PAPER,
    SERIES,
    SKY,
    VERMILION,
    WIDTH,
    plain,
)
from science.core.style import style as style

_ROOM = 24  # letters of a title


def learning_curves(history: Any, most: int = 6) -> Figure:
    """One panel per measure over epochs: thin lines for members, a thick one for their median.

    ``history`` is a table in long form (``member, epoch, name, value``), where ``name`` is
    ``stage/measure`` such as ``val/loss``; or in wide form, one column per name. At most ``most``
    panels are drawn, losses first.
    """
    frame = _long(history)
    measures = sorted(set(frame["measure"]), key=lambda m: ("loss" not in m, m))[:most]
    if not measures:
        raise ValueError("the history holds no finite value")
    columns = min(3, len(measures))
    lines = -(-len(measures) // columns)
    with style():
        figure = Figure(figsize=(WIDTH * (0.4 + 0.2 * columns), 2.9 * lines))
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax, measure in zip(axes, measures, strict=False):
            _curves(ax, frame[frame["measure"] == measure], measure)
        for ax in axes[len(measures) :]:
            ax.set_axis_off()
    return figure


def _title(label: str) -> str:
    """Over lines that a panel of three in a row has room for."""
    return textwrap.fill(plain(label), _ROOM)


def _long(history: Any) -> Any:
    frame = history.copy()
    if "epoch" not in frame:
        frame["epoch"] = frame["step"] if "step" in frame else range(len(frame))
    if not {"name", "value"} <= set(frame.columns):
        known = [c for c in ("member", "epoch", "step", "stage") if c in frame]
        frame = frame.melt(id_vars=known, var_name="name", value_name="value")
    frame["value"] = [_number(value) for value in frame["value"]]
    frame["epoch"] = [_number(value) for value in frame["epoch"]]
    frame = frame[np.isfinite(frame["value"].astype(float) * frame["epoch"].astype(float))].copy()
    if "member" not in frame:
        frame["member"] = ""
    named = [_staged(str(name)) for name in frame["name"]]
    frame["measure"] = [measure for _, measure in named]
    stage = [str(s) for s in frame["stage"]] if "stage" in frame else [""] * len(frame)
    frame["stage"] = [own or given for (own, _), given in zip(named, stage, strict=True)]
    return frame


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _staged(name: str) -> tuple[str, str]:
    words = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}
    for mark in ("/", "_"):
        first, found, rest = name.partition(mark)
        if found and first.lower() in words:
            return words[first.lower()], rest
    return "", name


def _curves(ax: Axes, frame: Any, measure: str) -> None:
    order = {"train": 0, "validation": 1, "test": 2}
    for stage in sorted(set(frame["stage"]), key=lambda s: order.get(s, 3)):
        colour, dash = SERIES[order.get(stage, 3)], DASHES[order.get(stage, 3)]
        part = frame[frame["stage"] == stage]
        members = sorted(set(part["member"]), key=str)
        if len(members) > 1:
            for member in members:
                one = part[part["member"] == member].sort_values("epoch")
                ax.plot(one["epoch"], one["value"], color=colour, lw=0.8, alpha=0.35)
        middle = part.groupby("epoch")["value"].median()
        mark = "o" if len(middle) == 1 else None
        ax.plot(middle.index, middle, color=colour, ls=dash, marker=mark, label=plain(stage) or "–")
    ax.set(title=_title(term(measure).label), xlabel="epoch")
    ax.margins(x=0.02)
    if any(frame["stage"]):
        ax.legend()


def reliability(labels: ArrayLike, scores: ArrayLike, bins: int = 10) -> Figure:
    """Observed share of positives against the stated score, and how many examples say so.

    Bars are 95 % Wilson intervals; bins have equal width in score and empty ones are left out.
    """
    truth, score = _binary(labels, scores)
    which = np.clip((score * bins).astype(int), 0, bins - 1)
    count = np.bincount(which, minlength=bins)
    some = count > 0
    share = np.bincount(which, truth, bins)[some] / count[some]
    stated = np.bincount(which, score, bins)[some] / count[some]
    low, high = _wilson(share, count[some])
    with style():
        figure = Figure(figsize=(WIDTH * 0.62, 4.9))
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
        top.plot([0, 1], [0, 1], color=MUTED, ls="--", lw=1.2, label="perfect calibration")
        bars = np.abs(np.array([share - low, high - share]))
        top.errorbar(stated, share, bars, fmt="o-", color=BLUE, capsize=3, label="this run")
        top.set(ylabel="share that is positive", xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
        top.legend(loc="upper left")
        edges = np.linspace(0, 1, bins + 1)
        bottom.bar(edges[:-1], count, 1 / bins, align="edge", color=SKY, edgecolor=PAPER)
        bottom.set(xlabel="score", ylabel="examples", yscale="log")
        bottom.set_ylim(bottom=0.7)
    return figure


def _wilson(share: NDArray[Any], count: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    z = 1.96
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return middle - half, middle + half


def _binary(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    truth, score = np.asarray(labels, float).ravel(), np.asarray(scores, float).ravel()
    if truth.shape != score.shape:
        raise ValueError(f"{truth.size} labels but {score.size} scores")
    fine = np.isfinite(truth) & np.isfinite(score)
    truth, score = truth[fine], score[fine]
    if not truth.size:
        raise ValueError("no labelled score")
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    return truth, score


def roc_pr(models: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """ROC and precision-recall curves of several models, each given as ``(labels, scores)``.

    Labels are 0 or 1 and both must occur; the legend states the area under each curve.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    with style():
        figure = Figure(figsize=(WIDTH, 4.3))
        left, right = figure.subplots(1, 2)
        for index, (name, pair) in enumerate(models.items()):
            truth, score = _binary(*pair)
            if len(set(truth)) < 2:
                raise ValueError(f"{name}: only one class occurs, so there is nothing to rank")
            look: dict[str, Any] = {
                "color": SERIES[index % len(SERIES)],
                "ls": DASHES[index % len(DASHES)],
            }
            area, purity = roc_auc_score(truth, score), average_precision_score(truth, score)
            _ranking(left, right, truth, score, look)
            left.lines[-1].set_label(f"{plain(name)} (AUC {area:.3f})")
            right.lines[-1].set_label(f"{plain(name)} (AP {purity:.3f})")
        left.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=":", zorder=1)
        left.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
        right.set(title="Precision-recall", xlabel="recall", ylabel="precision")
        for ax, where in ((left, "lower right"), (right, "lower left")):
            ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
            ax.legend(loc=where)
    return figure


def _ranking(left: Axes, right: Axes, truth: Any, score: Any, look: dict[str, Any]) -> None:
    from sklearn.metrics import precision_recall_curve, roc_curve

    x, y, _ = roc_curve(truth, score)
    left.plot(x, y, **look)
    precision, recall, _ = precision_recall_curve(truth, score, drop_intermediate=True)
    right.plot(recall, precision, drawstyle="steps-post", **look)


def forest(
    rows: Sequence[Mapping[str, Any]],
    goals: Mapping[str, Mapping[str, Any]] | None = None,
    measures: Sequence[str] | None = None,
) -> Figure:
    """Each model's measures with their intervals, the best published value and the goal's line.

    ``rows`` are ``{"model": name, "metrics": {measure: {"value", "low", "high"}}}``, ours first;
    ``goals`` are ``{measure: {"goal", "published"}}``. Without ``measures`` those with a goal are
    drawn, or else the first six that occur.
    """
    goals = goals or {}
    present = list(dict.fromkeys(name for row in rows for name in row.get("metrics") or {}))
    chosen = list(measures or [n for n in present if n in goals] or present)[:6]
    if not chosen:
        raise ValueError("no measure to draw")
    published = any(_finite(goals.get(name, {}).get("published")) for name in chosen)
    names = [plain(row.get("model", "")) for row in rows] + ["published best"] * published
    columns = 2 if len(chosen) == 4 else min(3, len(chosen))
    lines = -(-len(chosen) // columns)
    with style():
        height = lines * (1.0 + 0.3 * len(names))
        figure = Figure(figsize=(WIDTH * min(1, 0.34 + 0.33 * columns), height))
        axes = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
        for ax, measure in zip(axes, chosen, strict=False):
            _forest_panel(ax, rows, measure, goals.get(measure) or {})
        for ax in axes[len(chosen) :]:
            ax.set_axis_off()
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def _forest_panel(
    ax: Axes, rows: Sequence[Mapping[str, Any]], measure: str, goal: Mapping[str, Any]
) -> None:
    cells = [(row.get("metrics") or {}).get(measure) or {} for row in rows]
    left, right = _window(cells, goal)
    for place, cell in enumerate(cells):
        value, low, high = (cell.get(key) for key in ("value", "low", "high"))
        colour = BLUE if place == 0 else MUTED
        if not _finite(value):
            _aside(ax, place, "–")
        elif not left <= value <= right:
            low_end = value < left
            _aside(ax, place, f"◂ {value:.3g}" if low_end else f"{value:.3g} ▸", left=low_end)
        else:
            if _finite(low) and _finite(high):
                ax.hlines(place, low, high, color=colour, lw=2.6, capstyle="round")
            ax.plot([value], [place], "o", color=colour, ms=7 if place == 0 else 5.5)
    if _finite(goal.get("published")):
        ax.plot([goal["published"]], [len(rows)], "D", color=ORANGE, ms=6)
    if _finite(goal.get("goal")):
        ax.axvline(goal["goal"], color=GREEN, ls="--", lw=1.4, zorder=1)
    about = term(measure)
    ax.set_title(_title(about.label))
    ax.set_xlabel("lower is better" if about.lower_is_better else "higher is better", fontsize=9)
    ax.set_xlim(left, right)
    ax.grid(visible=False, axis="y")
    ax.locator_params(axis="x", nbins=4)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _window(cells: Sequence[Mapping[str, Any]], goal: Mapping[str, Any]) -> tuple[float, float]:
    """The range worth showing: one hopeless baseline must not squeeze the others together."""
    keys = ("value", "low", "high")
    ours = [cells[0].get(key) for key in keys] if cells else []
    core = [x for x in (*ours, goal.get("goal"), goal.get("published")) if _finite(x)]
    every = [cell for cell in cells if _finite(cell.get("value"))]
    if core:
        reach = 4 * (max(core) - min(core)) or math.inf
        low, high = min(core) - reach, max(core) + reach
        every = [cell for cell in every if low <= cell["value"] <= high]
    shown = [*core, *(x for cell in every for key in keys if _finite(x := cell.get(key)))]
    if not shown:
        return 0.0, 1.0
    margin = 0.09 * (max(shown) - min(shown)) or 0.05
    return min(shown) - margin, max(shown) + margin


def _aside(ax: Axes, place: int, words: str, left: bool = True) -> None:
    """Words at the edge of a panel, for what has no place on its axis."""
    x, side = (0.01, "left") if left else (0.99, "right")
    across = ax.get_yaxis_transform()
    ax.text(x, place, words, transform=across, ha=side, va="center", color=MUTED, fontsize=9)


def _finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and bool(np.isfinite(value))


def score_histogram(
    labels: ArrayLike,
    scores: ArrayLike,
    classes: tuple[str, str] = ("negative", "positive"),
    bins: int = 40,
) -> Figure:
    """How many examples of either class get which score, on a logarithmic scale."""
    truth, score = _binary(labels, scores)
    edges = np.linspace(min(0.0, score.min()), max(1.0, score.max()), bins + 1).tolist()
    with style():
        figure = Figure(figsize=(WIDTH * 0.62, 3.3))
        ax = figure.subplots()
        for value, colour, name in ((0, VERMILION, classes[0]), (1, BLUE, classes[1])):
            chosen = score[truth == value]
            label = f"{plain(name)} ({chosen.size})"
            ax.hist(chosen, edges, histtype="stepfilled", color=colour, alpha=0.25)
            dash = "-" if value else "--"
            ax.hist(chosen, edges, histtype="step", color=colour, lw=1.8, ls=dash, label=label)
        ax.set(xlabel="score", ylabel="examples", yscale="log")
        ax.set_ylim(bottom=0.7)
        ax.legend(loc="upper center")
    return figure
