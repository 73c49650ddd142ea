"""Judge a release or a run on a dataset, sample by sample."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from science.core import manifest
from science.core.config import build
from science.core.evaluation import Binary
from science.core.files import write_json, write_text
from science.core.learned import warning
from science.core.release import Release
from science.core.releases import load
from science.core.table import Table

Floats = NDArray[np.float64]
EVERYTHING = "all"


def evaluate(
    release_or_run: str | Path, dataset: str, split: str, out: str | Path
) -> dict[str, Any]:
    """Score one split of a dataset and measure the scores as the run that made the networks did.

    Writes ``metrics.json``, ``predictions.csv`` (id, label, score, spread), ``config.yaml``,
    ``manifest.json`` and ``report.html`` into ``out``, and returns what ``metrics.json`` says. Its
    notes warn where the networks have seen the very samples they are judged on.

    Args:
        release_or_run: name of a release, or the folder of one or of a finished run.
        dataset: a dataset card by name or path.
        split: ``train``, ``val`` or ``test`` as published with the data, or ``all``.
        out: folder to write to.

    Raises:
        UserError: a name is wrong, data is missing, the data lacks what the networks need, or they
            tell no classes apart.
    """
    release, folder = load(release_or_run), Path(out)
    release.need_scores()
    started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    table = release.table(dataset)
    if split != EVERYTHING:
        table = table.take(table.where(split))
    score, spread = release.score(table.inputs)
    results = _judged(release, table, score, dataset, split)
    frame = {"id": table.id, "label": table.truth.astype(int), "score": score, "spread": spread}
    write_text(folder / "predictions.csv", pd.DataFrame(frame).to_csv(index=False))
    write_json(folder / "metrics.json", results)
    write_text(folder / "config.yaml", _config(release, dataset, split))
    write_json(folder / "manifest.json", _manifest(dataset, started))
    _report(folder)
    return results


def _judged(
    release: Release, table: Table, score: Floats, dataset: str, split: str
) -> dict[str, Any]:
    node = release.card.evaluation
    evaluation: Binary = build(node) if node else Binary()
    seed = int(release.card.made_by.get("seed", 0))
    measured = evaluation.measure(table.truth, score, table.group, seed=seed)
    values = {name: value.as_dict() for name, value in measured.items()}
    notes = [
        f"{len(table):,} samples of {dataset} ({split}), {len(release.card.members)} networks."
    ]
    files = manifest.dataset(dataset)["files"]
    digests = set(files.values()) if isinstance(files, dict) else set()
    warned = warning(release.card.trained_on, release.knows(dataset), digests, split)
    if warned:
        notes.insert(0, warned)
    if table.positive != release.card.positive:
        notes.append(
            f"The scores are of the class {release.card.positive!r}; this data's positive class"
            f" is {table.positive!r}."
        )
    goals = {name: dict(goal) for name, goal in evaluation.goals.items()}
    row = {"model": _label(release), "metrics": values, "note": "not a fair test" if warned else ""}
    return {"rows": [row], "goals": goals if release.knows(dataset) else {}, "notes": notes}


def _label(release: Release) -> str:
    """A release's own name; of a folder only the last two parts, which hold no one's home."""
    return "/".join(Path(release.name).parts[-2:])


def _config(release: Release, dataset: str, split: str) -> str:
    made = release.card.made_by
    known: Mapping[str, Any] = {
        "title": f"{_label(release)} on {dataset}, {split}",
        "question": f"How well do its scores tell {release.card.positive} from the rest?",
        "seed": made.get("seed", 0),
        "release": _label(release),
        "trained_on": release.card.trained_on,
        "made_by": made,
        "data": release.card.data,
        "net": release.card.net,
        "calibration": release.card.calibration,
    }
    return yaml.safe_dump(dict(known), sort_keys=False, allow_unicode=True)


def _manifest(dataset: str, started: str) -> dict[str, Any]:
    return {
        "command": manifest.command(),
        "code": manifest.code(),
        "data": manifest.dataset(dataset),
        "hardware": manifest.hardware(),
        "packages": manifest.packages(),
        "times": {"started": started, "peak_memory_mb": manifest.peak_memory_mb()},
    }


def _report(folder: Path) -> None:
    from science.core.report_run import report

    report(folder)
