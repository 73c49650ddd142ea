"""Known materials with the formulas of given structures; no others, so that they are soon read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from science.crystals.crystal_table import reduced_formulas
from science.crystals.known import known_index
from science.crystals.novelty import Known
from science.crystals.read import table

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure


def alike(structures: Sequence[Structure], card: str = "crystals/mp-20") -> Known:
    """What is known of these formulas: the structures of a card, and the index of all others."""
    formulas = {structure.composition.reduced_formula for structure in structures}
    read = table(card)
    rows = read.take(np.isin(reduced_formulas(read.species), list(formulas)))
    named = zip(rows.id.tolist(), rows.structures(), strict=True)
    return Known(named, _groups(structures, formulas))


def _groups(structures: Sequence[Structure], formulas: set[str]) -> Iterator[tuple[str, int]]:
    """Space groups in which the index has one of the formulas."""
    from pymatgen.core.composition import Composition

    systems = {"-".join(sorted(e.symbol for e in s.composition.elements)) for s in structures}
    index = known_index()
    found = index["composition"].str.findall("[A-Z][a-z]?").map(lambda s: "-".join(sorted(set(s))))
    some = index[found.isin(systems)]
    for text, group in zip(some["composition"], some["spg_num"], strict=True):
        formula = Composition(text).reduced_formula
        if formula in formulas:
            yield formula, int(group)
