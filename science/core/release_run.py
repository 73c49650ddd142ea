"""What a finished run says of itself to those who release it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from science.core.config import build
from science.core.errors import UserError
from science.core.evaluation import Binary
from science.core.learned import learned
from science.core.protocols import HoldOut
from science.core.recipe import Recipe
from science.core.release import Release

_TOLERANCE = 1e-3  # of a score, for storing weights by half
_CODE = ("version", "commit", "dirty", "digest")
_FILES = ("config.yaml", "manifest.json", "metrics.json", "members.json")


def described(folder: Path) -> dict[str, Any]:
    """What a run's files say for its release's card."""
    found = {name: _read(folder / name) for name in _FILES}
    config, manifest = found["config.yaml"], found["manifest.json"]
    known = _learned(folder, config)
    data = manifest.get("data", {}).get("files", {})
    known["trained_on"] |= {"files": data if isinstance(data, dict) else {}}
    if "classes" in known:
        known |= {"calibration": _read(folder / "calibration.json")}
    else:  # networks that make things: how they are asked is part of what they are
        known |= {section: config.get(section) for section in ("task", "protocol")}
        if (folder / "calibration.json").is_file():  # of what they measure
            known |= {"calibration": _read(folder / "calibration.json")}
    rows = [r for r in found["metrics.json"].get("rows", []) if r.get("note") != "as published"]
    return known | {
        "title": config["title"],
        "intended_use": config["question"],
        "limits": [
            "Judged only on the data named under trained_on; on other data expect less.",
            *found["metrics.json"].get("notes", []),
        ],
        "data": config["data"],
        "net": config["net"],
        "evaluation": config.get("evaluation"),
        "members": found["members.json"],
        "metrics": rows,
        "made_by": {
            "experiment": _public(manifest.get("experiment", {})),
            "seed": config["seed"],
            "code": {k: v for k, v in manifest.get("code", {}).items() if k in _CODE},
            "kernels": manifest.get("hardware", {}).get("kernels", ""),
            "torch": manifest.get("packages", {}).get("torch", ""),
        },
    }


def _public(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """The experiment without the folders of a file that is its maker's own."""
    path = Path(str(experiment.get("name", "")))
    name = path.as_posix() if path.suffix == "" else "/".join(path.parts[-2:])
    return {**experiment, "name": name}


def _learned(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    path = folder / "learned.json"
    if path.is_file():
        known: dict[str, Any] = _read(path)
        return known
    # A run of an earlier version: its config and its data say the same.
    recipe = Recipe(config, folder)
    protocol = build(config["protocol"]) if config.get("protocol") else HoldOut()
    if not hasattr(protocol, "parts"):
        cure = "its protocol must say so: science.core.learned.note"
        raise UserError(f"{folder}: no learned.json says what its networks learned from", cure)
    table, parts = recipe.data.table, protocol.parts(recipe)
    judged = pd.read_csv(folder / "predictions.csv", usecols=["id"], dtype=str)["id"]
    rows = np.flatnonzero(np.isin(table.id.astype(str), judged))
    return learned(table, str(config["data"].get("card", "")), parts, rows)


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)
    except FileNotFoundError:
        cure = "finish it with: fifth run EXPERIMENT --out FOLDER"
        raise UserError(f"{path}: no such file; the run is not finished", cure) from None
    except (ValueError, yaml.YAMLError):
        raise UserError(f"{path}: damaged", "run the experiment again") from None


def size(release: Release) -> int:
    """Bytes of all its weights."""
    every = (v for tensors in release.weights.values() for v in tensors.values())
    return sum(v.numel() * v.element_size() for v in every)


def halved(run: Release) -> Release | None:
    """The same networks with parameters as float16, or None if a score moves by more than 0.001.

    Buffers keep their range. Scores are compared on all of the run's data, and the card's own row
    of metrics is measured anew, so that it is what anyone else will find. Networks without scores
    are left as they are.
    """
    if not run.card.classes:
        return None
    parameters = {name for name, _ in run.members[0].named_parameters()}
    weights = {
        member: {k: v.half() if k in parameters else v for k, v in tensors.items()}
        for member, tensors in run.weights.items()
    }
    table = run.table(str(run.card.data["card"]))
    half = replace(run, weights=weights)
    score = half.score(table.inputs)[0]
    if np.abs(score - run.score(table.inputs)[0]).max() > _TOLERANCE:
        return None
    judged = pd.read_csv(run.folder / "predictions.csv", usecols=["id"], dtype=str)["id"]
    rows = np.flatnonzero(np.isin(table.id.astype(str), judged))
    if set(map(str, table.split[rows])) & set(run.card.trained_on["splits"]):
        return half  # the run's numbers are not those of all its networks together
    evaluation: Binary = build(run.card.evaluation) if run.card.evaluation else Binary()
    seed = int(run.card.made_by["seed"])
    found = evaluation.measure(table.truth[rows], score[rows], table.group[rows], seed=seed)
    ours = {**run.card.metrics[0], "metrics": {n: v.as_dict() for n, v in found.items()}}
    card = run.card.model_copy(update={"metrics": [ours, *run.card.metrics[1:]]})
    return replace(half, card=card)
