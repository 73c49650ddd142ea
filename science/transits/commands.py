"""Exoplanet transits: search light curves, vet signals, measure what a search misses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    import pandas as pd

    from science.core.report import Report
    from science.transits.chain import Findings, Judge

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES_OR_TARGET...",
        help="Light curves (FITS, CSV, npz; folders and patterns too), or stars by name such as "
        "KIC-11442793, EPIC-206103150, TIC-402026209, Kepler-90.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="Folder of the results.")]
Release = Annotated[
    str | None, typer.Option(help="Network that scores: a release or a run's folder; or `none`.")
]
Known = Annotated[
    str | None,
    typer.Option(
        metavar="TABLE",
        help="Planets that are known: a CSV with period, epoch, duration (the archive's column "
        "names work too), or `koi` for the star's entries in Kepler's table.",
    ),
]
Periods = Annotated[
    tuple[float, float] | None,
    typer.Option(metavar="MIN MAX", help="Shortest and longest period [days]."),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Processor cores to use.")]
Method = Annotated[
    Literal["tls", "bls"], typer.Option(help="Shape that is fitted: transits (tls) or boxes (bls).")
]


@app.command()
def example(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("example"),
) -> None:
    """Write a light curve to try a search on, and the planet that is in it: a simulated star."""
    from science.transits import example as examples

    for file in examples.write(out):
        typer.echo(file)


@app.command()
def search(
    sources: Sources,
    max_planets: Annotated[int, typer.Option(min=1, help="Most signals per star.")] = 10,
    method: Method = "tls",
    periods: Periods = None,
    known: Known = None,
    release: Release = None,
    threads: Threads = None,
    out: Out = None,
) -> None:
    """Search light curves for transits and score what is found."""
    from science.core import command
    from science.core.progress import narrator
    from science.transits.chain import search_stars
    from science.transits.page import search_page

    judge, why = _judge(release)
    options: dict[str, Any] = {"method": method, "max_planets": max_planets, "periods": periods}
    with narrator() as tell:
        found = search_stars(
            sources, judge=judge, known=known, tell=tell, threads=threads, **options
        )
    _complain(found)
    options |= {"known": known}
    folder = _folder(out, "search", found)
    command.save(folder, search_page(found, options, why), options, {"candidates": found.table()})
    _print(found, folder)


@app.command()
def vet(
    sources: Sources,
    period: Annotated[float | None, typer.Option(help="Of the signal [days].")] = None,
    epoch: Annotated[
        float | None, typer.Option(help="Middle of one transit, on the file's zero, or BJD.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option(help="Of a transit: days such as 0.11, or hours such as 2.7h.")
    ] = None,
    ephemerides: Annotated[
        Path | None, typer.Option(help="CSV of signals: period, epoch, duration, maybe target.")
    ] = None,
    known: Known = None,
    random: Annotated[
        int, typer.Option(min=0, help="Also rank the signal among so many random ephemerides.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the random ephemerides.")] = 0,
    release: Release = None,
    out: Out = None,
) -> None:
    """Score signals whose ephemerides are given."""
    from science.core import command
    from science.core.progress import narrator
    from science.transits.chain import vet_stars
    from science.transits.page import search_page

    given = _given(period, epoch, duration, ephemerides)
    judge, why = _judge(release)
    with narrator() as tell:
        found = vet_stars(sources, given, judge=judge, known=known, tell=tell)
    _complain(found)
    signal = {"period": period, "epoch": epoch, "duration": duration, "ephemerides": ephemerides}
    options = signal | {"known": known, "random": random, "seed": seed}
    page, tables = search_page(found, options, why), {"candidates": found.table()}
    said = _against_chance(found, judge, random, seed, page, tables) if random else []
    folder = _folder(out, "vet", found)
    command.save(folder, page, options, tables)
    _print(found, folder)
    for line in said:
        typer.echo(line)


@app.command()
def inject(
    sources: Sources,
    n: Annotated[int, typer.Option("--n", min=1, help="Planets injected into each star.")] = 20,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    periods: Periods = None,
    radii: Annotated[
        tuple[float, float], typer.Option(metavar="MIN MAX", help="Radii injected [Earth radii].")
    ] = (0.7, 12.0),
    method: Method = "bls",
    known: Known = None,
    release: Release = None,
    threads: Threads = None,
    out: Out = None,
) -> None:
    """Measure what is missed and made up: inject planets, invert and scramble light curves."""
    from science.core import command
    from science.core.progress import narrator
    from science.transits.trials import trials
    from science.transits.trials_page import trials_page

    judge, why = _judge(release)
    options: dict[str, Any] = {
        "n": n,
        "seed": seed,
        "periods": periods,
        "radii": radii,
        "method": method,
    }
    with narrator() as tell:
        done = trials(sources, judge=judge, known=known, threads=threads, tell=tell, **options)
    _complain(done)
    folder = _folder(out, "inject", done)
    options |= {"known": known}
    command.save(folder, trials_page(done, options, why), options, done.tables())
    for line in done.summary():
        typer.echo(line)
    _where(folder)


def _judge(release: str | None) -> tuple[Judge, str]:
    from science.transits.chain import judge_of

    judge, why = judge_of(release)
    if why and release is None:
        typer.echo(f"note: signals will not be scored: {why}", err=True)
    return judge, why


def _given(
    period: float | None, epoch: float | None, duration: str | None, table: Path | None
) -> Any:
    from science.core.errors import UserError
    from science.transits.ephemerides import duration_in_days
    from science.transits.lightcurve import Ephemeris

    single = (period, epoch, duration)
    if table is not None:
        if any(value is not None for value in single):
            raise UserError("both a table and a single ephemeris are given", "give one of them")
        return table
    if period is None or epoch is None or duration is None:
        cure = "give --period, --epoch and --duration, or --ephemerides TABLE"
        raise UserError("the signal's ephemeris is incomplete", cure)
    return [Ephemeris(period, epoch, duration_in_days(duration))]


def _against_chance(
    found: Findings,
    judge: Judge,
    count: int,
    seed: int,
    page: Report,
    tables: dict[str, pd.DataFrame],
) -> list[str]:
    import math

    from science.transits.page import chance_section
    from science.transits.vet import against_chance

    said = []
    for star in found.stars:
        for number, candidate in enumerate(star.candidates, 1):
            if judge.score is None or not math.isfinite(candidate.score):
                continue
            others = star.others(candidate)
            chance = against_chance(star.lc, candidate, judge.score, others, count, seed)
            tables[f"random-{star.lc.target}-{number}"] = chance
            said.append(f"{star.lc.target}: {chance_section(page, candidate, chance)}")
    return said or ["no signal has a score, so there is nothing to rank"]


def _complain(found: Any) -> None:
    """One line for each file or star that failed; status 2 if all did."""
    for failure in found.failures:
        where = "" if failure.path in failure.problem else f"{failure.path}: "
        cure = f" ({failure.cure})" if failure.cure else ""
        typer.echo(f"error: {where}{failure.problem}{cure}", err=True)
    if not found.stars:
        raise typer.Exit(2)


def _folder(out: Path | None, verb: str, found: Any) -> Path:
    from science import paths
    from science.transits.target import one_name

    return out or paths.runs() / "transits" / f"{verb}-{one_name([s.lc for s in found.stars])}"


def _print(found: Findings, folder: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from science.transits.page import lines

    heads, rows = lines(found)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, head in enumerate(heads):
        table.add_column(head, no_wrap=place < len(heads) - 1)
    for row in rows:
        table.add_row(*row)
    if rows:
        Console(markup=False, highlight=False).print(table)
    else:
        typer.echo("no signal reached the threshold")
    _where(folder)


def _where(folder: Path) -> None:
    typer.echo(f"results: {folder}\nreport: {folder / 'report.html'}")
