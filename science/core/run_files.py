"""The files of a run's folder, read with patience: a killed run has only some of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from science.core.provenance.secrets import clean
from science.core.report import Measure


class RunFiles:
    """What can be read of a run's folder; what cannot is remembered in ``missing``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.missing = folder, dict[str, str]()
        self.config = clean(self._read("config.yaml", yaml.safe_load))
        self.manifest = self.json("manifest.json")
        results = self.json("metrics.json")
        rows = results.get("rows")
        self.rows = [r for r in rows if isinstance(r, dict)] if isinstance(rows, list) else []
        self.goals = {
            name: goal
            for name, goal in mapping(results.get("goals")).items()
            if isinstance(goal, dict)
        }
        notes = results.get("notes")
        self.notes = [str(note) for note in notes] if isinstance(notes, list) else []

    @property
    def title(self) -> str:
        """The experiment's title, or else the folder's name."""
        return str(self.config.get("title") or self.folder.resolve().name)

    def json(self, name: str) -> dict[str, Any]:
        """The mapping in a JSON file; empty where there is none."""
        return self._read(name, json.loads)

    def _read(self, name: str, parse: Callable[[str], Any]) -> dict[str, Any]:
        path = self.folder / name
        if not path.is_file():
            if name != "suite.json":
                self.missing[name] = "not there"
            return {}
        try:
            return mapping(parse(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, yaml.YAMLError, RecursionError):
            self.missing[name] = "not readable"
            return {}

    def table(self, name: str) -> pd.DataFrame | None:
        """The table in a CSV file, or None."""
        try:
            return pd.read_csv(self.folder / name)
        except FileNotFoundError:
            self.missing[name] = "not there"
        except (OSError, ValueError):  # pandas' parser errors are ValueErrors
            self.missing[name] = "not readable"
        return None

    def pictures(self) -> Iterator[dict[str, str]]:
        """What the domain drew, section by section: file, caption, section, alt, widget.

        Names that lead out of the folder ``figures`` are not followed.
        """
        listed = self._index()
        order = list(dict.fromkeys(entry["section"] for entry in listed))
        for entry in sorted(listed, key=lambda entry: order.index(entry["section"])):
            name = entry["file"]
            if Path(name).name == name and (self.folder / "figures" / name).is_file():
                yield entry
            else:
                self.missing[f"figures/{name}"] = "not there"

    def _index(self) -> list[dict[str, str]]:
        path = self.folder / "figures" / "index.json"
        if not path.is_file():
            return []
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            entries = None
        if not isinstance(entries, list):
            self.missing["figures/index.json"] = "not readable"
            return []
        usual = {"file": "", "caption": "", "section": "Figures", "alt": "", "widget": ""}
        return [
            {key: str(entry.get(key) or other) for key, other in usual.items()}
            for entry in entries
            if isinstance(entry, dict)
        ]

    def inside(self, part: str) -> Path | None:
        """The folder ``part`` below this one, or None if there is none or it lies elsewhere."""
        root = self.folder.resolve()
        folder = (self.folder / part).resolve()
        return folder if folder.is_dir() and root in folder.parents else None


def mapping(value: object) -> dict[str, Any]:
    """``value`` with keys as text, if it is a mapping; otherwise an empty one."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def number(value: object) -> float | None:
    """``value`` if it is a finite number, else None."""
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fine else None  # type: ignore[arg-type]


def metrics(row: Mapping[str, Any]) -> dict[str, Measure]:
    """The measures of one row of ``metrics.json``; those without a finite value are left out."""
    found = {}
    for name, cell in mapping(row.get("metrics")).items():
        values = cell if isinstance(cell, dict) else {"value": cell}
        value = number(values.get("value"))
        if value is not None:
            low, high = number(values.get("low")), number(values.get("high"))
            found[name] = Measure(value, low, high)
    return found
