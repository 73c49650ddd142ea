"""The table and the plot at the end of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from science.core.glossary import term
from science.core.manifest import command
from science.core.report import Report
from science.core.style import style

_ASIDE = ("state", "folder")


def write(folder: Path, experiment: str, axes: Sequence[str], table: pd.DataFrame) -> Path:
    """Write ``report.html`` of a sweep."""
    page = Report(f"Sweep of {experiment}", f"Varied: {', '.join(axes)}.")
    failed = table[table["state"].str.startswith(("failed", "could"))]
    page.cards(
        [
            ("Recipes", len(table), "", ""),
            ("Failed", len(failed), "", "short" if len(failed) else "good"),
        ]
    )
    keys = [axis.partition("=")[0] for axis in axes]
    measures = [c for c in table.columns if c not in (*keys, *_ASIDE)]
    page.section("Results").table(
        table.rename(columns={m: term(m).label for m in measures}), "One line per recipe."
    )
    if measures and keys:
        name = measures[0]
        page.section("How it depends").figure(
            _drawn(table.dropna(subset=[name]), keys, name),
            f"{term(name).label} over each key; a point is a run, the line joins means.",
            f"{term(name).label} over the keys of the sweep.",
        )
    if len(failed):
        page.section("What failed").text(
            "\n".join(f"- {row['folder']}: {row['state']}" for _, row in failed.iterrows())
        )
    page.section("How to run this again").code(command())
    return page.write(folder / "report.html")


def _drawn(table: pd.DataFrame, keys: Sequence[str], name: str) -> Figure:
    with style():
        figure = Figure(figsize=(3.2 * len(keys) + 0.5, 2.8), layout="constrained")
        for axes, key in zip(figure.subplots(1, len(keys), squeeze=False)[0], keys, strict=True):
            numbers = pd.to_numeric(table[key], errors="coerce")
            places = numbers if numbers.notna().all() else table[key].astype(str)
            axes.plot(places, table[name], "o", alpha=0.6)
            mean = table[name].groupby(places).mean()
            axes.plot(mean.index, mean.to_numpy(), lw=1)
            axes.set(xlabel=key, ylabel=term(name).label)
    return figure
