"""Has anybody seen this crystal before: by formula and space group, and by matching structures.

A list of names without coordinates can only say that a formula in a space group is known, so its
word is taken even where the structures might differ: novelty is the claim that has to be earned.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from science.crystals import known, read
from science.crystals.crystal_table import CrystalTable, Floats
from science.crystals.matcher import Reduced, Tolerances, reduce, rms
from science.crystals.read_table import atomic_numbers

if TYPE_CHECKING:
    from pymatgen.core.composition import Composition
    from pymatgen.core.structure import Structure

SAME = Tolerances(ltol=0.2, stol=0.3, angle_tol=5.0)  # pymatgen's defaults, as others judge by
SYMMETRY = 0.1  # Angstrom, for the space group of a relaxed structure
_PART = re.compile(r"([A-Z][a-z]?)(\d*)")
MOST = 60  # structures of one formula to compare with


class Novelty(NamedTuple):
    """What is known of a structure.

    Attributes:
        kind: ``new composition``, ``new structure`` (of a known formula), or ``known``.
        nearest: name of the best match, or of a known crystal with this formula; else empty.
        formula: of that crystal.
        rms: its distance in units of (V / N)^(1/3); ``nan`` if it does not match.
    """

    kind: str
    nearest: str = ""
    formula: str = ""
    rms: float = float("nan")

    @property
    def novel(self) -> bool:
        """Nobody has seen it."""
        return self.kind != "known"


class Known:
    """Structures and names to compare with.

    Args:
        structures: ``(name, structure)`` pairs.
        index: ``(formula, space group number)`` pairs without coordinates.
        formulas: compositions of which every structure counts as known.
    """

    def __init__(
        self,
        structures: Iterable[tuple[str, Structure]] = (),
        index: Iterable[tuple[str, int]] = (),
        formulas: Iterable[str] = (),
    ) -> None:
        self._rows: dict[str, list[tuple[str, Structure | CrystalTable]]] = defaultdict(list)
        self._reduced: dict[str, list[Reduced]] = {}
        self._index: dict[str, set[int]] = defaultdict(set)
        self._formulas = {_key(counts(formula)) for formula in formulas}
        self.add(structures)
        for formula, group in index:
            self._index[_key(counts(formula))].add(int(group))

    @classmethod
    def cards(
        cls,
        cards: Sequence[str] = ("crystals/mp-20",),
        splits: Collection[str] = ("train", "val", "test"),
        index: str | None = "crystals/known-index",
        formulas: Iterable[str] = (),
    ) -> Known:
        """Structures of some cards, those of ``splits`` only, and the names of an index card."""
        listed = None if index is None else known.known_index(index)
        names = () if listed is None else zip(listed["composition"], listed["spg_num"], strict=True)
        made = cls(index=names, formulas=formulas)
        symbol_of = {z: symbol for symbol, z in atomic_numbers().items() if symbol not in "DT"}
        for card in cards:
            table = read.table(card)
            for row in np.flatnonzero(np.isin(table.split, list(splits))):
                one = table.take(np.array([row]))  # pymatgen objects only of what is asked for
                numbers, counts = np.unique(one.species[one.species > 0], return_counts=True)
                symbols = (symbol_of[int(z)] for z in numbers)
                formula = _key(dict(zip(symbols, counts.tolist(), strict=True)))
                made._rows[formula].append((str(one.id[0]), one))
        return made

    def add(self, structures: Iterable[tuple[str, Structure]]) -> None:
        """Let further structures count as known."""
        for name, structure in structures:
            formula = _key(_amounts(structure))
            self._rows[formula].append((name, structure))
            self._reduced.pop(formula, None)

    def lists(self, formula: str) -> bool:
        """Whether any known crystal has this reduced formula."""
        key = _key(_amounts_of(formula))
        return key in self._rows or key in self._index or key in self._formulas

    def judge(self, structure: Structure) -> Novelty:
        """Is it new, and what known crystal is nearest."""
        key, formula = _key(_amounts(structure)), structure.composition.reduced_formula
        pool, groups = self._rows.get(key, [])[:MOST], self._index.get(key, set())
        if not pool and not groups and key not in self._formulas:
            return Novelty("new composition")
        apart = self._apart(structure, key)
        if np.isfinite(apart).any():
            best = int(np.nanargmin(apart))
            return Novelty("known", pool[best][0], formula, float(apart[best]))
        if key in self._formulas:
            return Novelty("known", f"{formula} in the list", formula)
        group = space_group(structure)
        if group in groups:
            return Novelty("known", f"{formula} in space group {group}", formula)
        return Novelty("new structure", pool[0][0] if pool else f"{formula} in the index", formula)

    def _apart(self, structure: Structure, key: str) -> Floats:
        if key not in self._reduced:
            rows = [row for _, row in self._rows.get(key, [])[:MOST]]
            self._reduced[key] = reduce(
                row.structures()[0] if isinstance(row, CrystalTable) else row for row in rows
            )
        others = self._reduced[key]
        return rms(reduce([structure]) * len(others), others, SAME)


def novel(structure: Structure, known: Known) -> bool:
    """Is a structure unlike all known ones."""
    return known.judge(structure).novel


def space_group(structure: Structure, tolerance: float = SYMMETRY) -> int:
    """Number of the space group; 0 where none is found."""
    try:
        return int(structure.get_space_group_info(symprec=tolerance)[1])
    except (TypeError, ValueError):
        return 0


def _amounts(structure: Structure) -> dict[str, int]:
    return _amounts_of(structure.composition)


def _amounts_of(formula: str | Composition) -> dict[str, int]:
    from pymatgen.core.composition import Composition as Made

    amounts = Made(formula).element_composition.get_el_amt_dict()
    return {symbol: round(amount) for symbol, amount in amounts.items()}


def counts(formula: str) -> dict[str, int]:
    """Atoms of each element in a formula without brackets, as lists of materials have them."""
    found: dict[str, int] = defaultdict(int)
    for symbol, amount in _PART.findall(formula):
        found[symbol] += int(amount or 1)
    return found


def _key(counts: Mapping[str, int]) -> str:
    """A word for a composition, whatever the order and number of formula units.

    Faster than pymatgen's reduced formula, which a hundred thousand names would wait for.
    """
    unit = max(math.gcd(*counts.values()), 1)
    return " ".join(f"{symbol}{counts[symbol] // unit}" for symbol in sorted(counts))
