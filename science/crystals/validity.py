"""Could this be a crystal: are its atoms apart, and can its charges balance?

The rules are those of the field's scripts (Xie et al. 2022, ICLR; Jiao et al. 2023, NeurIPS), whose
numbers are compared with each other. Structure: two sites, in their nearest images, are at least
0.5 Angstrom apart, and the cell has 0.1 cubic Angstrom; images of one site do not count, in the
scripts as here. Composition (SMACT; Davies et al. 2019, JOSS 4, 1361): some choice of one oxidation
state for each element, from the list of 2014, sums to zero and has no cation that is as
electronegative as an anion; metals alone and single elements pass.

Where the scripts err, this does not follow them. They read an attribute that was never set if a
structure cannot be built, and forget a negative length; here either is a reason to be invalid. They
give up beyond 10^7 combinations of oxidation states; here all count. What SMACT has no data for - a
noble gas, promethium - is invalid for a reason, not an error. The versions of SMACT differ in their
lists, and by a percent in the result; the list is named here and ships with SMACT 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core.composition import Composition
    from pymatgen.core.structure import Structure

CLOSEST = 0.5  # [Angstrom]
SMALLEST = 0.1  # [cubic Angstrom]


class _Element(NamedTuple):
    states: tuple[int, ...]
    electronegativity: float  # Pauling; nan if unknown
    metal: bool


def valid(structure: Structure) -> bool:
    """Both structure and composition pass."""
    return not structure_problem(structure) and smact_valid(structure.composition)


def distances_valid(structure: Structure) -> bool:
    """No two sites are nearer than 0.5 Angstrom, and the cell has a volume."""
    return not structure_problem(structure)


def structure_problem(structure: Structure | None) -> str:
    """Why the structure is invalid; empty if it is valid."""
    if structure is None or not len(structure):
        return "no structure"
    cell = structure.lattice.matrix
    if not (np.isfinite(cell).all() and np.isfinite(structure.frac_coords).all()):
        return "coordinates that are not numbers"
    if not structure.volume >= SMALLEST:
        return f"a cell of less than {SMALLEST} cubic Angstrom"
    apart = structure.distance_matrix[np.triu_indices(len(structure), 1)]
    if len(apart) and not apart.min() >= CLOSEST:
        return f"atoms {apart.min():.2f} Angstrom apart"
    return ""


def smact_valid(composition: Composition | Mapping[Any, float] | str) -> bool:
    """Can the charges of this composition balance.

    A formula, a composition, or a mapping of elements (or their symbols) to numbers of atoms.
    """
    return not composition_problem(composition)


def composition_problem(composition: Composition | Mapping[Any, float] | str) -> str:
    """Why the composition is invalid; empty if it is valid."""
    from pymatgen.core.composition import Composition

    counts = Composition(composition).get_el_amt_dict()
    whole = {symbol: round(n) for symbol, n in counts.items()}
    if any(abs(n - whole[symbol]) > 1e-6 for symbol, n in counts.items()):
        return "fractions of atoms"
    divisor = int(np.gcd.reduce(list(whole.values()))) if whole else 0
    if divisor == 0:
        return "no atoms"
    return _problem(tuple(sorted((symbol, n // divisor) for symbol, n in whole.items())))


@cache
def _problem(formula: tuple[tuple[str, int], ...]) -> str:
    data = {symbol: _element(symbol) for symbol, _ in formula}
    if len(formula) == 1 or all(element.metal for element in data.values()):
        return ""
    for symbol, element in data.items():
        if not element.states:
            return f"no oxidation state of {symbol}"
    if not _neutral([(data[symbol].states, n) for symbol, n in formula]):
        return "charges that cannot balance"
    for symbol, element in data.items():
        if np.isnan(element.electronegativity):
            return f"no electronegativity of {symbol}"
    if not _ordered([(data[s].states, n, data[s].electronegativity) for s, n in formula]):
        return "charges that balance only against electronegativity"
    return ""


def _ordered(elements: list[tuple[tuple[int, ...], int, float]]) -> bool:
    """Is there a neutral choice of states with all cations less electronegative than any anion.

    That is so if and only if some electronegativity parts them, so one division after the other is
    tried, which takes sums instead of combinations.
    """
    for edge in [*sorted({chi for *_, chi in elements}), np.inf]:
        allowed = [
            (tuple(s for s in states if s == 0 or (s > 0) == (chi < edge)), n)
            for states, n, chi in elements
        ]
        if _neutral(allowed):
            return True
    return False


def _neutral(elements: list[tuple[tuple[int, ...], int]]) -> bool:
    sums = {0}
    for states, n in elements:
        sums = {total + n * state for total in sums for state in states}
    return 0 in sums


@cache
def _element(symbol: str) -> _Element:
    import smact

    try:
        found = smact.Element(symbol)
    except (NameError, KeyError):  # what SMACT raises where it has no data
        return _Element((), np.nan, metal=False)
    states, chi = tuple(found.oxidation_states_smact14 or ()), found.pauling_eneg
    return _Element(states, np.nan if chi is None else float(chi), symbol in smact.metals)
