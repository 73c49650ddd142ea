"""From files to rows and from rows to a folder: what all commands on crystals share."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from science import paths
from science.core import command, run_files
from science.core.errors import UserError
from science.core.glossary import term
from science.core.report import Measure
from science.crystals import page, write
from science.crystals.account import Account, Row, pretty, unique

Tell = Callable[[str, int, int, str], None]
_COLUMNS = ("formula", "space_group", "energy", "e_form", "e_hull", "novel", "nearest")
_ENDINGS = r"\.(m?cif|vasp|poscar|(ext)?xyz|res|xsf)(\.(gz|bz2|xz))?$"
_MOST = 25  # rows printed; the table on disk has all


def read(files: Sequence[str], closest: float | None = None) -> Account:
    """A row for each structure in the files, and for each that could not be read.

    Raises ``UserError`` for a pattern that fits nothing.
    """
    from science.crystals import read as reader
    from science.crystals.read_entry import CLOSEST

    found = list(reader.read(command.expanded(files), CLOSEST if closest is None else closest))
    names = unique(_short(entry.name) for entry in found)
    return Account(
        [
            Row(name, entry.structure, entry.note or "given", entry.problem, {"source": entry.name})
            for name, entry in zip(names, found, strict=True)
        ]
    )


def complain(account: Account) -> None:
    """One line for each row with a problem; status 2 if no row has a structure."""
    for row in account.failures[:_MOST]:
        typer.echo(f"{'note' if row.structure else 'error'}: {row.name}: {row.problem}", err=True)
    if len(account.failures) > _MOST:
        typer.echo(f"note: {len(account.failures) - _MOST} more problems are told of", err=True)
    if not account.good:
        raise typer.Exit(2)


def folder(out: Path | None, verb: str, name: str) -> Path:
    """Where the results go: ``out``, or a folder named after what was done."""
    safe = re.sub(r"[^A-Za-z0-9.+-]+", "-", name).strip("-.")[:60]
    return out or paths.runs() / "crystals" / (f"{verb}-{safe}" if safe else verb)


def save(
    where: Path,
    story: page.Story,
    tables: Mapping[str, pd.DataFrame] | None = None,
    form: str = "cif",
) -> None:
    """Write structures, tables, metrics, manifest and page."""
    account = story.account
    try:
        facts = {row.name: _facts(row) for row in account.good}
        named = {row.name: row.structure for row in account.rows if row.structure is not None}
        files = write.save(where / "structures", named, facts, form)
    except OSError as problem:
        raise UserError(f"{where}: {problem.strerror}", "give another folder with --out") from None
    for row, file in zip(account.good, files, strict=True):
        row.values["file"] = f"structures/{file.name}"
    every = {"structures": account.table(), **(tables or {})}
    command.save(where, page.build(story), story.options, every, story.metrics)


def show(account: Account, where: Path, metrics: Mapping[str, Any] | None = None) -> None:
    """Print a short table, of measures if there are any, and where everything is."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    if metrics:
        for name, measure in run_files.metrics(metrics["rows"][0]).items():
            typer.echo(f"{term(name).label}: {_measure(measure)}")
        typer.echo(f"results: {where}\nreport: {where / 'report.html'}")
        return
    frame = account.table()
    frame = frame[frame["id"].isin([row.name for row in account.good])]
    if frame.empty:
        typer.echo(f"no structure to show\nresults: {where}\nreport: {where / 'report.html'}")
        return
    columns = [name for name in _COLUMNS if name in frame and frame[name].notna().any()]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for head in ("structure", *columns):
        table.add_column(head.replace("_", " "), no_wrap=head != "nearest")
    for row in frame.head(_MOST).to_dict("records"):
        table.add_row(row["id"], *(_cell(name, row[name]) for name in columns))
    Console(markup=False, highlight=False).print(table)
    if len(frame) > _MOST:
        typer.echo(f"{len(frame) - _MOST} more in structures.csv")
    typer.echo(f"results: {where}\nreport: {where / 'report.html'}")


@contextmanager
def told() -> Iterator[Tell]:
    """Progress of long work, without what libraries say of their own tables and plans."""
    from science.core.progress import narrator

    with warnings.catch_warnings(), narrator() as tell:
        warnings.filterwarnings("ignore", message="No Pauling electronegativity")
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="spglib")
        yield tell


def _short(name: str) -> str:
    """The last part of a path, without an ending that only says which format it was."""
    return re.sub(_ENDINGS, "", Path(name).name, flags=re.IGNORECASE) or name


def _facts(row: Row) -> dict[str, Any]:
    known = {name: value for name, value in row.values.items() if value not in (None, "")}
    return ({"how": row.how} if row.how else {}) | known


def _measure(measure: Measure) -> str:
    known = measure.low is not None and measure.high is not None
    return f"{measure.value:.4g}" + (f" [{measure.low:.4g}, {measure.high:.4g}]" if known else "")


def _cell(name: str, value: Any) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}"
    return pretty(value) if name == "formula" else str(value)
