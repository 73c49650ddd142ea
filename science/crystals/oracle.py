"""Oracles: interatomic potentials that answer for density-functional theory.

An oracle gives energy, forces and stress of a structure at a millionth of the cost of the
calculation that it was trained on. Everything that asks for stability here goes through the one
interface below, so a second opinion is a change of one name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]

LARGEST = 200  # atoms; beyond it one structure would hold up all others
CLOSEST = 0.5  # Angstrom between two atoms; the bound that generated crystals are judged by as well


@dataclass(frozen=True)
class Response:
    """What an oracle says about one structure.

    Attributes:
        energy: eV/atom, ``nan`` if there is a problem.
        forces: (atoms, 3) eV/Angstrom, minus the gradient of the total energy.
        stress: (3, 3) eV/Angstrom^3, derivative of the total energy by strain over volume; positive
            where the cell wants to shrink.
        problem: why there is no answer; empty if there is one.
    """

    energy: float
    forces: Floats = field(default_factory=lambda: np.zeros((0, 3)))
    stress: Floats = field(default_factory=lambda: np.full((3, 3), np.nan))
    problem: str = ""


class Oracle(Protocol):
    """A potential; ``name`` tells its version too, since results are cached under it."""

    name: str

    def energies(self, structures: Sequence[Structure]) -> Floats:
        """(n,) energy in eV/atom, ``nan`` for what it cannot take."""

    def forces_stress(self, structures: Sequence[Structure]) -> list[Response]:
        """Energy, forces and stress of each, with a problem for what it cannot take."""


def unfit(structure: Structure, elements: frozenset[int], largest: int = LARGEST) -> str:
    """Why no oracle should be asked about a structure; empty if it may be.

    Args:
        structure: any, also one with partial occupancies or coordinates that are not numbers.
        elements: atomic numbers that the oracle was trained on.
        largest: most atoms to take.
    """
    if not len(structure):
        return "no atoms"
    if not structure.is_ordered:
        return "partial or mixed occupancy"
    if not (
        np.isfinite(structure.frac_coords).all() and np.isfinite(structure.lattice.matrix).all()
    ):
        return "coordinates that are not numbers"
    if abs(structure.volume) < 0.1:
        return "cell without volume"
    if len(structure) > largest:
        return f"{len(structure)} atoms, more than {largest}"
    foreign = sorted({str(s) for s in structure.species if getattr(s, "Z", 0) not in elements})
    if foreign:
        return f"the oracle does not know {', '.join(foreign)}"
    return _overlap(structure)


def oracle(name: str = "chgnet", device: str = "cpu") -> Oracle:
    """The oracle called ``name``: one of ``ORACLES``.

    Raises:
        UserError: no such oracle, or its package is not installed.
    """
    if name not in ORACLES:
        raise UserError(f"no oracle is called {name!r}", f"known: {', '.join(ORACLES)}")
    return ORACLES[name](device)


def chgnet(device: str = "cpu") -> Oracle:
    """CHGNet 0.3.0 (Deng et al. 2023), 0.41 M parameters, weights in the package.

    Trained on the Materials Project's relaxations with its MP2020 corrections in the energies.
    """
    return _made("science.crystals.oracle_chgnet", "ChgnetOracle", device)


def sevennet(device: str = "cpu") -> Oracle:
    """SevenNet-0 (Park et al. 2024), an equivariant network, as a second opinion.

    Raises:
        UserError: the package is not installed.
    """
    return _made("science.crystals.oracle_sevennet", "SevennetOracle", device)


ORACLES: dict[str, Callable[[str], Oracle]] = {"chgnet": chgnet, "sevennet": sevennet}


@cache
def _made(module: str, name: str, device: str) -> Oracle:
    """Each oracle is loaded once."""
    made: Oracle = getattr(importlib.import_module(module), name)(device)
    return made


def _overlap(structure: Structure) -> str:
    first, second, _, apart = structure.get_neighbor_list(CLOSEST)
    if not len(apart):
        return ""
    i = int(np.argmin(apart))
    pair = f"{structure[first[i]].specie} and {structure[second[i]].specie}"
    return f"overlapping atoms: {pair} {apart[i]:.2f} Å apart"
