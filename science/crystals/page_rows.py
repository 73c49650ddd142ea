"""The structures on a command's page: their table, and the first of them to turn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from science.core.report import Report
from science.crystals import viewer
from science.crystals.account import Account, Row, pretty, space_group

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

MOST = 36  # structures to turn on one page; the table has all of them
_ROWS = 1000  # of the table on the page; the CSV has all of them
_HEADS = {
    "id": "structure",
    "n_atoms": "atoms",
    "space_group": "space group",
    "density": "density [g/cm³]",
    "decays_to": "decays to",
    "converged": "at rest",
    "matched": "matches",
    "energy": "energy [eV/atom]",
    "e_form": "formation energy [eV/atom]",
    "e_hull": "above hull [eV/atom]",
    "nearest": "nearest known",
    "rms": "RMS to it",
    "how": "made by",
}
_FIRST = ("id", "formula", "space_group", "e_hull", "e_form", "novel", "nearest", "matched", "rms")
_HIDDEN = {
    "problem",
    "file",
    "source",
    "volume_per_atom",
    "a",
    "b",
    "c",
    "alpha",
    "beta",
    "gamma",
    "species",
    "frac",
}


def table(page: Report, found: Account) -> None:
    """The table of all structures, what differs between them only."""
    frame = found.table()
    page.section("Structures")
    if not len(frame):
        page.note("There is no structure to show.")
        return
    first = [name for name in _FIRST if name in frame]
    rest = [name for name in frame if name not in {*first, *_HIDDEN}]
    shown = frame[first + rest]
    if shown["how"].nunique() < 2:
        told = next((str(how) for how in shown["how"] if how), "")
        page.text(f"How they were made: {told}." if told not in ("", "given") else "")
        shown = shown.drop(columns="how")
    if "formula" in shown:
        shown["formula"] = [pretty(f) if isinstance(f, str) else "–" for f in shown["formula"]]
    heads = {name: _HEADS.get(str(name), str(name).replace("_", " ")) for name in shown}
    said = f"The first {_ROWS} of {len(shown)} rows; all are in structures.csv."
    page.table(shown.head(_ROWS).rename(columns=heads), said if len(shown) > _ROWS else "")


def views(page: Report, found: Account) -> None:
    """The first structures, to be turned by hand."""
    pairs = zip(found.good, found.structures, strict=True)
    good = [(row, structure) for row, structure in pairs if _drawable(structure)]
    if not good:
        return
    more = f" The first {MOST} of {len(good)}; the folder has all." if len(good) > MOST else ""
    said = (
        "Drag to turn, click and roll the wheel to zoom, click two atoms for their distance and a "
        f"third for the angle. Shaded bodies are coordination polyhedra.{more}"
    )
    viewer.add(page, [_item(row, what) for row, what in good[:MOST]], said)


def _drawable(what: Structure) -> bool:
    finite = np.isfinite(what.frac_coords).all() and np.isfinite(what.lattice.matrix).all()
    return bool(finite) and abs(what.volume) > 0.1


def _item(row: Row, structure: Structure) -> viewer.Item:
    group = space_group(structure)
    formula, units = structure.composition.get_reduced_formula_and_factor()
    lines = [f"{pretty(formula)}, Z = {units:g}{', ' if group else ''}{group}"]
    hull = row.values.get("e_hull")
    if isinstance(hull, float) and math.isfinite(hull):
        side = "above" if hull > 0 else "below"
        lines.append(f"{1000 * abs(hull):.0f} meV/atom {side} the hull")
    if "novel" in row.values:
        nearest = row.values.get("nearest") or ""
        known = f"; nearest: {nearest}" if nearest else ""
        lines.append(f"{'novel' if row.values['novel'] else 'known'}{known}")
    lines += [row.how] if row.how not in ("", "given") else []
    lines += [f"Problem: {row.problem}"] if row.problem else []
    return viewer.item(row.name, structure, lines)
