"""Run an experiment: train, judge beside the baselines, write everything down, report."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from science import paths
from science.core import manifest
from science.core.config import build, checked
from science.core.errors import UserError
from science.core.evaluation import Binary
from science.core.files import sweep, write_json, write_text
from science.core.learned import note
from science.core.pictures import keep
from science.core.progress import narrator
from science.core.protocols import HoldOut, Outcome
from science.core.provenance.facts import checked as checked_facts
from science.core.provenance.facts import facts
from science.core.provenance.networks import watched
from science.core.recipe import Recipe

OURS = "this run"
Start = tuple[float, float, dt.datetime]  # wall clock, processor clock, date
_METRICS, _MANIFEST, _PAGE = "metrics.json", "manifest.json", "report.html"


@dataclass(frozen=True)
class Run:
    """A finished run: its folder and what was measured."""

    folder: Path
    metrics: dict[str, Any]


def run(experiment: str | Path, overrides: Sequence[str] = (), out: Path | None = None) -> Run:
    """Do what an experiment's config says and write a run folder.

    Given the folder of a run that was cut short (``out``), it goes on from its last checkpoint and
    arrives at the numbers that an unbroken run would have given. A finished run is not repeated.

    Raises:
        ConfigError: the config names something wrong; nothing has been built then.
        UserError: the folder holds another experiment's run, or data is missing.
    """
    config = checked(experiment, overrides)
    folder = Path(out) if out else _new_folder(experiment, config)
    if "suite" in config:
        return suite(config, folder)
    _open(folder, config)
    if all((folder / name).is_file() for name in (_METRICS, _MANIFEST, _PAGE)):
        return Run(folder, json.loads((folder / _METRICS).read_text(encoding="utf-8")))
    return _single(config, folder, {"name": str(experiment), "overrides": list(overrides)})


def suite(config: Mapping[str, Any], folder: Path) -> Run:
    """Run every experiment that ``config`` names under ``suite``, and put them on one page."""
    _open(folder, config)
    parts = {name: name.replace("/", "-") for name in config["suite"]}
    write_json(folder / "suite.json", {"parts": list(parts.values())})
    found = {name: run(name, out=folder / part).metrics for name, part in parts.items()}
    write_json(folder / _METRICS, {"parts": found})
    return _reported(folder, {"parts": found})


def _single(config: Mapping[str, Any], folder: Path, experiment: Mapping[str, Any]) -> Run:
    started = (time.perf_counter(), time.process_time(), dt.datetime.now(dt.UTC))
    seed = int(config["seed"])
    torch.manual_seed(seed)
    with narrator() as tell, watched(folder):
        recipe = Recipe(config, folder, tell)
        protocol = build(config["protocol"]) if config.get("protocol") else HoldOut()
        if hasattr(protocol, "measure"):
            results = protocol.measure(recipe)
            if (folder / "history").is_dir():
                _write_history(folder)
        else:
            results = judged(recipe, protocol)
    write_json(folder / _METRICS, results)
    _record(recipe, started, experiment, results)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return _reported(folder, results)


def judged(recipe: Recipe, protocol: Any) -> dict[str, Any]:
    """Train by the protocol, score beside the baselines, and write predictions and curves."""
    config, table = recipe.config, recipe.data.table
    evaluation: Binary = build(config["evaluation"]) if config.get("evaluation") else Binary()
    outcome: Outcome = protocol.run(recipe)
    truth, group = table.truth[outcome.rows], table.group[outcome.rows]
    _write_predictions(recipe, outcome)
    _write_history(recipe.folder)
    write_json(recipe.folder / "calibration.json", outcome.calibration.as_dict())
    note(recipe, outcome.members, protocol.parts(recipe), outcome.rows)
    scores = {OURS: (outcome.score, True)}
    for name, node in (config.get("baselines") or {}).items():
        if node:
            baseline = build(node)
            given = np.full(len(table), np.nan)
            for i, (learn, judge) in enumerate(protocol.parts(recipe)):
                given[judge] = baseline.scores(recipe, learn, judge, f"{name}-{i}" if i else name)
            scores[name] = (given[outcome.rows], baseline.calibrated)
    rows = []
    for subset, inside in {"": np.ones(len(truth), bool), **outcome.subsets}.items():
        for name, (score, calibrated) in scores.items():
            measured = evaluation.measure(
                truth[inside], score[inside], group[inside], calibrated=calibrated, seed=recipe.seed
            )
            label = f"{name}, {subset} rows only" if subset else name
            values = {metric: value.as_dict() for metric, value in measured.items()}
            rows.append({"model": label, "metrics": values, "note": ""})
    for name, published in evaluation.published.items():
        values = {m: {"value": v, "low": None, "high": None, "n": 0} for m, v in published.items()}
        rows.append({"model": f"{name} (published)", "metrics": values, "note": "as published"})
    _draw(recipe, outcome)
    goals = {name: dict(goal) for name, goal in evaluation.goals.items()}
    return {"rows": rows, "goals": goals, "notes": outcome.notes}


def _open(folder: Path, config: Mapping[str, Any]) -> None:
    """Claim a run's folder, or refuse one that holds something else."""
    text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
    saved = folder / "config.yaml"
    if saved.is_file() and saved.read_text(encoding="utf-8") != text:
        raise UserError(f"{folder}: holds a run of another config", "choose another --out folder")
    if not saved.is_file() and folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder}: not empty and not a run", "choose another --out folder")
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    if not saved.is_file():
        write_text(saved, text)


