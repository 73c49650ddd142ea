"""What domains' commands are given, files and patterns, and what they leave behind."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from science.core import manifest
from science.core.errors import UserError
from science.core.files import write_json, write_text
from science.core.report import Report

Options = Mapping[str, Any]


def facts(options: Options) -> dict[str, str]:
    """Short facts below a page's title: when, by which code, with which options."""
    code = manifest.code()
    dirty = " (changed)" if code["dirty"] else ""
    commit = f" {code['commit'][:10]}{dirty}" if code["commit"] else ""
    told = {
        "Written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Code": f"{code['version']}{commit}",
    }
    given = {name: v for name, v in options.items() if v not in (None, "", (), [], False)}
    return told | {name: _told(value) for name, value in given.items()}


def again(page: Report, options: Options) -> None:
    """The command and the options that made the page."""
    page.section("How to run this again")
    page.code(manifest.command())
    used = [{"option": name, "value": _told(value)} for name, value in options.items()]
    if used:
        page.details("Every option in force", pd.DataFrame(used))


def save(
    folder: Path,
    page: Report,
    options: Options,
    tables: Mapping[str, pd.DataFrame],
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """Write ``<name>.csv`` of each table, ``metrics.json``, ``manifest.json`` and ``report.html``.

    Raises ``UserError`` if the folder cannot be written to.
    """
    about = {"command": manifest.command(), "code": manifest.code()}
    about |= {"packages": manifest.packages(), "options": {k: str(v) for k, v in options.items()}}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            safe = re.sub(r"[^A-Za-z0-9.+-]+", "-", name)
            write_text(folder / f"{safe}.csv", table.to_csv(index=False, lineterminator="\n"))
        if metrics is not None:
            write_json(folder / "metrics.json", metrics)
        write_json(folder / "manifest.json", about)
        page.write(folder / "report.html")
    except OSError as problem:
        raise UserError(f"{folder}: {problem.strerror}", "give another folder with --out") from None


def expanded(files: Sequence[str]) -> list[Path]:
    """Paths of files and patterns, in order.

    Raises:
        UserError: a pattern fits nothing.
    """
    found: list[Path] = []
    for name in files:
        if Path(name).exists() or not glob.has_magic(name):
            found.append(Path(name))
            continue
        matching = sorted(map(Path, glob.glob(name, recursive=True)))  # noqa: PTH207 (any root)
        if not matching:
            raise UserError(f"no file fits {name}", "check the pattern, and quote it")
        found += matching
    return found


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
