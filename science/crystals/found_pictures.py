"""Pictures of crystals that were found stable: to turn, and in their phase diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from science.core import pictures
from science.crystals import figures_hull, viewer
from science.crystals.account import Account, pretty, space_group
from science.crystals.diagrams import diagrams

if TYPE_CHECKING:
    from science.crystals.account import Row

SHOWN = 12
SECTION = "Found crystals"


def keep(folder: Path, rows: Sequence[Row], name: str = "found", section: str = SECTION) -> None:
    """Keep the first crystals, each with what is known of it, and some of their phase diagrams.

    Args:
        folder: of the run.
        rows: with structures, best first; ``e_hull`` among the values.
        name: of the files.
        section: of the page.
    """
    shown = [row for row in rows if row.structure is not None][:SHOWN]
    if not shown:
        return
    said = f"The first {len(shown)} of {len(rows)}, after relaxation, lowest above the hull first."
    viewer.keep(folder, [_item(row) for row in shown], said, section, name)
    drawn = [
        (
            f"{name}-diagram-{number}",
            figures_hull.phase_diagram(one.elements, one.known, one.new),
            f"{'–'.join(one.elements)}: known compounds, and what was found, against their hull.",
        )
        for number, one in enumerate(diagrams(Account(shown))[:3])
    ]
    pictures.keep(folder, drawn, section)


def _item(row: Row) -> viewer.Item:
    structure = row.structure
    assert structure is not None  # noqa: S101 - chosen for it
    value = float(row.values["e_hull"])
    lines = [f"{abs(1000 * value):.0f} meV/atom {'above' if value > 0 else 'below'} the hull"]
    lines += [line for line in (space_group(structure), row.how) if line]
    return viewer.item(pretty(structure.composition.reduced_formula), structure, lines)
