"""Phase diagrams of the chemistries that a command's structures lie in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from science.crystals.account import Account, Row
from science.crystals.page import Diagram

_MOST = 4  # on one page
_NEARBY = 0.3  # eV/atom above the hull; what lies higher says nothing about stability


def diagrams(found: Account) -> list[Diagram]:
    """Those of two or three elements in which most rows lie; none where no energy is known."""
    rows = [row for row in found.good if math.isfinite(row.values.get("e_hull", math.nan))]
    systems = Counter(_elements(row) for row in rows if 2 <= len(_elements(row)) <= 3)
    if not systems:
        return []
    return [_diagram(elements, rows) for elements, _ in systems.most_common(_MOST)]


def known_points(elements: Sequence[str]) -> pd.DataFrame:
    """Known materials of these elements alone: ``formula, e_form, e_hull`` [eV/atom], fractions."""
    from science.crystals.known import hull_entries

    every = hull_entries()
    inside = every["formula"].str.findall("[A-Z][a-z]?").map(lambda s: set(s) <= set(elements))
    some = every[inside]
    columns = ("formula", "formation_energy_per_atom", "e_above_hull")
    rows = zip(*(some[name] for name in columns), strict=True)
    return _points(elements, rows)


def _diagram(elements: tuple[str, ...], rows: Iterable[Row]) -> Diagram:
    new = (
        (row.structure.composition.formula, row.values.get("e_form"), row.values["e_hull"])
        for row in rows
        if row.structure is not None and set(_elements(row)) <= set(elements)
    )
    judged = _points(elements, new)
    return Diagram(elements, known_points(elements), judged[judged["e_hull"] <= _NEARBY])


def _points(elements: Sequence[str], rows: Iterable[tuple[Any, Any, Any]]) -> pd.DataFrame:
    from pymatgen.core.composition import Composition

    points = []
    for formula, e_form, e_hull in rows:
        what = Composition(formula)
        share = {name: what.get_atomic_fraction(name) for name in elements}
        energies = {"e_form": float(e_form), "e_hull": float(e_hull)}
        points.append({"formula": what.reduced_formula, **energies, **share})
    return pd.DataFrame(points, columns=["formula", "e_form", "e_hull", *elements])


def _elements(row: Row) -> tuple[str, ...]:
    if row.structure is None:
        return ()
    return tuple(sorted(element.symbol for element in row.structure.composition.elements))
