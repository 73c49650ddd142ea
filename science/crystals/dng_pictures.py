"""Pictures of made crystals for a run's page: distributions, what they look like, what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from science.core import pictures
from science.crystals import figures, viewer
from science.crystals.account import measures, pretty, space_group
from science.crystals.validity import composition_problem, structure_problem

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

SHOWN, FAILED = 12, 8
_MOST = 2000  # structures in a histogram


def keep(
    folder: Path,
    made: Sequence[Structure],
    names: Sequence[str],
    others: Mapping[str, Sequence[Structure]],
) -> None:
    """Keep histograms against others, some crystals to turn, and some that fail, with the reason.

    Args:
        folder: of the run.
        made: our crystals.
        names: the template of each.
        others: name -> crystals; the first are the reference.
    """
    samples = {name: measures(_some(which)) for name, which in others.items()}
    first = next(iter(samples), "")
    drawn = figures.histograms({**samples, "this run": measures(_some(made))})
    caption = f"Shares of structures (of lengths and angles: of all three). Filled: {first}."
    pictures.keep(folder, [("distributions", drawn, caption)], "Made crystals")
    problems = [structure_problem(s) or composition_problem(s.composition) for s in made]
    good = [i for i, problem in enumerate(problems) if not problem]
    bad = [i for i, problem in enumerate(problems) if problem]
    few = [good[i] for i in np.linspace(0, len(good) - 1, min(SHOWN, len(good))).astype(int)]
    items = [viewer.item(*_told(made[i], f"set out from {names[i]}")) for i in few]
    if items:
        said = "As made, not relaxed; evenly chosen, not the best."
        viewer.keep(folder, items, said, "Made crystals", "made")
    failed = [viewer.item(*_told(made[i], problems[i])) for i in bad[:FAILED]]
    if failed:
        said = f"{len(bad)} of {len(made)} fail a test of validity; the first of them, and why."
        viewer.keep(folder, failed, said, "What fails", "failed")


def _told(structure: Structure, line: str) -> tuple[str, Structure, list[str]]:
    group = space_group(structure)
    name = pretty(structure.composition.reduced_formula)
    return name, structure, [line, *([group] if group else [])]


def _some(structures: Sequence[Structure]) -> list[Structure]:
    return list(structures[:: max(1, -(-len(structures) // _MOST))])
