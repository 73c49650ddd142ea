"""Figures of light curves and their signals, drawn as astronomers are used to see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SERIES,
    SKY,
    VERMILION,
    WIDTH,
    plain,
    style,
)
from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.measure import Measurement
from science.transits.noise import spread

MOST_DOTS = 4000  # drawn at once: more add weight to the page and nothing to the eye
_CURVE = 60_000  # the same for a whole light curve: all of Kepler's four years
_SHARP = 150  # dots per inch of what is drawn as dots inside a drawing
_PPM = 1e6


def light_curve(
    lc: LightCurve,
    flat: LightCurve,
    signals: Sequence[tuple[str, Ephemeris]],
    known: Sequence[Ephemeris] = (),
) -> Figure:
    """The whole light curve, as read and flattened, with every event marked below it.

    ``signals`` are ``(name, ephemeris)``; each has its colour and its row of marks.
    """
    rows = [*signals, *([("known", None)] if known else [])]
    with style():
        figure = Figure(figsize=(WIDTH, 4.2 + 0.16 * len(rows)), dpi=_SHARP)
        heights = [1.0, 1.25, 0.08 + 0.14 * max(len(rows), 1)]
        raw, even, marks = figure.subplots(3, 1, sharex=True, height_ratios=heights)
        for ax, curve in ((raw, lc), (even, flat)):
            time, flux = _extremes(curve)
            ax.plot(time, flux, ".", ms=1.8, color=MUTED, alpha=0.5, mew=0, rasterized=True)
        raw.set(ylabel="flux", title="As read (segments divided by their medians)")
        even.set(ylabel="flux", title="Flattened")
        for row, (_, event) in enumerate(rows):
            events = known if event is None else [event]
            colour = MUTED if event is None else SERIES[row % len(SERIES)]
            if event is not None:
                inside = event.in_event(flat.time)
                look: dict[str, Any] = {"ms": 2.2, "mew": 0, "color": colour, "rasterized": True}
                even.plot(flat.time[inside], flat.flux[inside], ".", **look)
            times = np.concatenate([_observed(flat, one) for one in events])
            marks.plot(times, np.full(len(times), row), "|", ms=9, mew=1.2, color=colour)
        marks.set_yticks(range(len(rows)), [plain(name) for name, _ in rows])
        marks.set(ylim=(len(rows) - 0.4, -0.6), xlabel=_time_label(lc))
        marks.grid(visible=False)
        marks.margins(x=0.01)
    return figure


def folded(flat: LightCurve, event: Ephemeris, found: Measurement) -> Figure:
    """Four panels: the whole orbit, the transit, odd against even transits, the secondary.

    Grey dots are single points, coloured ones medians of bins with their standard errors; the depth
    scale is the same wherever a transit could be.
    """
    with style():
        figure = Figure(figsize=(WIDTH, 6.0), dpi=_SHARP)
        axes = figure.subplots(2, 2)
        orbit, transit, halves, second = axes.ravel()
        phase = event.phase(flat.time)
        _fold(orbit, phase / event.period, flat.flux, 120)
        orbit.set(title="Whole orbit", xlabel="orbital phase [periods]", ylabel="flux [ppm]")
        orbit.set_xlim(-0.5, 0.5)
        reach = min(2.5 * event.duration, 0.5 * event.period)
        near = np.abs(phase) < reach
        _fold(transit, 24 * phase[near], flat.flux[near], 45)
        transit.axhline(-_PPM * found.depth, color=VERMILION, lw=1, ls="--", zorder=1)
        transit.set(title=f"Transit, {_ppm(found.depth)} deep", xlabel=_HOURS)
        odd = event.number(flat.time) % 2 == 1
        for which, colour, name, mark in ((odd, BLUE, "odd", "o"), (~odd, ORANGE, "even", "s")):
            some = near & which
            _bins(halves, 24 * phase[some], flat.flux[some], 25, colour, mark, name)
        if near.any():
            halves.legend(loc="lower right")
        sigma = f"{found.odd_even:.1f}σ apart" if np.isfinite(found.odd_even) else "one kind only"
        halves.set(title=f"Odd and even transits, {sigma}", xlabel=_HOURS, ylabel="flux [ppm]")
        centre = found.secondary.phase if np.isfinite(found.secondary.phase) else 0.5
        shifted = event.phase(flat.time - centre * event.period)
        near = np.abs(shifted) < reach
        _fold(second, 24 * shifted[near], flat.flux[near], 45)
        title = f"Deepest other dip, phase {centre:.2f}, {found.secondary.snr:.1f}σ"
        second.set(title=title, xlabel="hours from its middle")
        _one_scale(axes.ravel(), flat, found)
    return figure


_HOURS = "hours from mid-transit"


def periodogram(periods: Floats, power: Floats, event: Ephemeris) -> Figure:
    """Signal detection efficiency against trial period, with the signal and its harmonics."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.7))
        ax = figure.subplots()
        ax.plot(periods, power, color=BLUE, lw=0.8, rasterized=len(periods) > MOST_DOTS)
        low, high = float(periods.min()), float(periods.max())
        for factor in (1 / 3, 0.5, 1, 2, 3):
            at = event.period * factor
            if low <= at <= high:
                main = factor == 1
                look: dict[str, Any] = {"color": VERMILION, "lw": 1.2 if main else 0.9, "zorder": 1}
                label = f"{event.period:.5g} d" if main else None
                ax.axvline(at, ls="-" if main else ":", label=label, **look)
        ax.set(xscale="log", xlabel="trial period [days]", ylabel="SDE", xlim=(low, high))
        _plain_log(ax)
        ax.legend(loc="upper right")
    return figure


