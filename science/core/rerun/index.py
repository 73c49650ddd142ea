"""All runs below a folder, in a table that can be rebuilt from their files at any time."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import yaml

from science.core.rerun.records import values
from science.core.run_files import mapping

FILE = "index.sqlite"
COLUMNS = (
    "folder",
    "run_id",
    "recipe_id",
    "experiment",
    "title",
    "started",
    "state",
    "cpu_s",
    "facts",
)
_WAIT_S = 60.0


def scan(root: str | Path) -> list[dict[str, Any]]:
    """One row for every run below ``root``, read from its files; damaged ones say so."""
    root = Path(root)
    found = [_row(root, file.parent) for file in sorted(root.rglob("config.yaml"))]
    return [row for row in found if row is not None]


def rebuild(root: str | Path) -> Path:
    """Write ``index.sqlite`` anew from the files and return its path."""
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    rows = scan(root)
    with _opened(root) as connection:
        connection.execute("DELETE FROM runs")
        connection.executemany(_INSERT, [tuple(row[c] for c in COLUMNS) for row in rows])
    return root / FILE


def add(root: str | Path, folder: str | Path) -> None:
    """Add or replace one run; any number of processes may do so at once."""
    row = _row(Path(root), Path(folder))
    if row is not None:
        with _opened(Path(root)) as connection:
            connection.execute(_INSERT, tuple(row[c] for c in COLUMNS))


def rows(root: str | Path) -> list[dict[str, Any]]:
    """What the index says, by folder; rebuilt first if there is none or it is damaged."""
    root = Path(root)
    if not (root / FILE).is_file():
        rebuild(root)
    try:
        return _all(root)
    except sqlite3.DatabaseError:
        (root / FILE).unlink()
        rebuild(root)
        return _all(root)


_INSERT = f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_TABLE = (
    f"CREATE TABLE IF NOT EXISTS runs ({COLUMNS[0]} TEXT PRIMARY KEY, {', '.join(COLUMNS[1:])})"
)


def _all(root: Path) -> list[dict[str, Any]]:
    with _opened(root) as connection:
        cursor = connection.execute("SELECT * FROM runs ORDER BY folder")
        return [dict(zip(COLUMNS, row, strict=True)) for row in cursor]


@contextlib.contextmanager
def _opened(root: Path) -> Iterator[sqlite3.Connection]:
    # A lock of our own besides SQLite's: those of network file systems are not to be relied on.
    with filelock.FileLock(root / ".lock-index", timeout=_WAIT_S):
        connection = sqlite3.connect(root / FILE, timeout=_WAIT_S)
        try:
            with connection:
                connection.execute(_TABLE)
                yield connection
        finally:
            connection.close()


def _row(root: Path, folder: Path) -> dict[str, Any] | None:
    """A run's row; None for a part of a suite's page or what is no run."""
    try:
        config = mapping(yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError):
        config = {}
    if {"release", "suite"} & set(config) or _within_trials(root, folder):
        return None
    manifest = _json(folder / "manifest.json")
    done = (folder / "metrics.json").is_file() and bool(manifest)
    rows_ = mapping(manifest.get("results")).get("metrics") or []
    return {
        "folder": folder.resolve().relative_to(root.resolve()).as_posix(),
        "run_id": str(manifest.get("run_id", "")),
        "recipe_id": str(manifest.get("recipe_id", "")),
        "experiment": str(mapping(manifest.get("experiment")).get("name", "")),
        "title": str(config.get("title", "")),
        "started": str(mapping(manifest.get("times")).get("started", "")),
        "state": "finished" if done else "unfinished",
        "cpu_s": float(mapping(manifest.get("times")).get("cpu_s") or 0.0),
        "facts": json.dumps({"metrics": values(rows_), "seed": config.get("seed")}, sort_keys=True),
    }


def _within_trials(root: Path, folder: Path) -> bool:
    return "trials" in folder.resolve().relative_to(root.resolve()).parts


def _json(path: Path) -> dict[str, Any]:
    try:
        return mapping(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}
