"""Pictures of a run, kept beside it with their captions for the report.

A picture is a drawn figure or the data of a widget: a part of the page that answers to the reader's
hand. Only the data are kept with the run; the widget itself is a function ``widget(page, data,
caption)`` in a domain's module, so that rebuilding a page runs nobody's code but ours.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from science.core.files import write_json, write_text
from science.core.report import Report, svg


def keep(folder: Path, pictures: Iterable[tuple[str, Figure, str]], section: str) -> None:
    """Write ``(name, figure, caption)`` into a run's ``figures`` folder and index them.

    What was kept before stays, unless it has the same name.
    """
    drawn = []
    for name, figure, caption in pictures:
        target = folder / "figures" / f"{name}.svg"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(svg(figure))
        drawn.append({"file": target.name, "caption": caption, "section": section})
    _index(folder, drawn)


def keep_widget(
    folder: Path, name: str, data: Any, widget: str, caption: str, section: str
) -> None:
    """Write data that ``widget``, named ``domain/module``, will show on the run's page."""
    file = f"{name}.json"
    write_text(folder / "figures" / file, json.dumps(data, allow_nan=False, sort_keys=True))
    _index(folder, [{"file": file, "widget": widget, "caption": caption, "section": section}])


def show(page: Report, widget: str, path: Path, caption: str) -> None:
    """Let ``widget`` show the data in ``path`` on ``page``.

    Raises ``ValueError`` if there is no such widget, or it cannot show such data.
    """
    if not re.fullmatch(r"[a-z_]+/[a-z_]+", widget):
        raise ValueError(f"{widget!r} is no domain/module")
    try:
        module = importlib.import_module(f"science.{widget.replace('/', '.')}")
    except ImportError as problem:
        raise ValueError(f"no widget {widget!r}") from problem
    if not callable(draw := getattr(module, "widget", None)):
        raise ValueError(f"no widget {widget!r}")
    draw(page, json.loads(path.read_text(encoding="utf-8")), caption)


def _index(folder: Path, entries: Sequence[dict[str, str]]) -> None:
    path = folder / "figures" / "index.json"
    if not entries:
        return
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    fresh = {entry["file"] for entry in entries}
    write_json(path, [old for old in before if old.get("file") not in fresh] + list(entries))
