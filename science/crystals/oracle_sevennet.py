"""SevenNet-0 behind the oracle interface, through ASE, one structure after the other."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from science.core.errors import UserError
from science.crystals.oracle import Floats, Response, sevennet, unfit

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

UNSEEN = {84, 85, 86, 87, 88}  # trained on the same structures as CHGNet
ELEMENTS = frozenset(range(1, 95)) - UNSEEN
INSTALL = (
    "pip install --no-deps sevenn e3nn opt_einsum opt_einsum_fx braceexpand matscipy scikit-learn"
)


# The Materials Project's Hubbard parameters [eV] (Jain et al. 2011, Phys. Rev. B 84, 045115).
HUBBARD = {
    "Co": 3.32,
    "Cr": 3.7,
    "Fe": 5.3,
    "Mn": 3.9,
    "Mo": 4.38,
    "Ni": 6.2,
    "V": 3.25,
    "W": 6.2,
}


class SevennetOracle:
    """SevenNet-0 (Park et al. 2024, J. Chem. Theory Comput. 20, 4857).

    It learned the same relaxations as CHGNet by another kind of network, and answers more slowly:
    where the two disagree, neither should be believed. It learned them as they were computed, so
    the Materials Project's corrections are added here to make energies comparable.
    """

    name = "sevennet-0-mp2020"

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.calculator = _load(device)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return sevennet, (self.device,)

    def energies(self, structures: Sequence[Structure]) -> Floats:
        """(n,) eV/atom, ``nan`` for what it cannot take."""
        return np.array([r.energy for r in self.forces_stress(structures)])

    def forces_stress(self, structures: Sequence[Structure]) -> list[Response]:
        """Energy, forces and stress of each."""
        return [self._ask(structure) for structure in structures]

    def _ask(self, structure: Structure) -> Response:
        problem = unfit(structure, ELEMENTS)
        if problem:
            return Response(np.nan, problem=problem)
        atoms: Any = structure.to_ase_atoms()
        atoms.calc = self.calculator
        energy = float(atoms.get_potential_energy()) / len(structure) + correction(structure)
        forces, stress = atoms.get_forces(), atoms.get_stress(voigt=False)
        if not np.isfinite(energy + np.abs(forces).sum() + np.abs(stress).sum()):
            return Response(np.nan, problem="no finite energy or forces")
        return Response(energy, np.asarray(forces, float), np.asarray(stress, float))


def correction(structure: Structure) -> float:
    """What the Materials Project adds to computed energies [eV/atom]: its 2020 scheme.

    Anions by kind, and transition metals in oxides and fluorides, which are computed with a Hubbard
    term (Wang et al. 2021, Sci. Rep. 11, 15496).
    """
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility
    from pymatgen.entries.computed_entries import ComputedStructureEntry

    symbols = {site.specie.symbol for site in structure}
    hubbard = {s: HUBBARD[s] for s in symbols & HUBBARD.keys() if symbols & {"O", "F"}}
    computed = {"run_type": "GGA+U" if hubbard else "GGA", "hubbards": hubbard}
    entry = ComputedStructureEntry(structure, 0.0, parameters=computed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of oxidation states that have to be guessed
        scheme = MaterialsProject2020Compatibility(check_potcar=False)
        added = scheme.get_adjustments(entry)
    return float(sum(one.value for one in added)) / len(structure)


def _load(device: str) -> Any:
    if importlib.util.find_spec("sevenn") is None:
        raise UserError("the oracle 'sevennet' needs the package sevenn", INSTALL)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No tensor product accelerator")
        from sevenn.calculator import SevenNetCalculator

        return SevenNetCalculator("7net-0", device=device)
