"""What `fifth weather verify` does: scores by lead, and pictures of where a forecast went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer
from matplotlib.figure import Figure

from science import paths
from science.core.command import again, facts, save
from science.core.report import Report
from science.core.seeds import rng
from science.core.style import MUTED, SERIES, WIDTH, plain, style
from science.weather import metrics
from science.weather.movie import movie
from science.weather.verify import Pair, opened, pairs, scores


def run(store: str, options: dict[str, Any], out: Path | None) -> None:
    """Judge a store of forecasts, into a folder with tables and a page."""
    names = options["channels"].split(",") if options["channels"] else None
    found = pairs(opened(store), options["truth"], names, options["history"])
    table = pd.concat([scores(pair) for pair in found], ignore_index=True)
    name = Path(store).resolve().parent.name if Path(store).stem == "forecast" else Path(store).stem
    folder = out or paths.runs() / "weather" / "verified" / name
    save(folder, _page(store, found, table, options), options, {"scores": table})
    typer.echo(printed(table))
    typer.echo(f"report: {folder / 'report.html'}")


def printed(table: pd.DataFrame) -> str:
    """Scores for a terminal: four digits that count, since vorticity is a millionth of height."""
    return table.to_string(index=False, float_format="{:.4g}".format)


def _page(store: str, found: list[Pair], table: pd.DataFrame, options: dict[str, Any]) -> Report:
    first = found[0]
    count = f"{len(first.members)} member{'s' * (len(first.members) > 1)}"
    page = Report(
        f"Verification of {Path(store).name}",
        f"{count}, beside {Path(options['truth']).name}.",
        facts(options),
    )
    page.section("Scores", "As WeatherBench 2 defines them; SI units.")
    page.table(table)  # not rounded: vorticity errs by millionths
    if first.usual is None:
        page.note("Without --history there is no climatology: no anomaly correlation, no skill.")
    page.section("Forecast and truth", "One member beside what happened.")
    for pair in found[:2]:
        leads = [k for k in range(len(pair.leads)) if pair.known(k)[0]]
        films = {"forecast": pair.members[0, 0, leads], "truth": pair.truth[0, leads]}
        labels = [f"{pair.leads[k] / np.timedelta64(24, 'h'):g} days" for k in leads]
        if leads:
            film = movie(pair.name, pair.grid, films, labels)
            page.picture(film, f"{pair.name}, member 0.", f"Animated maps of {pair.name}")
    for pair in found[:1]:
        page.section("Energy and ranks")
        page.figure(_spectra(pair), f"{pair.name}: zonal spectra, 30 to 60 degrees.")
        if len(pair.members) > 1:
            page.figure(_ranks(pair), f"{pair.name}: rank of the truth; flat is calibrated.")
    again(page, options)
    return page


def _last(pair: Pair) -> int:
    return max(k for k in range(len(pair.leads)) if pair.known(k).any())


def _spectra(pair: Pair) -> Figure:
    lead = _last(pair)
    known = pair.known(lead)
    with style():
        figure = Figure(figsize=(WIDTH * 0.62, 3.3))
        ax = figure.subplots()
        for number, (name, fields) in enumerate(
            {"forecast": pair.members[:, known, lead], "truth": pair.truth[known, lead]}.items()
        ):
            energy = metrics.midlatitude_spectrum(fields, pair.grid.lat)
            energy = energy.reshape(-1, energy.shape[-1]).mean(0)
            ax.loglog(np.arange(1, len(energy)), energy[1:], color=SERIES[number], label=name)
        days = pair.leads[lead] / np.timedelta64(24, "h")
        ax.set(
            title=plain(f"{pair.name}, day {days:g}"), xlabel="zonal wavenumber", ylabel="energy"
        )
        ax.legend()
    return figure


def _ranks(pair: Pair) -> Figure:
    lead = _last(pair)
    known = pair.known(lead)
    members, truth = pair.members[:, known, lead], pair.truth[known, lead]
    share = metrics.ranks(members, truth, pair.grid.weight, rng(0, "ranks"))
    with style():
        figure = Figure(figsize=(WIDTH * 0.62, 3.0))
        ax = figure.subplots()
        ax.bar(np.arange(len(share)), share * len(share), width=0.9, color=SERIES[0])
        ax.axhline(1, color=MUTED, lw=1)
        ax.set(xlabel="members below the truth", ylabel="share over even share")
    return figure
