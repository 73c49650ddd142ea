"""Gather all that a run's manifest says, once the run has its results."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from science.core import manifest
from science.core.datasets import card as read_card
from science.core.files import sha256
from science.core.glossary import term
from science.core.provenance import numeric
from science.core.provenance.canonical import identify
from science.core.provenance.claims import judge
from science.core.provenance.code import code
from science.core.provenance.environment import environment
from science.core.provenance.identity import byte_id, semantic_id, split_ids
from science.core.provenance.networks import noted
from science.core.provenance.schema import VERSION, parse
from science.core.provenance.secrets import clean
from science.core.provenance.store import FOLDER, Store
from science.core.recipe import Recipe

# Not results: they hold dates and costs, or are drawn from what is compared already.
_APART = ("manifest.json", "config.yaml", "report.html", "suite.json")
_FOLDERS = ("checkpoints", "figures", "history", FOLDER)
_KEPT = 10_000_000  # bytes of a user's own data that the store takes
_STREAMS = "sha256 of JSON [seed, name, ...]: science.core.seeds.derive"


def facts(
    recipe: Recipe, experiment: Mapping[str, Any], results: Mapping[str, Any]
) -> dict[str, Any]:
    """All of a manifest but its ``times`` and ``cost``."""
    config = dict(recipe.config)
    store = Store(recipe.folder)
    state, arithmetic, known = code(store), numeric.current(), data(recipe, store)
    meant = {
        "config": portable_config(config),
        "code": state["digest"],
        "data": known.get("semantic_id") or known.get("byte_id"),
        "profile": arithmetic["profile"],
    }
    taken = noted(recipe.folder)
    meant |= {"networks": taken} if taken else {}
    return {
        "schema": VERSION,
        "recipe_id": identify(meant),
        "run_id": f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}",
        "command": manifest.command(),
        "experiment": manifest.portable(dict(experiment)),
        "config": identify(portable_config(config)),
        "code": state,
        "environment": environment(),
        "packages": {n: e["version"] for n, e in environment()["distributions"].items()},
        "data": known,
        "networks": taken,
        "seed": recipe.seed,
        "streams": _STREAMS,
        "hardware": manifest.hardware() | {"flags": _flags()},
        "numeric": arithmetic,
        "results": outcome(recipe.folder, experiment, results),
    }


def checked(known: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest that agrees with its schema and holds no secret."""
    safe: dict[str, Any] = clean(dict(known))
    parse(safe)
    return safe


def outcome(
    folder: Path, experiment: Mapping[str, Any], results: Mapping[str, Any]
) -> dict[str, Any]:
    """Numbers, claims and digests of files of a finished run."""
    from science.core.rerun.expected import declared

    wanted = declared(str(experiment.get("name", "")), experiment.get("overrides") or ())
    tolerances = wanted.get("tolerances", {})
    rows = [
        {
            "model": str(row["model"]),
            "measure": str(name),
            "value": float(cell["value"]),
            **{key: cell.get(key) for key in ("low", "high", "n")},
            "lower_is_better": bool(term(str(name)).lower_is_better),
            "tolerance": tolerances.get(name),
        }
        for row in results.get("rows", [])
        for name, cell in row.get("metrics", {}).items()
        if isinstance(cell, Mapping) and isinstance(cell.get("value"), int | float)
    ]
    claims = [{"claim": text, "holds": judge(text, rows)} for text in wanted.get("claims", ())]
    return {"metrics": rows, "claims": claims, "artifacts": artifacts(folder)}


def artifacts(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that a repetition has to make again."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if name.as_posix() not in _APART and not {*name.parts[:-1]} & {*_FOLDERS} and not hidden:
            found[name.as_posix()] = _digest(path)
    return found


def _digest(path: Path) -> str:
    """SHA-256 of a file; of one that says where a user's own card lies, less that place."""
    if path.name != "learned.json":
        return sha256(path)
    known = json.loads(path.read_text(encoding="utf-8"))
    trained = known.get("trained_on", {})
    if Path(str(trained.get("card", ""))).suffix:
        trained["card"] = Path(trained["card"]).name
    return identify(known)


def portable_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config less what names a place on this machine: own cards count by their content."""
    plain = {key: value for key, value in config.items() if key not in ("title", "question")}
    section = plain.get("data")
    if isinstance(section, Mapping):
        name = str(section.get("card", ""))
        where = Path(name).name if Path(name).suffix in (".yaml", ".yml") else name
        # How many processes fetch does not change what is fetched.
        plain["data"] = {**section, "card": where, "workers": 0}
    plain.pop("record", None)
    return plain


def data(recipe: Recipe, store: Store) -> dict[str, Any]:
    """Digests of the run's data; small files of a user's own are kept."""
    name = str((recipe.config.get("data") or {}).get("card") or "")
    if not name:
        return {}
    known: dict[str, Any] = manifest.dataset(name)
    own = {f.name: f for f in read_card(name).files if f.path is not None}
    if own:
        known |= _own(name, store)
    if isinstance(known["files"], dict):
        known["byte_id"] = byte_id({k: str(v) for k, v in known["files"].items()})
    samples = recipe.data.__dict__.get("samples") if "data" in recipe.__dict__ else None
    if samples is not None:
        known["semantic_id"] = semantic_id(samples)
        known["splits"] = split_ids(samples)
    elif "data" in recipe.__dict__:
        known["semantic_id"] = semantic_id(recipe.data)
    return known


def _own(name: str, store: Store) -> dict[str, Any]:
    """Digests and copies of the files that a user's own card points to."""
    from science.core.datasets import where

    files, kept = {}, {}
    for file, path in where(name).items():
        if path is None or not path.is_file():
            continue
        files[file] = sha256(path)
        if path.stat().st_size <= _KEPT:
            kept[file] = store.put(path.read_bytes())
    return {"files": files, "kept": kept | {"card.yaml": store.put(Path(name).read_bytes())}}


def _flags() -> str | None:
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return None
    for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("flags"):
            flags = " ".join(sorted(line.partition(":")[2].split()))
            return hashlib.sha256(flags.encode()).hexdigest()
    return None
