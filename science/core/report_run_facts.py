"""What a reader needs to repeat a run: command, code, data, environment."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from science.core.fragments import code, table
from science.core.report import Report

_DATA, _PACKAGES = ("data", "data_hashes", "datasets"), ("packages", "environment")


def rerun(page: Report, manifest: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Add the command, the facts of the manifest and the whole configuration to ``page``."""
    command = manifest.get("command")
    if command:
        words = isinstance(command, list | tuple)
        page.code(shlex.join(map(str, command)) if words else str(command))
    shown = {key: value for key, value in manifest.items() if key not in ("command", "results")}
    data = {key: shown.pop(key) for key in _DATA if shown.get(key)}
    packages = {key: shown.pop(key) for key in _PACKAGES if shown.get(key)}
    if isinstance(packages.get("environment"), Mapping) and "packages" in packages:
        found = packages["environment"]  # versions are among the packages already
        packages["environment"] = {k: v for k, v in found.items() if k != "distributions"}
    if shown:
        page.table(_facts(shown), "Code, seeds, machine and cost of this run.")
    if data:
        page.table(_facts(data), "Data, with digests that name the exact bytes.")
    if packages:
        page.details("Package versions", table(_facts(packages)))
    if config:
        text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
        page.details("The whole configuration", code(text))


def _facts(tree: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Fact": name, "Value": value} for name, value in _leaves(tree)]


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        name = f"{above}{key}".replace("_", " ")
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{name} / ")
        elif value not in (None, "", [], {}):
            yield name, value if isinstance(value, str) else json.dumps(value, default=str)
