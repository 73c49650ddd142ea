"""The page of a ladder: the figures, the tables, and what the numbers say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from science.core import command, pictures
from science.core.fragments import Measure
from science.core.glossary import term
from science.core.ladder import MAIN, Climbed, Row, Rung, Size
from science.core.ladder_figures import NAMES, along, picture
from science.core.ladder_said import said
from science.core.report import Report


def write(folder: Path, climbed: Climbed, size: Size) -> None:
    """Write the page, its figures and its tables to ``folder``."""
    row = climbed.row
    options = {"seed": size.seed, "short": size.short, "data": size.data}
    count = len(climbed.problem.ids)
    drawn = _figures(climbed)
    page = Report(row.title, row.question, command.facts(options))
    page.section("The ladder").figure(*drawn["ladder"])
    page.table([_line(rung, row, count) for rung in climbed.rungs])
    for rung in climbed.rungs:
        if rung.problem:
            page.note(f"{rung.cell.name} has no answer: {rung.problem}")
    page.section("What the numbers say", "\n".join(f"- {line}" for line in said(climbed)))
    page.text(
        "A way leads where the 95 % interval of the difference, on the same resamples, excludes "
        "zero. The best of several ways is chosen by the scores shown, which favours the side "
        "with more ways a little."
    )
    page.section("How hard it is").figure(*drawn["axis"])
    if climbed.less:
        page.section("With fewer examples").table([_less(r, row) for r in climbed.less])
    if climbed.elsewhere:
        page.section("Elsewhere than the examples are from")
        page.table([_away(r, climbed) for r in climbed.rungs if r.scores])
    page.section("What each way knows").table(
        [{"way": r.cell.name, "knows": r.cell.knows, "note": r.note} for r in climbed.rungs]
    )
    further = [v for name, v in drawn.items() if name not in ("ladder", "axis")]
    if further:
        page.section("Where they differ")
    for figure, caption in further:
        page.figure(figure, caption)
    command.again(page, options)
    tables = {"ladder": summary(climbed), "scores": scores(climbed)}
    command.save(folder, page, options, tables, _metrics(climbed.rungs))
    pictures.keep(folder, [(n, f, c) for n, (f, c) in drawn.items()], "The ladder")


def _figures(climbed: Climbed) -> dict[str, tuple[Any, str]]:
    count = len(climbed.problem.ids)
    where = f", {len(climbed.places[MAIN])} of them {climbed.main}, which are shown"
    caption = (
        f"{count} questions{where if climbed.elsewhere else ''}. Left: score against processor "
        "time, learning included; larger markers were shown more solved examples. Right: score "
        "against the number of examples; ways that are shown none are level lines. Bars are 95 % "
        f"intervals. {'Lower' if term(climbed.row.headline).lower_is_better else 'Higher'} is "
        "better."
    )
    drawn = {"ladder": (picture(climbed), caption)}
    drawn["axis"] = (along(climbed), f"Scores by {climbed.row.axis.name}.")
    further = climbed.row.figures
    extra = further(climbed.problem, climbed.answers) if further else []
    return drawn | {f"more-{i}": pair for i, pair in enumerate(extra)}


def summary(climbed: Climbed) -> pd.DataFrame:
    """One line a way and number of examples: scores where the examples are from, and costs."""
    count = len(climbed.problem.ids)
    lines = []
    for rung in [*climbed.rungs, *climbed.less]:
        line: dict[str, Any] = {"paradigm": rung.cell.paradigm, "way": rung.cell.name}
        line["examples"] = rung.examples
        for name, score in rung.scores.get(MAIN, {}).items():
            found = score.measured
            line |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        line |= {"cpu_s": round(rung.cpu_s, 3), "cpu_s_each": rung.cpu_s / count}
        line |= {"wall_s": round(rung.wall_s, 3)}
        lines.append(line | {"knows": rung.cell.knows, "note": rung.problem or rung.note})
    return pd.DataFrame(lines)


def scores(climbed: Climbed) -> pd.DataFrame:
    """One line a way, number of examples, place and measure; nothing in it depends on clocks."""
    lines = []
    for rung in [*climbed.rungs, *climbed.less]:
        way = {"paradigm": rung.cell.paradigm, "way": rung.cell.name, "examples": rung.examples}
        for place, by_measure in rung.scores.items():
            for name, score in by_measure.items():
                where = {"place": place or climbed.main, "measure": name}
                lines.append(way | where | score.measured.as_dict())
    return pd.DataFrame(lines)


def _metrics(rungs: Sequence[Rung]) -> dict[str, Any]:
    """Scores where the examples are from; those that cannot be told are left out."""
    return {
        r.cell.name: {
            name: score.measured.as_dict()
            for name, score in r.scores.get(MAIN, {}).items()
            if math.isfinite(score.measured.value)
        }
        for r in rungs
    }


def _line(rung: Rung, row: Row, count: int) -> dict[str, Any]:
    line: dict[str, Any] = {"paradigm": NAMES[rung.cell.paradigm], "way": rung.cell.name}
    line |= _cells(rung, row, MAIN)
    line["CPU [s]"] = f"{rung.cpu_s:.3g}"
    line["each [s]"] = f"{rung.cpu_s / count:.2g}"
    return line | {"examples": rung.examples}


def _less(rung: Rung, row: Row) -> dict[str, Any]:
    line: dict[str, Any] = {"way": rung.cell.name, "examples": rung.examples}
    return line | _cells(rung, row, MAIN) | {"note": rung.problem}


def _away(rung: Rung, climbed: Climbed) -> dict[str, Any]:
    line: dict[str, Any] = {"way": rung.cell.name}
    for place in [MAIN, *climbed.elsewhere]:
        cells = _cells(rung, climbed.row, place)
        line |= {f"{name}, {place or climbed.main}": value for name, value in cells.items()}
    return line


def _cells(rung: Rung, row: Row, place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in row.measures:
        score = rung.scores.get(place, {}).get(name)
        if score is not None:
            value = score.measured
            found[row.label(name)] = Measure(value.value, value.low, value.high)
    return found
