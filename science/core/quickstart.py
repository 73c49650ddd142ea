"""The first thing to run: the quickstart of every domain, on embedded data, with one report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from science import paths
from science.core.compose import experiments
from science.core.config import checked
from science.core.errors import UserError
from science.core.glossary import term
from science.core.run import suite

NAME = "quickstart"
_SHOWN = 4  # measures that fit on a terminal


def quickstart(out: str | Path | None = None) -> Path:
    """Run every domain's ``quickstart`` experiment, print results beside baselines, and report.

    Needs no network. A run that was cut short goes on if ``out`` names its folder.

    Returns:
        The folder of the suite; its ``report.html`` covers all domains.

    Raises:
        UserError: no domain has a quickstart, or ``out`` holds something else.
    """
    names = [name for name in experiments() if name.split("/")[1:] == [NAME]]
    if not names:
        raise UserError("no experiment is called <domain>/quickstart", "install the package again")
    for name in names:
        checked(name)
    stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = Path(out) if out else paths.runs() / NAME / stamp
    config = {
        "title": "Quickstart",
        "question": "Does everything work on this machine, and what does each domain do?",
        "suite": names,
    }
    done = suite(config, folder)
    console = Console()
    for name, results in done.metrics["parts"].items():
        console.print(_results(name, results))
    _tell(console, f"report: {done.folder / 'report.html'}")
    return done.folder


def _results(name: str, results: Mapping[str, Any]) -> Grid:
    rows = results["rows"]
    measures = list(dict.fromkeys([*results.get("goals", {}), *rows[0]["metrics"]]))[:_SHOWN]
    grid = Grid("model", *(term(m).label for m in measures), title=name, title_justify="left")
    for row in rows:
        grid.add_row(row["model"], *_cells(row["metrics"], measures))
    return grid


def _cells(metrics: Mapping[str, Any], measures: list[str]) -> Iterator[str]:
    for measure in measures:
        cell = metrics.get(measure)
        if cell is None:
            yield ""
        elif cell["low"] is None:
            yield f"{cell['value']:.3f}"
        else:
            yield f"{cell['value']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"


def _tell(console: Console, line: str) -> None:
    """Print a line that a path must survive uncut."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
