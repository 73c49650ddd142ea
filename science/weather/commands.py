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