def influence_bars(moved: Mapping[str, float], most: int = 9) -> Figure:
    """Log-odds that each input added to the score; blue towards a planet, orange away from one."""
    shown = dict(list(moved.items())[:most])
    with style():
        figure = Figure(figsize=(WIDTH * 0.85, 0.8 + 0.3 * len(shown)))
        ax = figure.subplots()
        values = list(shown.values())
        colours = [BLUE if value > 0 else VERMILION for value in values]
        ax.barh(range(len(values)), values, color=colours, height=0.62)
        ax.set_yticks(range(len(values)), [plain(name) for name in shown])
        ax.invert_yaxis()
        ax.axvline(0, color=INK, lw=1)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel("change of the score's log-odds made by this input  (right: towards planet)")
        ax.margins(x=0.08)
    return figure


def chance_histogram(scores: NDArray[Any], own: float) -> Figure:
    """Scores of random ephemerides beside the signal's own."""
    known = np.asarray(scores, float)
    known = known[np.isfinite(known)]
    with style():
        figure = Figure(figsize=(WIDTH * 0.7, 2.8))
        ax = figure.subplots()
        ax.hist(known, np.linspace(0, 1, 51).tolist(), color=SKY, label=f"{len(known)} random")
        ax.axvline(own, color=VERMILION, lw=2, label=f"this signal ({own:.3f})")
        ax.set(yscale="log", xlabel="score", ylabel="ephemerides", xlim=(0, 1))
        ax.set_ylim(bottom=0.7)
        ax.legend(loc="upper right")
    return figure


def rate_map(cells: pd.DataFrame, x: str, y: str, what: str) -> Figure:
    """A rate in cells of two quantities, with its interval and the number it rests on.

    ``cells`` has ``<x>_low``, ``<x>_high``, ``<y>_low``, ``<y>_high``, ``rate``, ``low``, ``high``
    and ``count`` (or ``injections``).
    """
    count = "injections" if "injections" in cells else "count"
    with style():
        figure = Figure(figsize=(WIDTH, 4.6))
        ax = figure.subplots()
        xs, ys = (np.unique(np.r_[cells[f"{n}_low"], cells[f"{n}_high"]]) for n in (x, y))
        grid = np.full((len(ys) - 1, len(xs) - 1), np.nan)
        for row in cells.to_dict("records"):
            i, j = np.searchsorted(ys, row[f"{y}_low"]), np.searchsorted(xs, row[f"{x}_low"])
            grid[i, j] = row["rate"]
            centre = [(row[f"{a}_low"] * row[f"{a}_high"]) ** 0.5 for a in (x, y)]
            _cell(ax, (centre[0], centre[1]), row, int(row[count]))
        mesh = ax.pcolormesh(xs, ys, np.ma.masked_invalid(grid), cmap="viridis", vmin=0, vmax=1)
        figure.colorbar(mesh, ax=ax, label=what, pad=0.02)
        ax.set(xscale="log", yscale="log", xlabel=_QUANTITY.get(x, x), ylabel=_QUANTITY.get(y, y))
        _plain_log(ax)
        ax.grid(visible=False)
    return figure


def rate_curve(curves: Mapping[str, pd.DataFrame], x: str, what: str) -> Figure:
    """Rates against one quantity with their intervals; one line per name."""
    with style():
        figure = Figure(figsize=(WIDTH * 0.8, 3.4))
        ax = figure.subplots()
        for place, (name, cells) in enumerate(curves.items()):
            some = cells[np.isfinite(cells["rate"])]
            middle = np.sqrt(some[f"{x}_low"] * some[f"{x}_high"]) * (1 + 0.03 * place)
            bars = [some["rate"] - some["low"], some["high"] - some["rate"]]
            colour = (BLUE, VERMILION, GREEN, PURPLE)[place % 4]
            fmt = ("o-", "s--", "^-.", "d:")[place % 4]
            ax.errorbar(middle, some["rate"], np.clip(bars, 0, 1), fmt=fmt, color=colour,
                        capsize=3, label=plain(name))  # fmt: skip
        ax.set(xscale="log", xlabel=_QUANTITY.get(x, x), ylabel=what, ylim=(-0.04, 1.04))
        _plain_log(ax)
        ax.legend(loc="best")
    return figure


