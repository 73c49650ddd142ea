"""What `fifth weather extremes` does: return levels, chances, storm tracks, and how sure all is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from science import paths
from science.core.command import again, facts, save
from science.core.errors import UserError
from science.core.report import Report
from science.weather import hazard_pictures as pictures
from science.weather import metrics, storms
from science.weather.extremes import Levels
from science.weather.grid import Grid
from science.weather.hazards import Past, Risk, is_forecast, judged_table, past, risk
from science.weather.maps import shown, told

RESAMPLES = 200
Fields = NDArray[Any]


def run(source: str, options: dict[str, Any], out: Path | None) -> None:
    """Work out extremes of years of weather or of forecasts, into a folder with maps and a page."""
    name = options["channel"]
    periods = _numbers(options["periods"], "--periods")
    forecast = is_forecast(source)
    history = options["history"] if forecast else source
    known = None if history is None else past(history, name)
    page = Report(f"Extremes of {shown(name)[0]}", f"From {Path(source).name}.", facts(options))
    tables: dict[str, pd.DataFrame] = {}
    kept: dict[str, tuple[tuple[str, ...], Fields]] = {}
    grid = None if known is None else known.grid
    if known is not None:
        levels = known.levels(periods, RESAMPLES, options["seed"])
        _levels(page, "years", name, levels, known.grid, known.land, options["at"], tables, kept)
    if forecast:
        found = _risk(page, source, name, known, periods, options, tables, kept)
        grid = found.grid
        _tracks(page, name, found, None if known is None else known.land, tables, kept)
    elif known is not None:
        one = storms.tracks(known.fields, known.time)
        page.section("Storm tracks", pictures.TRACKS)
        page.figure(pictures.tracks(name, known.grid, {"years": one}, known.land), shown(name)[0])
        kept["storm_track"] = (("lat", "lon"), one)
    again(page, options)
    folder = out or paths.runs() / "weather" / "extremes" / Path(source).stem
    save(folder, page, options, tables)
    if grid is not None:
        _maps(folder, kept, grid, periods)
    typer.echo(f"maps: {folder / 'extremes.nc'}\nreport: {folder / 'report.html'}")


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"{option} {text}", "give numbers with commas between: 2,10,50") from None


def _threshold(
    name: str, known: Past | None, options: dict[str, Any]
) -> tuple[Any, float | None, str]:
    """The threshold, its usual chance if that is known, and what to call it."""
    above, percentile = options["above"], options["percentile"]
    if above is not None:
        usual = None if known is None else float((known.fields > above).mean())
        label, unit, _, _ = shown(name)
        return above, usual, f"{label} above {told(name, np.array(above)):.4g} {unit}"
    if known is None:
        cure = "give years of weather with --history, or a number in SI units with --above"
        raise UserError("no threshold: the local percentile of what is not known", cure)
    high = np.percentile(known.fields, percentile, axis=0)
    return (
        high,
        1 - percentile / 100,
        f"{shown(name)[0]} above its local {percentile:g}th percentile",
    )


def _levels(
    page: Report,
    unit: str,
    name: str,
    levels: Levels,
    grid: Grid,
    land: Fields | None,
    at: str | None,
    tables: dict[str, pd.DataFrame],
    kept: dict[str, tuple[tuple[str, ...], Fields]],
) -> None:
    page.section(f"Passed once in so many {unit}", pictures.LEVELS[unit])
    page.figure(
        pictures.levels(name, levels, unit, grid, land), "Levels, and how far off they may be."
    )
    i, j = _place(grid, levels, at)
    where = f"{grid.lat[i]:.1f} N, {grid.lon[j] % 360:.1f} E"
    rows = zip(levels.periods, levels.level, levels.low, levels.high, strict=True)
    table = [{unit: p, "level": a[i, j], "low": b[i, j], "high": c[i, j]} for p, a, b, c in rows]
    tables[f"levels-{unit}"] = pd.DataFrame(table)
    if np.isfinite(levels.level[:, i, j]).all():
        page.figure(pictures.curve(name, levels, unit, (i, j)), f"At {where}, with 95 % intervals.")
        page.table(tables[f"levels-{unit}"].round(4), f"{where}, SI units.")
    else:
        page.note(f"At {where} there were {levels.count[i, j]} extremes: too few for a level.")
    for part in ("level", "low", "high"):
        kept[f"{unit}_{part}"] = ((f"{unit}_period", "lat", "lon"), getattr(levels, part))


def _place(grid: Grid, levels: Levels, at: str | None) -> tuple[int, int]:
    """The point asked for, or that of the highest level."""
    if at is None:
        best = np.unravel_index(np.nanargmax(levels.level[-1]), levels.level.shape[1:])
        return int(best[0]), int(best[1])
    where = _numbers(at, "--at")
    if len(where) != 2 or abs(where[0]) > 90:
        raise UserError(f"--at {at}", "give latitude and longitude in degrees: --at 52.5,13.4")
    away = np.abs((grid.lon - where[1] + 180) % 360 - 180)
    return int(np.abs(grid.lat - where[0]).argmin()), int(away.argmin())


def _risk(
    page: Report,
    source: str,
    name: str,
    known: Past | None,
    periods: list[float],
    options: dict[str, Any],
    tables: dict[str, pd.DataFrame],
    kept: dict[str, tuple[tuple[str, ...], Fields]],
) -> Risk:
    threshold, usual, label = _threshold(name, known, options)
    how = (periods, RESAMPLES, options["seed"])
    found = risk(source, name, threshold, usual, options["truth"], *how)
    land = None if known is None else known.land
    page.section("Chances", f"Share of the members with {label}; the first start.")
    page.figure(pictures.chances(found, land), label)
    kept["chance"] = (("start", "lead", "lat", "lon"), found.chance)
    if found.judged:
        tables["calibration"] = judged_table(found.judged)
        page.section("Can these chances be believed?", pictures.BELIEVED)
        page.figure(pictures.reliability(found), "What was said beside how often it happened.")
        page.table(tables["calibration"].round(4), "Brier score, its skill and its three parts.")
    else:
        page.note("Without --truth nothing tells whether these chances can be believed.")
    if found.worst is None:
        page.note("Fewer than 30 members: no distribution of their extremes.")
    else:
        at = options["at"]
        _levels(page, "members", name, found.worst, found.grid, land, at, tables, kept)
    return found


def _tracks(
    page: Report,
    name: str,
    found: Risk,
    land: Fields | None,
    tables: dict[str, pd.DataFrame],
    kept: dict[str, tuple[tuple[str, ...], Fields]],
) -> None:
    maps = {"members": np.sqrt(np.square(found.tracks).mean(0))}
    page.section("Storm tracks", pictures.TRACKS)
    if found.true is not None:
        maps["truth"] = found.true
        agree = storms.agreement(found.tracks, found.true, found.grid.weight)
        tables["storm-tracks"] = pd.DataFrame([vars(agree)])
        page.table(tables["storm-tracks"].round(4), pictures.AGREE)
    page.figure(pictures.tracks(name, found.grid, maps, land), shown(name)[0])
    for which, field in maps.items():
        kept[f"storm_track_{which}"] = (("lat", "lon"), field)
    mean = float(metrics.area_mean(maps["members"], found.grid.weight))
    page.text(f"Mean over the map: {mean:.4g} in SI units.")


def _maps(
    folder: Path,
    kept: dict[str, tuple[tuple[str, ...], Fields]],
    grid: Grid,
    periods: list[float],
) -> None:
    """All maps as one CF file."""
    import xarray as xr

    from science.core.files import atomic
    from science.weather.states import described

    arrays = {n: (dims, np.asarray(field, np.float32)) for n, (dims, field) in kept.items()}
    used = {d for dims, _ in arrays.values() for d in dims}
    coords = {f"{u}_period": periods for u in ("years", "members") if f"{u}_period" in used}
    made = described(xr.Dataset(arrays, {**coords, "lat": grid.lat, "lon": grid.lon % 360}))
    with atomic(folder / "extremes.nc") as path:
        made.to_netcdf(path, engine="netcdf4")
