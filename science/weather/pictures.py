"""Pictures of a trial: how errors grow, what is blurred, whether the ensemble can be believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.pictures import keep
from science.core.seeds import rng
from science.core.style import DASHES, MUTED, SERIES, WIDTH, plain, style
from science.weather import metrics
from science.weather.boundary import Boundary
from science.weather.judge import Outlook
from science.weather.maps import shown, side_by_side

Made = Mapping[str, NDArray[np.float32]]  # model -> (members, starts, leads, channels, lat, lon)
_SECTION = "Forecasts"
_NOT_DRAWN = ("climatology",)  # a flat line in spectra says nothing


def draw(
    folder: Path, made: Made, outlook: Outlook, channels: tuple[str, ...], boundary: Boundary
) -> None:
    """Draw what a trial's page shows."""
    keep(folder, _pictures(made, outlook, channels, boundary), _SECTION)


def _pictures(
    made: Made, outlook: Outlook, channels: tuple[str, ...], boundary: Boundary
) -> Iterator[tuple[str, Figure, str]]:
    yield (
        "skill",
        skill(made, outlook, channels),
        ("Root mean square error and anomaly correlation by lead time, over all starts."),
    )
    if outlook.grid.circular:
        yield (
            "spectra",
            spectra(made, outlook, channels[0]),
            (
                f"{shown(channels[0])[0]}: energy at each zonal wavenumber, 30 to 60 degrees, over"
                " that of the truth. Below 1 is blur; a mean of possible weathers must be blurred,"
                " a member must not."
            ),
        )
    ensembles = {n: m for n, m in made.items() if len(m) > 1}
    if ensembles:
        yield (
            "calibration",
            calibration(ensembles, outlook, channels[0]),
            (
                "Rank of the truth among the members (flat where the ensemble can be believed), and"
                " spread over error (1 is right)."
            ),
        )
    land = boundary.statics.get("lsm")
    first = next(iter(made))
    place, leads = outlook.channels.index(channels[0]), _few(len(outlook.leads))
    columns = {
        first: [made[first][0, 0, k, place] for k in leads],
        "truth": [outlook.truth[0, k, place] for k in leads],
    }
    days = [f"day {outlook.leads[k] / 24:g}" for k in leads]
    yield (
        "maps",
        side_by_side(channels[0], outlook.grid, columns, days, land),
        (f"The first of the judged forecasts, from {outlook.time[0]}, beside the truth."),
    )


def _few(count: int, most: int = 3) -> list[int]:
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))
    return [int(i) for i in chosen]


def skill(made: Made, outlook: Outlook, channels: tuple[str, ...]) -> Figure:
    """RMSE (above) and ACC (below) of every model by lead."""
    days = np.array(outlook.leads) / 24
    few = channels[:3]
    with style():
        figure = Figure(figsize=(WIDTH * min(1.0, 0.3 + 0.35 * len(few)), 6.0))
        axes = figure.subplots(2, len(few), squeeze=False, sharex=True)
        for j, channel in enumerate(few):
            place = outlook.channels.index(channel)
            truth, usual = outlook.truth[:, :, place], outlook.climate[:, :, place]
            for number, (name, members) in enumerate(made.items()):
                mean = members[:, :, :, place].mean(0, dtype=np.float64)
                look: dict[str, Any] = {"color": SERIES[number % 7], "ls": DASHES[number % 7]}
                square = metrics.squared_error(mean, truth, outlook.grid.weight).mean(0)
                axes[0, j].plot(days, np.sqrt(square), **look, label=plain(name))
                agree = metrics.acc(mean, truth, usual, outlook.grid.weight).mean(0)
                if name not in _NOT_DRAWN:
                    axes[1, j].plot(days, agree, **look)
            axes[0, j].set(title=plain(channel), ylabel="RMSE [SI]" if not j else "")
            axes[0, j].set_ylim(bottom=0)
            axes[1, j].set(xlabel="lead [days]", ylabel="anomaly correlation" if not j else "")
        _named(figure, axes[0, 0])
    return figure


def _named(figure: Figure, ax: Axes) -> None:
    """Names of the lines below the panels, where they cover none of them."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)


def spectra(made: Made, outlook: Outlook, channel: str) -> Figure:
    """Energy by zonal wavenumber over that of the truth, at the first and a late lead."""
    place = outlook.channels.index(channel)
    leads = sorted({0, min(4, len(outlook.leads) - 1)})
    with style():
        figure = Figure(figsize=(WIDTH * 0.9, 3.8))
        axes = figure.subplots(1, len(leads), squeeze=False, sharey=True)[0]
        for ax, lead in zip(axes, leads, strict=True):
            _ratios(ax, made, outlook, lead, place)
            ax.set_title(f"day {outlook.leads[lead] / 24:g}")
        axes[0].set_ylabel("energy over the truth's")
        _named(figure, axes[0])
    return figure


def _ratios(ax: Axes, made: Made, outlook: Outlook, lead: int, place: int) -> None:
    north = outlook.grid.lat
    truth = metrics.midlatitude_spectrum(outlook.truth[:, lead, place], north).mean(0)
    top = min(21, len(truth) - 1)
    for number, (name, members) in enumerate(made.items()):
        if name not in _NOT_DRAWN:
            ours = metrics.midlatitude_spectrum(members[:, :, lead, place], north).mean((0, 1))
            look: dict[str, Any] = {"color": SERIES[number % 7], "ls": DASHES[number % 7]}
            ax.plot(np.arange(1, top + 1), (ours / truth)[1 : top + 1], **look, label=plain(name))
    ax.axhline(1, color=MUTED, lw=1)
    ax.set(xlabel="zonal wavenumber", ylim=(0, 1.6))


def calibration(ensembles: Made, outlook: Outlook, channel: str) -> Figure:
    """Rank histograms at the middle lead, and spread over error by lead."""
    place, weight = outlook.channels.index(channel), outlook.grid.weight
    middle = len(outlook.leads) // 2
    with style():
        figure = Figure(figsize=(WIDTH * 0.9, 3.2))
        left, right = figure.subplots(1, 2)
        for number, (name, members) in enumerate(ensembles.items()):
            count, colour = len(members), SERIES[number % 7]
            share = metrics.ranks(
                members[:, :, middle, place],
                outlook.truth[:, middle, place],
                weight,
                rng(0, "ranks"),
            )
            left.step(np.arange(count + 1) / count, share * (count + 1), where="mid", color=colour)
            square = metrics.squared_error(
                members[:, :, :, place].mean(0), outlook.truth[:, :, place], weight
            )
            variance = metrics.spread(members[:, :, :, place], weight)
            ratio = [
                metrics.spread_skill(variance[:, k], square[:, k], count)
                for k in range(len(outlook.leads))
            ]
            right.plot(np.array(outlook.leads) / 24, ratio, color=colour, label=plain(name))
        for ax in (left, right):
            ax.axhline(1, color=MUTED, lw=1)
            ax.set_ylim(bottom=0)
        left.set(
            title=f"rank of the truth, day {outlook.leads[middle] / 24:g}",
            xlabel="rank among the members",
            ylabel="share over even share",
        )
        right.set(title="spread over error", xlabel="lead [days]")
        right.legend(fontsize=8)
    return figure
