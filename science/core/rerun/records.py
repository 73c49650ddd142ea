"""A recorded run, read: its manifest, its config, its results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from science.core.errors import UserError
from science.core.provenance.schema import parse
from science.core.provenance.store import Store


@dataclass(frozen=True)
class Recorded:
    """A finished run on disk.

    Attributes:
        folder: of the run.
        manifest: as plain data that agrees with the schema.
        config: what the run was told to do.
    """

    folder: Path
    manifest: dict[str, Any]
    config: dict[str, Any]

    @property
    def store(self) -> Store:
        """What the run kept of its code and data."""
        return Store(self.folder)

    @property
    def values(self) -> dict[str, float]:
        """Measure -> value of the run's own model."""
        return values(self.manifest["results"]["metrics"])

    @property
    def cpu_s(self) -> float:
        """What it cost [processor seconds]."""
        return float(self.manifest["times"].get("cpu_s", 0.0))


def read(folder: str | Path) -> Recorded:
    """The run in ``folder``.

    Raises:
        UserError: there is none, it is not finished, or its manifest is of another version.
    """
    folder = Path(folder)
    if not (folder / "config.yaml").is_file():
        raise UserError(f"{folder}: holds no run", "name the folder that `fifth run` printed")
    if (folder / "suite.json").is_file():
        raise UserError(f"{folder}: a suite of several runs", "name the folder of one of them")
    if not (folder / "manifest.json").is_file():
        cure = f"finish it: fifth run {folder / 'config.yaml'} --out {folder}"
        raise UserError(f"{folder}: this run is not finished", cure)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as problem:
        said = str(problem).splitlines()[0]
        raise UserError(f"{folder}: its files are damaged: {said}", "bring the run again") from None
    parse(manifest, f"{folder / 'manifest.json'}")
    if not isinstance(config, dict):
        raise UserError(f"{folder / 'config.yaml'}: no mapping", "bring the run again")
    return Recorded(folder, manifest, config)


def values(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Measure -> value of the first model, which is the run's own."""
    first = rows[0]["model"] if rows else None
    return {row["measure"]: float(row["value"]) for row in rows if row["model"] == first}
