"""Weather: simulate years of it, train emulators, forecast, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder of the run; a killed run goes on there.")],
    years: Annotated[int, typer.Option(min=1, help="Years in all.")] = 7,
    start: Annotated[int, typer.Option(help="The first year.")] = 2001,
    seed: Annotated[int, typer.Option(help="Of the first disturbances.")] = 0,
    processes: Annotated[
        int, typer.Option(min=1, help="Independent runs at the same time that share the years.")
    ] = 1,
) -> None:
    """Run the general circulation model and keep its weather every 6 hours, as CF zarr."""
    from science.core.progress import narrator
    from science.weather.simulate_many import simulate_many

    with narrator() as tell:
        stores = simulate_many(out, years, start, seed, processes, tell)
    for store in stores:
        typer.echo(store)


@app.command()
def prepare(
    source: Annotated[str, typer.Argument(help="NetCDF, GRIB or zarr, also at an address.")],
    out: Annotated[Path, typer.Option(help="Zarr store to write.")],
    channels: Annotated[
        str | None, typer.Option(help="Comma-separated, such as z500,t850,sp; all unless given.")
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(metavar="LATSxLONS", help="Gaussian grid to bring the fields to: 32x64."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    address: Annotated[
        str | None, typer.Option(help="Scheduler of a dask cluster, tcp://HOST:8786.")
    ] = None,
) -> None:
    """Write fields as one sharded array of channels that training reads directly."""
    from science.core.errors import UserError
    from science.core.progress import narrator
    from science.weather.prepared import prepare as write

    shape = None
    if grid is not None:
        parts = grid.split("x")
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            raise UserError(f"--grid {grid}", "write rows x columns: --grid 32x64")
        shape = (int(parts[0]), int(parts[1]))
    names = channels.split(",") if channels else None
    with narrator() as tell:
        write(source, out, names, shape, workers, address, lambda n, of: tell("shards", n, of, ""))
    typer.echo(out)


@app.command()
def numerical(
    states: Annotated[
        list[Path], typer.Argument(help="States to start from: files of OUT/run0/states.")
    ],
    out: Annotated[Path, typer.Option(help="Zarr store to write; a killed run goes on there.")],
    truncation: Annotated[int, typer.Option(help="Of the model: 21 or 31.")] = 21,
    days: Annotated[int, typer.Option(min=1, help="Of each forecast.")] = 7,
    members: Annotated[
        int, typer.Option(min=1, help="1 starts at the truth, more at disturbed states.")
    ] = 1,
    size: Annotated[
        float, typer.Option(help="Of the disturbances, as a share of how two states differ.")
    ] = 0.1,
    every: Annotated[int, typer.Option(help="Hours between the leads that are kept.")] = 24,
    seed: Annotated[int, typer.Option(help="Of the disturbances.")] = 0,
) -> None:
    """Forecast by the circulation model itself, as weather services do."""
    from science.core.errors import UserError
    from science.core.progress import narrator
    from science.weather.numerical import forecasts

    if truncation not in (21, 31):
        raise UserError(f"--truncation {truncation}", "give 21 or 31")
    with narrator() as tell:
        forecasts(
            states,
            out,
            truncation,
            days,
            members,
            size,
            every,
            seed,
            lambda n, of: tell("forecasts", n, of, ""),
        )
    typer.echo(out)


Release = Annotated[str, typer.Option(help="Emulator: a release, or the folder of a run.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the results.")]


@app.command()
def forecast(
    init: Annotated[str, typer.Option(help="File with the state to start from.")],
    days: Annotated[int, typer.Option(min=1, help="How far.")] = 7,
    members: Annotated[int, typer.Option(help="Of an ensemble.")] = 1,
    time: Annotated[
        str | None, typer.Option(help="Which of the file's times; the last unless given.")
    ] = None,
    step: Annotated[float, typer.Option(help="Hours that the network takes at once.")] = 24.0,
    channels: Annotated[
        str | None, typer.Option(help="To keep, such as z500,t850; all unless given.")
    ] = None,
    release: Release = "weather/t31",
    seed: Annotated[int, typer.Option(help="Of the members' noise.")] = 0,
    out: Out = None,
) -> None:
    """Forecast the weather from any state, many members if asked; a killed forecast goes on."""
    from science.weather import commands_forecast

    options = {"days": days, "members": members, "time": time, "step": step}
    options |= {"channels": channels, "release": release, "seed": seed}
    commands_forecast.run(init, options, out)


@app.command()
def example(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("example"),
) -> None:
    """Write a state to try a forecast on, and what happened then: one layer of air."""
    from science.weather import example as examples

    for file in examples.write(out):
        typer.echo(file)


@app.command()
def verify(
    forecast: Annotated[str, typer.Argument(metavar="FORECAST", help="Store of forecasts.")],
    truth: Annotated[str, typer.Option(help="What happened: NetCDF, GRIB or zarr.")],
    history: Annotated[
        str | None, typer.Option(help="Years before, from which to learn what is usual.")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(help="To judge, such as z500,t850; all shared unless given.")
    ] = None,
    out: Out = None,
) -> None:
    """Judge forecasts against what happened, as WeatherBench 2 does."""
    from science.weather import commands_verify

    options = {"truth": truth, "history": history, "channels": channels}
    commands_verify.run(forecast, options, out)


@app.command()
def extremes(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Years of weather, or a store of forecasts.")
    ],
    channel: Annotated[str, typer.Option(help="Whose extremes, such as t850 or tp.")] = "t850",
    history: Annotated[
        str | None, typer.Option(help="Years of weather, beside forecasts: what is usual.")
    ] = None,
    truth: Annotated[
        str | None, typer.Option(help="What happened after the forecasts: calibrates them.")
    ] = None,
    above: Annotated[
        float | None, typer.Option(help="Threshold in SI units; else a local percentile.")
    ] = None,
    percentile: Annotated[
        float, typer.Option(min=50, max=99.9, help="Of the history, as the threshold.")
    ] = 95.0,
    periods: Annotated[
        str, typer.Option(help="Once in so many years, or members: comma-separated.")
    ] = "2,5,10,20,50",
    at: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="Place to look at more closely.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the resamples.")] = 0,
    out: Out = None,
) -> None:
    """Work out return levels, chances of passing a threshold and storm tracks, with their doubt."""
    from science.weather import commands_extremes

    options = {"channel": channel, "history": history, "truth": truth, "above": above}
    options |= {"percentile": percentile, "periods": periods, "at": at, "seed": seed}
    commands_extremes.run(source, options, out)