def _new_folder(experiment: str | Path, config: Mapping[str, Any]) -> Path:
    name = str(experiment)
    if Path(name).suffix or Path(name).is_absolute():
        name = Path(name).stem if Path(name).stem != "experiment" else Path(name).parent.name
    recipe = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:8]
    stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
    return paths.runs() / name / f"{stamp}-{recipe}"


def _write_predictions(recipe: Recipe, outcome: Outcome) -> None:
    table = recipe.data.table
    frame = pd.DataFrame(
        {
            "id": table.id[outcome.rows],
            "label": table.truth[outcome.rows].astype(int),
            "score": outcome.score,
            "spread": outcome.spread,
            "class": np.array(table.classes)[table.label[outcome.rows]],
            "group": table.group[outcome.rows],
        }
    )
    write_text(recipe.folder / "predictions.csv", frame.to_csv(index=False))


def _write_history(folder: Path) -> None:
    rows = []
    for path in sorted((folder / "history").glob("*.json")):
        rows += [[path.stem, *row] for row in json.loads(path.read_text(encoding="utf-8"))]
    frame = pd.DataFrame(rows, columns=["member", "epoch", "name", "value"])
    write_text(folder / "history.csv", frame.to_csv(index=False))


def _draw(recipe: Recipe, outcome: Outcome) -> None:
    """Let the experiment's own pictures be drawn: the nodes of its ``figures`` section."""
    nodes = {name: node for name, node in (recipe.config.get("figures") or {}).items() if node}
    pictures = (
        (f"{name}-{i}", figure, caption)
        for name, node in nodes.items()
        for i, (figure, caption) in enumerate(build(node)(recipe, outcome))
    )
    keep(recipe.folder, pictures, "What the network saw")


def _record(
    recipe: Recipe, started: Start, experiment: Mapping[str, Any], results: Mapping[str, Any]
) -> None:
    """Write the manifest; costs of an earlier, interrupted start are kept."""
    path = recipe.folder / _MANIFEST
    cost = recipe.cost
    if path.is_file():
        cost = json.loads(path.read_text(encoding="utf-8")).get("cost", {}) | cost
    times = {
        "started": started[2].isoformat(timespec="seconds"),
        "wall_s": round(time.perf_counter() - started[0], 2),
        "cpu_s": round(time.process_time() - started[1], 2),
        "training_cpu_s": round(sum(c["cpu_s"] for c in cost.values()), 2),
        "peak_memory_mb": manifest.peak_memory_mb(),
        "steps": {name: round(seconds, 2) for name, seconds in recipe.clock.items()},
    }
    known = facts(recipe, experiment, results)
    write_json(path, checked_facts(known | {"times": times, "cost": cost}))


def _reported(folder: Path, metrics: dict[str, Any]) -> Run:
    from science.core.report_run import report

    report(folder)
    return Run(folder, metrics)
