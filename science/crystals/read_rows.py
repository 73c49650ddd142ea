"""Rows of a CSV as structures: a column of CIF text, or the columns of ``read_table.SCHEMA``."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np

from science.crystals.read_entry import Entry
from science.crystals.read_formats import attempt, cif
from science.crystals.read_table import SCHEMA, atomic_numbers

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

NAMES = ("id", "material_id", "name", "row_id", "sample")


def rows(name: str, text: str, closest: float, cut: bool = False) -> Iterator[Entry]:
    """One entry for each line of the table; ``cut`` says that the last one is not whole."""
    csv.field_size_limit(2**31 - 1)
    table = csv.DictReader(StringIO(text, newline=""))
    missing = [column for column in SCHEMA if column not in (table.fieldnames or ())]
    if missing and "cif" not in (table.fieldnames or ()):
        wanted = f"give a column `cif`, or {', '.join(SCHEMA)}"
        yield Entry(name, None, f"no column {', '.join(missing)}; {wanted}")
        return
    try:
        whole = list(table)[: -1 if cut else None]
    except csv.Error as problem:
        yield Entry(name, None, f"not a CSV table: {problem}")
        return
    for number, row in enumerate(whole, start=1):
        others = {key: value for key, value in row.items() if key not in (*SCHEMA, "cif", None)}
        yield _row(row_name(name, number, row), row, closest)._replace(columns=others)


def row_name(name: str, number: int, row: Mapping[str, str]) -> str:
    """``file, row 3 (mp-149)``: where a user finds it, and what the table calls it."""
    called = next((row[key] for key in NAMES if row.get(key)), "")
    return f"{name}, row {number}" + (f" ({called})" if called else "")


def _row(name: str, row: Mapping[str, str], closest: float) -> Entry:
    if None in row or None in row.values():
        return Entry(name, None, "not as many values as the table has columns; correct the row")
    if "cif" not in row:
        return attempt(name, partial(_structure, row), closest)
    found = list(cif(name, row["cif"], closest))
    if len(found) > 1:
        return Entry(name, None, f"{len(found)} structures in one row; give each its own row")
    return found[0]


def _structure(row: Mapping[str, str]) -> Structure:
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    known = atomic_numbers()
    species = row["species"].split()
    unknown = [symbol for symbol in species if symbol not in known]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no element; correct the symbol")
    frac = np.array(row["frac"].split(), dtype=np.float64)
    if not len(species) or len(frac) != 3 * len(species):
        raise ValueError(f"{len(frac)} coordinates for {len(species)} atoms; give x y z of each")
    cell = Lattice.from_parameters(*(float(row[name]) for name in SCHEMA[:6]))
    return Structure(cell, species, frac.reshape(-1, 3))
