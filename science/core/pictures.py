"""Pictures of a run, kept beside it with their captions for the report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure

from science.core.files import write_json
from science.core.report import svg


def keep(folder: Path, pictures: Iterable[tuple[str, Figure, str]], section: str) -> None:
    """Write ``(name, figure, caption)`` into a run's ``figures`` folder and index them."""
    drawn = []
    for name, figure, caption in pictures:
        target = folder / "figures" / f"{name}.svg"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(svg(figure))
        drawn.append({"file": target.name, "caption": caption, "section": section})
    if drawn:
        write_json(folder / "figures" / "index.json", drawn)