_QUANTITY = {
    "period": "period [days]",
    "radius": "planet radius [Earth radii]",
    "expected_snr": "signal to noise that a perfect search would see",
    "snr": "signal to noise",
}


def _cell(ax: Axes, at: tuple[float, float], row: Mapping[Any, Any], count: int) -> None:
    if not count or not np.isfinite(row["rate"]):
        ax.text(at[0], at[1], "–", ha="center", va="center", color=MUTED, fontsize=8)
        return
    # Fixed colours on fixed colours: the map does not turn dark with the page.
    colour = "#ffffff" if row["rate"] < 0.6 else "#101010"
    text = f"{row['rate']:.2f}\n[{row['low']:.2f}, {row['high']:.2f}]\nn = {count}"
    ax.text(at[0], at[1], text, ha="center", va="center", color=colour, fontsize=7.5)


def _fold(ax: Axes, x: Floats, flux: Floats, count: int) -> None:
    some = _thin(len(x))
    ppm = _PPM * (flux[some] - 1)
    ax.plot(x[some], ppm, ".", ms=2.2, mew=0, color=MUTED, alpha=0.35, rasterized=True)
    _bins(ax, x, flux, count, BLUE, "o")


def _bins(
    ax: Axes, x: Floats, flux: Floats, count: int, colour: str, mark: str, name: str = ""
) -> None:
    if not len(x):
        return
    which = np.clip(((x - x.min()) / max(np.ptp(x), 1e-12) * count).astype(int), 0, count - 1)
    frame = pd.DataFrame({"x": x, "flux": _PPM * (flux - 1), "bin": which}).groupby("bin")
    size = frame["flux"].count().to_numpy()
    error = frame["flux"].std().fillna(0.0).to_numpy() / np.sqrt(size)
    look: dict[str, Any] = {"ms": 3.6, "color": colour, "elinewidth": 1, "label": name or None}
    ax.errorbar(frame["x"].mean(), frame["flux"].median(), error, fmt=mark, zorder=3, **look)


def _one_scale(axes: Sequence[Axes], flat: LightCurve, found: Measurement) -> None:
    """Deep enough for the transit and wide enough for the noise of its bins."""
    noise = spread(flat.flux) if len(flat) else 1e-4
    binned = noise / max(np.sqrt(found.points / 18), 1.0)
    deep = float(np.nan_to_num(max(found.depth, 0.0)))
    low, high = -1.35 * deep - 7 * binned, 0.35 * deep + 7 * binned
    for ax in axes:
        ax.set_ylim(_PPM * low, _PPM * high)


def _thin(count: int) -> slice:
    return slice(None, None, max(1, -(-count // MOST_DOTS)))


def _extremes(lc: LightCurve) -> tuple[Floats, Floats]:
    """Lowest, middle and highest point of every stretch of time, so that no transit is lost."""
    size = 3 * len(lc) // _CURVE
    if size < 3:
        return lc.time, lc.flux
    whole = len(lc) // size * size
    order = np.argsort(lc.flux[:whole].reshape(-1, size), axis=1)
    start = np.arange(0, whole, size)[:, None]
    index = np.r_[(start + order[:, [0, size // 2, -1]]).ravel(), np.arange(whole, len(lc))]
    index = np.sort(index)
    return lc.time[index], lc.flux[index]


def _observed(lc: LightCurve, event: Ephemeris) -> Floats:
    """Middles of the events that have data."""
    numbers = np.unique(event.number(lc.time[event.in_event(lc.time)]))
    return np.asarray(event.epoch + numbers * event.period, np.float64)


def _time_label(lc: LightCurve) -> str:
    zero = f"BJD − {lc.epoch_zero:.0f}" if lc.epoch_zero else "the file's own zero"
    return f"time [days, {zero}]"


def _ppm(depth: float) -> str:
    return f"{_PPM * depth:.0f} ppm" if abs(depth) < 0.01 else f"{100 * depth:.2f} %"


def _plain_log(ax: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_formatter(NullFormatter())


__all__ = [
    "chance_histogram",
    "folded",
    "influence_bars",
    "light_curve",
    "periodogram",
    "rate_curve",
    "rate_map",
]
