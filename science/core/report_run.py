"""The page of a run or a suite, rebuilt from the files in its folder and nothing else.

A run that was killed has only some of them; the page then says which are missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from science.core import figures, pictures
from science.core.errors import UserError
from science.core.glossary import reached, term
from science.core.report import Measure, Report
from science.core.report_run_facts import rerun
from science.core.run_files import RunFiles, mapping, metrics, number

PAGE = "report.html"
_READ = (
    "A number with a known uncertainty has its 95\u00a0% interval in brackets: if the "
    "same work were repeated on another sample of the same kind, most results would fall "
    "inside it. Two models whose intervals overlap widely have not been shown to differ.\n\n"
    "The first row of a results table is this run's model. The others are baselines measured in "
    "the same run on the same examples. At the foot stand the best published value and the goal."
)


def report(run: str | Path) -> Path:
    """Write ``report.html`` into the folder of a run or a suite and return its path.

    Raises ``UserError`` if ``run`` is not the folder of either.
    """
    folder = Path(run)
    if not folder.is_dir():
        raise UserError(f"{run}: no such run", "give the folder that `fifth run` wrote")
    files = RunFiles(folder)
    parts = files.json("suite.json").get("parts")
    known = ("config.yaml", "manifest.json", "metrics.json", "history.csv", "predictions.csv")
    if parts is None and not any((folder / name).exists() for name in known):
        raise UserError(f"{run}: not a run's folder", f"it holds none of {', '.join(known)}")
    if parts is None:
        page = _opened(files)
        _headline(page, files)
        _body(page, files, level=2)
    else:
        page = _suite(files, [str(part) for part in parts])
    _how_to_read(page, _measures_of(files, parts))
    return page.write(folder / PAGE)


def _opened(files: RunFiles) -> Report:
    facts = files.manifest
    code, times = mapping(facts.get("code")), mapping(facts.get("times"))
    meta = {
        "Run": files.folder.resolve().name,
        "Started": facts.get("started") or times.get("started"),
        "Seed": files.config.get("seed"),
        "Code": code.get("version") or facts.get("version"),
    }
    shown = {name: str(value) for name, value in meta.items() if value not in (None, "")}
    return Report(files.title, str(files.config.get("question") or ""), shown)


def _headline(page: Report, files: RunFiles) -> None:
    if not files.rows:
        return
    ours = metrics(files.rows[0])
    chosen = [name for name in files.goals if name in ours] or list(ours)[:4]
    page.cards([_card(name, ours[name], files.goals.get(name, {})) for name in chosen])


def _card(name: str, measure: Measure, goal: Mapping[str, Any]) -> tuple[str, Measure, str, str]:
    words, state = [], ""
    wanted = number(goal.get("goal"))
    if wanted is not None:
        good = reached(name, measure.value, wanted)
        words.append(f"goal {_sign(name)} {wanted:g}: {'reached' if good else 'not reached'}")
        state = "good" if good else "short"
    published = number(goal.get("published"))
    if published is not None:
        words.append(f"published best {published:g}")
    return term(name).label, measure, "\n".join(words), state


def _sign(name: str) -> str:
    return "≤" if term(name).lower_is_better else "≥"


def _body(page: Report, files: RunFiles, level: int) -> None:
    """All sections of one run; they are parts of the section above when ``level`` is 3."""
    sections = (_results, _domain_figures, _learning, _scores)
    for section in sections:
        section(page, files, level)
    page.section("How to run this again", level=level)
    rerun(page, files.manifest, files.config)
    _missing(page, files)


def _results(page: Report, files: RunFiles, level: int) -> None:
    page.section("Results", level=level)
    if not files.rows:
        page.note("There are no results: the run ended before its evaluation.")
        return
    rows, footer = _results_rows(files)
    page.table(rows, _sizes(files), highlight="ours", footer=footer)
    for note in files.notes:
        page.text(note)
    plain_rows = [{**row, "metrics": mapping(row.get("metrics"))} for row in files.rows]
    if any(map(metrics, files.rows)):
        page.figure(
            figures.forest(plain_rows, files.goals),
            "Each model with its 95\u00a0% interval. Blue: this run; grey: baselines; orange "
            "diamond: best published value; green dashed line: the goal.",
            "The numbers of the results table drawn side by side.",
        )


def _results_rows(files: RunFiles) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows = []
    noted = any(row.get("note") for row in files.rows)
    for place, row in enumerate(files.rows):
        found = metrics(row)
        order = [*(name for name in files.goals if name in found), *found]  # what is sought first
        cells = {term(name).label: found[name] for name in order}
        note = {"Note": str(row.get("note") or "")} if noted else {}
        rows.append({"ours": place == 0, "Model": str(row.get("model", "")), **cells, **note})
    footer: list[dict[str, Any]] = []
    best = {n: number(g.get("published")) for n, g in files.goals.items()}
    published = {term(n).label: v for n, v in best.items() if v is not None}
    if published:
        sources = dict.fromkeys(str(g["source"]) for g in files.goals.values() if g.get("source"))
        name = "Published best" + (f" ({'; '.join(sources)})" if sources else "")
        footer.append({"Model": name, **published})
    wanted = {n: number(g.get("goal")) for n, g in files.goals.items()}
    limits = {term(n).label: f"{_sign(n)} {v:g}" for n, v in wanted.items() if v is not None}
    if limits:
        footer.append({"Model": "Goal", **limits})
    return rows, footer


def _sizes(files: RunFiles) -> str:
    counts = {
        cell["n"]
        for row in files.rows
        for cell in mapping(row.get("metrics")).values()
        if isinstance(cell, dict) and isinstance(cell.get("n"), int)
    }
    if len(counts) != 1:
        return "Results with 95\u00a0% intervals."
    return f"Results on {counts.pop():,} examples, with 95\u00a0% intervals."


def _domain_figures(page: Report, files: RunFiles, level: int) -> None:
    heading = None
    for entry in files.pictures():
        if heading != (heading := entry["section"]):
            page.section(heading, level=level)
        path = files.folder / "figures" / entry["file"]
        try:
            if entry["widget"]:
                pictures.show(page, entry["widget"], path, entry["caption"])
            else:
                page.picture(path.read_bytes(), entry["caption"], entry["alt"])
        except (OSError, ValueError):
            kind = "set of data for a known widget" if entry["widget"] else "SVG or PNG"
            files.missing[f"figures/{entry['file']}"] = f"not a readable {kind}"


def _learning(page: Report, files: RunFiles, level: int) -> None:
    if "release" in files.config:
        return  # an evaluation trains nothing
    history = files.table("history.csv")
    if history is None:
        return
    try:
        drawn = figures.learning_curves(history)
    except (ValueError, TypeError, KeyError):
        files.missing["history.csv"] = "holds nothing to draw"
        return
    page.section("How it learned", level=level).figure(
        drawn,
        "One panel per measure, over passes through the training data. Where the validation "
        "curve turns while the training curve goes on, the net has begun to memorise.",
        "Learning curves for training and validation.",
    )


def _scores(page: Report, files: RunFiles, level: int) -> None:
    frame = files.table("predictions.csv")
    if frame is None or not {"label", "score"} <= set(frame.columns):
        return  # other kinds of task have predictions of another form
    frame = frame[["label", "score"]].apply(pd.to_numeric, errors="coerce").dropna()
    labels, scores = frame["label"].to_numpy(), frame["score"].to_numpy()
    if not len(labels) or not set(labels) <= {0, 1} or scores.min() < 0 or scores.max() > 1:
        return
    page.section("Scores and calibration", level=level)
    if len(set(labels)) == 2:
        page.figure(
            figures.roc_pr({"this run": (labels, scores)}),
            "Left: positives found against negatives let through. Right: purity of the list "
            "against the share of positives found. Both are better the closer to the corner.",
            "ROC and precision-recall curves of this run.",
        )
    page.figure(
        figures.reliability(labels, scores),
        "Do scores mean what they say? Points on the diagonal do: of the examples scored 0.8, "
        "80\u00a0% are positive. Below: how many examples got which score.",
        "Reliability diagram with the number of examples per bin.",
    )
    page.figure(
        figures.score_histogram(labels, scores),
        "Scores of both classes; note the logarithmic scale. The less they overlap, the better.",
        "Histogram of scores per class.",
    )


def _missing(page: Report, files: RunFiles) -> None:
    if files.missing:
        lines = "\n".join(f"- {name}: {why}" for name, why in sorted(files.missing.items()))
        page.note(f"Some of this run's files are missing, so the page is not whole.\n\n{lines}")


def _suite(files: RunFiles, parts: list[str]) -> Report:
    page = _opened(files)
    runs = {part: RunFiles(folder) for part in parts if (folder := files.inside(part))}
    rows = [row for run in runs.values() for row in _summary(run)]
    if rows:
        page.section("At a glance").table(rows, "Every part's own model against its goals.")
    for part in parts:
        if part not in runs:
            page.section(part).note(f"The part {part} has no folder: it has not run, or failed.")
            continue
        run = runs[part]
        page.section(run.title, str(run.config.get("question") or ""))
        _headline(page, run)
        _body(page, run, level=3)
    return page


def _summary(run: RunFiles) -> Iterator[dict[str, Any]]:
    ours = metrics(run.rows[0]) if run.rows else {}
    for name in [n for n in run.goals if n in ours] or list(ours)[:2]:
        goal = run.goals.get(name, {})
        wanted, published = number(goal.get("goal")), number(goal.get("published"))
        yield {
            "Part": run.title,
            "Measure": term(name).label,
            "This run": ours[name],
            "Published best": published,
            "Goal": wanted,
            "Reached": None if wanted is None else reached(name, ours[name].value, wanted),
        }


def _measures_of(files: RunFiles, parts: Any) -> list[str]:
    folders = [files.inside(str(part)) for part in parts or []]
    runs = [files] + [RunFiles(folder) for folder in folders if folder]
    names = [name for run in runs for row in run.rows for name in metrics(row)]
    return list(dict.fromkeys(names))


def _how_to_read(page: Report, measures: list[str]) -> None:
    page.section("How to read this page", _READ)
    known = {term(name).label: term(name).meaning for name in measures}
    lines = [f"- {label}: {meaning}" for label, meaning in known.items() if meaning]
    if lines:
        page.text("\n".join(lines))
