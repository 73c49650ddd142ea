"""What `fifth weather forecast` does: start, roll out, write, show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import typer

from science import paths
from science.core.command import again, facts, save
from science.core.errors import UserError
from science.core.progress import narrator
from science.core.report import Report
from science.weather import metrics
from science.weather.forecasting import forecast
from science.weather.grid import Grid
from science.weather.maps import side_by_side, told
from science.weather.movie import movie
from science.weather.nets.emulator import Emulator
from science.weather.start import initial
from science.weather.states import channel as field_of
from science.weather.stored import LEAD

if TYPE_CHECKING:
    import xarray as xr

STORE = "forecast.zarr"
_SHOWN = ("z500", "t850", "tp", "u250", "msl", "slp", "u", "vo")


def emulator(release: str) -> Emulator:
    """The network of a release or run.

    Raises:
        UserError: it steps no weather.
    """
    from science.core.releases import load

    net = load(release).members[0].eval()
    if not isinstance(net, Emulator):
        raise UserError(f"{release}: steps no weather", "name a release such as weather/t31")
    return net


def run(init: str, options: dict[str, Any], out: Path | None) -> None:
    """Forecast from a file, into a folder with a store and a page."""
    net = emulator(options["release"])
    state, time, notes = initial(init, net, options["time"])
    name = f"{Path(init).stem}-{options['days']}d-{options['members']}m"
    folder = out or paths.runs() / "weather" / "forecasts" / name
    folder.mkdir(parents=True, exist_ok=True)
    keep = options["channels"].split(",") if options["channels"] else None
    with narrator() as tell:
        made = forecast(
            net,
            state,
            time,
            folder / STORE,
            options["days"],
            options["step"],
            options["members"],
            options["seed"],
            keep,
            lambda n, of: tell("members", n, of, ""),
        )
    page = _page(net, made, init, options, notes)
    save(folder, page, options, {"conservation": conservation(made)})
    typer.echo(f"forecast: {folder / STORE}\nreport: {folder / 'report.html'}")


def _page(
    net: Emulator, made: xr.Dataset, init: str, options: dict[str, Any], notes: list[str]
) -> Report:
    start = str(made["time"].values[0])[:16]
    members = made.sizes["member"]
    lead = f"{options['days']} days from {start} UTC" + (
        f", {members} members." if members > 1 else "."
    )
    page = Report(f"Forecast from {Path(init).name}", lead, facts(options))
    land = net.boundary.statics.get("lsm")
    chosen = [name for name in _SHOWN if _has(made, name)][:3]
    page.section("The forecast", "One member on its way; the film plays by itself.")
    for name in chosen[:2]:
        one = field_of(made.isel(time=0, member=0), name).values
        labels = [_day(x) for x in made[LEAD].values]
        page.picture(
            movie(name, Grid.of(made), {"forecast": one}, labels, land),
            f"{name}: member 0, step by step.",
            f"Animated map of {name}",
        )
    if members > 1:
        _spread(page, made, chosen, land)
    page.section(
        "What was kept", "Global means by area, and the share of points with water below zero."
    )
    page.table(conservation(made))
    if notes:
        page.section("What was done to the start", "\n".join(f"- {note}" for note in notes))
    again(page, options)
    return page


def _spread(page: Report, made: xr.Dataset, chosen: list[str], land: Any) -> None:
    page.section("How sure", "Mean of the members and their standard deviation, at the end.")
    for name in chosen[:2]:
        last = field_of(made.isel(time=0).isel({LEAD: -1}), name).values
        columns = {"mean of the members": [last.mean(0)]}
        figure = side_by_side(name, Grid.of(made), columns, ["at the end"], land)
        page.figure(figure, f"{name}: mean of {len(last)} members.")
        sizes = last.std(0, ddof=1)
        figure = side_by_side(name, Grid.of(made), {"spread": [sizes]}, ["at the end"], land, True)
        page.figure(figure, f"{name}: standard deviation of the members.")


def conservation(made: xr.Dataset) -> pd.DataFrame:
    """Global means of member 0 by lead, and the share of negative water."""
    grid = Grid.of(made)
    one = made.isel(time=0, member=0)
    rows = []
    for k, lead in enumerate(one[LEAD].values):
        row: dict[str, Any] = {"lead": _day(lead)}
        for name in ("sp", "t850", "z500", "tp"):
            if _has(made, name):
                value = field_of(one.isel({LEAD: k}), name).values
                row[f"mean {name}"] = float(metrics.area_mean(told(name, value), grid.weight))
        wet = [n for n in ("q", "q_low", "tp") if n in one]
        if wet:
            row["negative water"] = float(
                np.mean([(one[n].isel({LEAD: k}).values < 0).mean() for n in wet])
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _has(made: xr.Dataset, name: str) -> bool:
    try:
        field_of(made, name)
    except UserError:
        return False
    return True


def _day(lead: Any) -> str:
    hours = cast(np.timedelta64, lead) / np.timedelta64(1, "h")
    return f"day {hours / 24:g}" if hours % 24 == 0 else f"{hours:g} h"
