"""Crystals that need no download: the AFLOW prototypes that ship with pymatgen, and their kin.

The prototypes are known structure types with the elements of the mineral that names them (Mehl et
al. 2017, Comput. Mater. Sci. 136, S1). Their kin are simple ionic compounds made from them here
(``science.crystals.ionic``); nobody claims that all of these exist.
"""

from __future__ import annotations

import gzip
import importlib.resources
import json
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from science.core.allow import configurable
from science.core.errors import UserError
from science.crystals import ionic
from science.crystals.crystal_table import CrystalTable, from_structures, reduced_formulas
from science.crystals.splits import drawn

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure


class Prototype(NamedTuple):
    """A structure type.

    Attributes:
        label: AFLOW's, such as ``AB_cF8_225_a_b``: formula, Pearson symbol, space group, orbits.
        mineral: what it is known as; may be empty.
        structure: primitive cell, with the elements of the mineral.
    """

    label: str
    mineral: str
    structure: Structure


@cache
def aflow(largest: int = 20) -> tuple[Prototype, ...]:
    """The prototypes with at most ``largest`` atoms, in AFLOW's order; 250 of 288 up to 20 atoms.

    Raises:
        UserError: this pymatgen has them in another place.
    """
    from pymatgen.core.structure import Structure

    shipped = importlib.resources.files("pymatgen.analysis") / "prototypes"
    try:
        packed = (shipped / "aflow_prototypes.json.gz").read_bytes()
    except OSError as problem:
        cure = 'pip install "fifth-paradigm[crystals]"'
        raise UserError(f"pymatgen without its AFLOW prototypes ({problem})", cure) from None
    found = []
    for item in json.loads(gzip.decompress(packed)):
        if len(item["snl"]["sites"]) <= largest:
            tags = item["tags"]
            structure = Structure.from_dict(item["snl"])
            found.append(Prototype(tags["aflow"], tags["mineral"] or "", structure))
    return tuple(found)


@configurable
def prototypes(
    card: str = "crystals/prototypes",
    substitutions: int = 600,
    minerals: bool = True,
    largest: int = 20,
    seed: int = 0,
) -> CrystalTable:
    """Simple ionic crystals, and the prototypes themselves; whole formulas in each split.

    Args:
        card: dataset card.
        substitutions: how many ionic crystals, as many of each kind (AB, AX2, A2X, ABX3) as there
            are; 2 to 6 atoms each.
        minerals: also the prototypes with their own elements.
        largest: atoms in a cell.
        seed: of the choice and the split.
    """
    del card
    types = {p.label: p for p in aflow(20)}
    made = {}
    for one in ionic.choose(substitutions, seed):
        structure = ionic.build(one, types[one.prototype].structure)
        if len(structure) <= largest:
            made[f"{structure.reduced_formula}_{one.prototype}"] = structure
    if minerals:
        made |= {f"aflow_{p.label}": p.structure for p in aflow(largest)}
    if not made:
        raise UserError("no structures asked for", "set `substitutions` or `minerals`")
    crystals = from_structures(list(made), list(made.values()))
    crystals.split[:] = drawn(reduced_formulas(crystals.species), seed, "prototypes", "split")
    return crystals
