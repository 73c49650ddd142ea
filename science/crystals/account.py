"""What a command knows of each structure, one row each, and where it came from.

People ask for the rows more than for averages over them: which structure, made how, how far above
the hull, like which known one, and what went wrong with the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

LOOSE = 0.1  # Å, within which positions count as symmetric: predictions are not exact
FIRST = ("id", "formula", "n_atoms", "space_group", "density", "volume_per_atom")
LAST = ("how", "problem", "file", "a", "b", "c", "alpha", "beta", "gamma", "species", "frac")


@dataclass
class Row:
    """One structure, or the place where one should have been.

    Attributes:
        name: unique within the account; the name of its file.
        structure: none if it could not be read or made.
        how: how it was made, in words.
        problem: why it has no structure, or why something about it is unknown.
        values: what was measured: ``e_form``, ``e_hull``, ``novel``, ``nearest``, ``score``, ...
    """

    name: str
    structure: Structure | None = None
    how: str = ""
    problem: str = ""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Account:
    """All rows of one command, in the order in which they are to be read."""

    rows: list[Row]

    @property
    def good(self) -> list[Row]:
        """Rows that have a structure."""
        return [row for row in self.rows if row.structure is not None]

    @property
    def structures(self) -> list[Structure]:
        """Their structures."""
        return [row.structure for row in self.rows if row.structure is not None]

    @property
    def failures(self) -> list[Row]:
        """Rows with a problem, with or without a structure."""
        return [row for row in self.rows if row.problem]

    def table(self) -> pd.DataFrame:
        """One row a structure, in the schema that ``science.crystals.read`` reads again."""
        if not self.rows:
            return pd.DataFrame(columns=[*FIRST, *LAST])
        frame = pd.DataFrame([_flat(row) for row in self.rows])
        whole = [name for name in ("n_atoms", "steps") if name in frame]
        frame = frame.astype(dict.fromkeys(whole, "Int64"))  # numbers, but missing in some rows
        known = set(frame.columns)
        middle = [name for name in frame.columns if name not in {*FIRST, *LAST}]
        order = [*(n for n in FIRST if n in known), *middle, *(n for n in LAST if n in known)]
        return frame.reindex(columns=order)

    def numbers(self, name: str) -> list[float]:
        """A measured quantity of the rows that have a structure, ``nan`` where it is unknown."""
        return [_number(row.values.get(name)) for row in self.good]

    def best(self, name: str = "e_hull") -> Account:
        """The same rows, lowest value first, unknown ones last."""

        def place(row: Row) -> tuple[bool, float]:
            value = _number(row.values.get(name))
            return not np.isfinite(value), value if np.isfinite(value) else 0.0

        return Account(sorted(self.rows, key=place))


def unique(names: Iterable[str]) -> list[str]:
    """Names made different where they repeat: ``x, x`` becomes ``x, x-2``."""
    taken: set[str] = set()
    result = []
    for name in names:
        tries = itertools.chain([name], (f"{name}-{i}" for i in itertools.count(2)))
        result.append(next(one for one in tries if one not in taken))
        taken.add(result[-1])
    return result


def measures(structures: Sequence[Structure]) -> dict[str, list[float]]:
    """What histograms compare: density, elements, atoms, volume per atom, lengths and angles."""
    lattices = [structure.lattice for structure in structures]
    return {
        "density": [float(structure.density) for structure in structures],
        "elements": [float(len(structure.composition)) for structure in structures],
        "volume": [float(s.volume) / len(s) for s in structures],
        "atoms": [float(len(structure)) for structure in structures],
        "length": [float(x) for lattice in lattices for x in lattice.abc],
        "angle": [float(x) for lattice in lattices for x in lattice.angles],
    }


def space_group(structure: Structure, tolerance: float = LOOSE) -> str:
    """Symbol and number such as ``Pm-3m (221)``; empty where spglib finds none."""
    try:
        symbol, number = structure.get_space_group_info(symprec=tolerance)
    except (TypeError, ValueError):  # also what pymatgen makes of spglib's failures
        return ""
    return f"{symbol} ({number})"


def _flat(row: Row) -> dict[str, Any]:
    from science.crystals import write

    flat: dict[str, Any] = {"id": row.name}
    if row.structure is not None:
        site_table = write.table({row.name: row.structure}).to_dict("records")[0]
        flat |= {str(key): value for key, value in site_table.items()}
        flat |= {
            "formula": row.structure.composition.reduced_formula,
            "space_group": space_group(row.structure),
            "density": round(float(row.structure.density), 4),
            "volume_per_atom": round(row.structure.volume / len(row.structure), 4),
        }
    return flat | _scalars(row.values) | {"how": row.how, "problem": row.problem}


def _scalars(values: Mapping[str, Any]) -> dict[str, Any]:
    plain = str | int | float | bool | np.generic | None
    return {name: value for name, value in values.items() if isinstance(value, plain)}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def pretty(formula: str) -> str:
    """A formula as chemists print it: ``SrTiO3`` with its 3 below the line."""
    return formula.translate(_LOW)
