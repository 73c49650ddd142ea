"""Looking and theory: a structure by its likest known compound, and by the textbook's rules."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from science.core.errors import UserError
from science.core.ladder import Answer, Asked
from science.crystals.compositions import balance
from science.crystals.ionic import Ionic
from science.crystals.ladder_problem import Formula, formula_of, structures_of
from science.crystals.prototypes import aflow

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

EIGHT, SIX = 0.732, 0.414  # of the radii of cation and anion (Pauling 1929)
TOLERANCE = (0.80, 1.05)  # of a perovskite (Goldschmidt 1926)
CLOSE = 1.35  # times the shortest bond: the neighbours that share a valence
# AFLOW labels with the elements of their minerals, in the order of the ions.
_AB = {8: "AB_cP2_221_b_a Cs Cl", 6: "AB_cF8_225_a_b Na Cl", 4: "AB_cF8_216_c_a Zn S"}
_AX2 = {8: "AB2_cF12_225_a_c Ca F", 6: "A2B_tP6_136_f_a Ti O", 4: "A2B_cF24_227_c_a Si O"}
_A2X, _ABX3 = "AB2_cF12_225_a_c F Ca", "AB3C_cP5_221_a_c_b Ca Ti O"


def look_up(asked: Asked) -> Answer:
    """The known compound of like formula that shares most elements, the others put in their places.

    The cell is left as it is: whoever looks up does not compute.
    """
    known = structures_of(asked.examples)
    amounts = [formula_of(one) for one in known]
    return Answer([_looked(formula, known, amounts) for formula in asked.questions])


def _looked(
    formula: Formula, known: list[Structure], amounts: list[dict[str, int]]
) -> Structure | None:
    counts = sorted(formula.values())
    alike = [i for i, other in enumerate(amounts) if sorted(other.values()) == counts]
    if not alike:
        return None
    shared = [
        sum(formula.get(element) == count for element, count in amounts[i].items()) for i in alike
    ]
    best = alike[int(np.argmax(shared))]
    return renamed(known[best], amounts[best], formula)


def renamed(structure: Structure, old: Formula, new: Formula) -> Structure:
    """A structure whose elements give way to those of a formula of like counts.

    Elements of both stay; the rest pair off by count, then by electronegativity.
    """
    from pymatgen.core.periodic_table import Element
    from pymatgen.core.structure import Structure

    def key(item: tuple[str, int]) -> tuple[int, float]:
        return item[1], float(Element(item[0]).X)

    kept = {e for e in old if new.get(e) == old[e]}
    gone = sorted(((e, n) for e, n in old.items() if e not in kept), key=key)
    come = sorted(((e, n) for e, n in new.items() if e not in kept), key=key)
    swap = {a: b for (a, _), (b, _) in zip(gone, come, strict=True)} | {e: e for e in kept}
    species = [swap[site.specie.symbol] for site in structure]
    return Structure(structure.lattice, species, structure.frac_coords)


def textbook(asked: Asked) -> Answer:
    """Charges balance, radii choose the type, bond valences the size.

    The ratio of cation to anion radius says how many anions fit around a cation (Pauling 1929, J.
    Am. Chem. Soc. 51, 1010), Goldschmidt's tolerance whether ABX3 is a perovskite; the cell is
    scaled until the bond valences at the cation add up to its charge (Brown and Altermatt 1985,
    Acta Cryst. B41, 244; parameters of O'Keeffe and Brese 1991 by pymatgen). Of other formulas the
    textbook says nothing.
    """
    made = [_by_rules(formula) for formula in asked.questions]
    told = sum(one is not None for one in made)
    return Answer(made, f"the rules speak of {told} of {len(made)} formulas")


def _by_rules(formula: Formula) -> Structure | None:
    ionic = rule(formula)
    if ionic is None:
        return None
    types = {p.label: p.structure for p in aflow(20)}
    place = dict(zip(ionic.places, ionic.ions, strict=True))
    return sized(types[ionic.prototype], place)


def rule(formula: Formula) -> Ionic | None:
    """The type that charges and radii choose, if the textbook knows of any."""
    try:
        charges = balance("".join(f"{e}{n}" for e, n in formula.items()))
        ions = sorted(charges.items(), key=lambda ion: -ion[1])
        return _chosen(formula, ions)
    except (UserError, KeyError):  # no balance, or an ion without a radius
        return None


def _chosen(formula: Formula, ions: list[tuple[str, int]]) -> Ionic | None:
    divisor = int(np.gcd.reduce(list(formula.values())))
    counts = tuple(formula[e] // divisor for e, _ in ions)
    anions = [ion for ion in ions if ion[1] < 0]
    if len(anions) != 1 or min(abs(q) for _, q in ions) == 0:
        return None
    if counts in ((1, 1), (1, 2)):
        ratio = radius(*ions[0]) / radius(*ions[1])
        around = 8 if ratio > EIGHT else 6 if ratio > SIX else 4
        label, *places = (_AB if counts == (1, 1) else _AX2)[around].split()
        return Ionic("AB" if counts == (1, 1) else "AX2", tuple(ions), label, tuple(places))
    if counts == (2, 1):
        label, *places = _A2X.split()
        return Ionic("A2X", tuple(ions), label, tuple(places))
    if sorted(counts) == [1, 1, 3] and counts[-1] == 3:
        # The larger cation has the larger hole.
        large, small = sorted(ions[:2], key=lambda ion: -radius(*ion))
        if TOLERANCE[0] < tolerance(large, small, ions[2]) < TOLERANCE[1]:
            label, *places = _ABX3.split()
            return Ionic("ABX3", (large, small, ions[2]), label, tuple(places))
    return None


def tolerance(a: tuple[str, int], b: tuple[str, int], x: tuple[str, int]) -> float:
    """Goldschmidt's: 1 where A and B both touch X in a cubic perovskite."""
    return (radius(*a) + radius(*x)) / (2**0.5 * (radius(*b) + radius(*x)))


def radius(element: str, charge: int) -> float:
    """Radius [Angstrom] of an ion among six others (Shannon 1976), else the mean of those known.

    Raises:
        KeyError: none is known.
    """
    from pymatgen.core.periodic_table import Element, Species

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of spins: the one known is meant
            return float(Species(element, charge).get_shannon_radius("VI", radius_type="ionic"))
    except (KeyError, ValueError):
        return float(Element(element).ionic_radii[charge])


def sized(prototype: Structure, places: dict[str, tuple[str, int]]) -> Structure:
    """The prototype with other ions, as large as the bond valences of its cations ask for."""
    from pymatgen.core.structure import Structure

    mine = [places[site.specie.symbol] for site in prototype]
    one, other, _, distance = prototype.get_neighbor_list(1.2 * prototype.volume ** (1 / 3))
    charge = np.array([q for _, q in mine])
    bonds = (charge[one] > 0) & (charge[other] < 0)
    one, other, distance = one[bonds], other[bonds], distance[bonds]
    length = np.array([bond(mine[i], mine[j]) for i, j in zip(one, other, strict=True)])
    scale = _scale(distance, length, one, charge)
    cell = prototype.lattice.scale(prototype.volume * scale**3)
    return Structure(cell, [element for element, _ in mine], prototype.frac_coords)


def _scale(distance: Any, length: Any, one: Any, charge: Any) -> float:
    """The factor at which all valences of the cations together are their charges."""
    from scipy.optimize import brentq

    wanted = float(charge[np.unique(one)].sum())

    def excess(factor: float) -> float:
        return float(np.exp((length - factor * distance) / 0.37).sum()) - wanted

    middle = float((length / distance).mean())
    return float(brentq(excess, 0.3 * middle, 4.0 * middle))


def bond(cation: tuple[str, int], anion: tuple[str, int]) -> float:
    """Length [Angstrom] of a bond of valence one.

    Raises:
        KeyError: an element has no parameters.
    """
    from pymatgen.analysis.bond_valence import BV_PARAMS
    from pymatgen.core.periodic_table import Element

    one, two = (BV_PARAMS[Element(e)] for e, _ in (cation, anion))
    r1, r2, c1, c2 = one["r"], two["r"], one["c"], two["c"]
    return float(r1 + r2 - r1 * r2 * (c1**0.5 - c2**0.5) ** 2 / (c1 * r1 + c2 * r2))
