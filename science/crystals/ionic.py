"""Ionic crystals by the rules of the textbook: charges balance, and the radii pick the structure.

Pauling (1929, J. Am. Chem. Soc. 51, 1010): the ratio of cation to anion radius says how many anions
fit around a cation: eight above 0.732, six above 0.414, four below. Goldschmidt (1926): ABX3 is a
perovskite if (rA + rX) / (sqrt(2) (rB + rX)) is near 1. The cell is as large as it takes for no
cation and anion to be nearer than the sum of their radii, so that some just touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from science.core.errors import UserError
from science.core.seeds import rng

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

CATIONS: Mapping[int, tuple[str, ...]] = {
    1: ("Li", "Na", "K", "Rb", "Cs", "Ag", "Tl"),
    2: ("Be", "Mg", "Ca", "Sr", "Ba", "Zn", "Cd", "Mn", "Fe", "Co", "Cu", "Pb", "Eu"),
    3: ("Al", "Ga", "In", "Sc", "Y", "La", "Nd", "Gd", "Lu", "Ti", "V", "Fe"),
    4: ("Si", "Ge", "Sn", "Ti", "Zr", "Hf", "Ce", "Th", "U", "Mo"),
    5: ("V", "Nb", "Ta"),
}
ANIONS: Mapping[int, tuple[str, ...]] = {
    -1: ("F", "Cl", "Br", "I"),
    -2: ("O", "S", "Se", "Te"),
    -3: ("N",),
}
_EIGHT, _SIX = 0.732, 0.414
# Kind, and for eight, six and four neighbours of the cation: AFLOW label and its own elements.
_CHOICES = {
    "AB": (
        ("AB_cP2_221_b_a", ("Cs", "Cl")),
        ("AB_cF8_225_a_b", ("Na", "Cl")),
        ("AB_cF8_216_c_a", ("Zn", "S")),
    ),
    "AX2": (
        ("AB2_cF12_225_a_c", ("Ca", "F")),
        ("A2B_tP6_136_f_a", ("Ti", "O")),
        ("A2B_cF24_227_c_a", ("Si", "O")),
    ),
}
_TOLERANCE = (0.80, 1.05)  # of a perovskite (Goldschmidt)


class Ionic(NamedTuple):
    """A composition with charges, and the prototype that its radii choose.

    Attributes:
        kind: ``AB``, ``AX2``, ``A2X`` or ``ABX3``.
        ions: element and charge of each letter of the kind.
        prototype: AFLOW label of its structure.
        places: the prototype's own element for each letter.
    """

    kind: str
    ions: tuple[tuple[str, int], ...]
    prototype: str
    places: tuple[str, ...]


@cache
def radius(element: str, charge: int) -> float:
    """Radius of an ion [Angstrom], Shannon's (1976) averaged over coordinations, by pymatgen."""
    from pymatgen.core.periodic_table import Element

    return float(Element(element).ionic_radii[charge])


def choose(count: int, seed: int) -> list[Ionic]:
    """``count`` different compositions, as many of each kind as there are, in seeded order.

    Raises:
        UserError: there are not that many.
    """
    drawn: dict[str, list[Ionic]] = {}
    for ionic in compositions():
        drawn.setdefault(ionic.kind, []).append(ionic)
    for kind, each in drawn.items():
        rng(seed, "ionic", kind).shuffle(each)
    turns = [
        each[i]
        for i in range(max(map(len, drawn.values())))
        for each in drawn.values()
        if i < len(each)
    ]
    if count > len(turns):
        raise UserError(f"{count} substitutions asked for", f"there are {len(turns)}")
    return turns[:count]


def compositions() -> Iterator[Ionic]:
    """Every charge-balanced composition of the kinds known here that the radii allow."""
    for kind, cation, anion in (
        *(("AB", charge, -charge) for charge in (1, 2, 3)),
        *(("AX2", -2 * anion, anion) for anion in (-1, -2)),
    ):
        for ions in product(_ions(cation), _ions(anion)):
            ratio = radius(*ions[0]) / radius(*ions[1])
            chosen = 0 if ratio > _EIGHT else 1 if ratio > _SIX else 2
            yield Ionic(kind, ions, *_CHOICES[kind][chosen])
    for ions in product(_ions(1), _ions(-2)):
        yield Ionic("A2X", ions, "AB2_cF12_225_a_c", ("F", "Ca"))
    yield from _perovskites()


def _perovskites() -> Iterator[Ionic]:
    for charges in ((2, 4, -2), (1, 5, -2), (3, 3, -2), (1, 2, -1)):
        for a, b, x in product(*map(_ions, charges)):
            tolerance = (radius(*a) + radius(*x)) / (2**0.5 * (radius(*b) + radius(*x)))
            if a != b and _TOLERANCE[0] < tolerance < _TOLERANCE[1]:
                yield Ionic("ABX3", (a, b, x), "AB3C_cP5_221_a_c_b", ("Ca", "Ti", "O"))


def build(ionic: Ionic, prototype: Structure) -> Structure:
    """The prototype with its elements replaced, scaled until the ions touch."""
    from pymatgen.core.periodic_table import Element
    from pymatgen.core.structure import Structure

    ions = dict(zip(ionic.places, ionic.ions, strict=True))
    mine = [ions[site.specie.symbol] for site in prototype]
    signs = np.sign([charge for _, charge in mine])
    one, other, _, distance = prototype.get_neighbor_list(1.5 * prototype.volume ** (1 / 3))
    against = signs[one] * signs[other] < 0
    radii = np.array([radius(*ion) for ion in mine])
    scale = ((radii[one] + radii[other]) / distance)[against].max()
    cell = prototype.lattice.scale(prototype.volume * scale**3)
    return Structure(cell, [Element(name) for name, _ in mine], prototype.frac_coords)


def _ions(charge: int) -> list[tuple[str, int]]:
    names = CATIONS[charge] if charge > 0 else ANIONS[charge]
    return [(name, charge) for name in names]
