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


class SevennetOracle:
    """SevenNet-0 (Park et al. 2024, J. Chem. Theory Comput. 20, 4857).

    It learned the same relaxations as CHGNet with the same corrections, by another kind of network
    and more slowly: where the two disagree, neither should be believed.
    """

    name = "sevennet-0"

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
        energy = float(atoms.get_potential_energy()) / len(structure)
        forces, stress = atoms.get_forces(), atoms.get_stress(voigt=False)
        if not np.isfinite(energy + np.abs(forces).sum() + np.abs(stress).sum()):
            return Response(np.nan, problem="no finite energy or forces")
        return Response(energy, np.asarray(forces, float), np.asarray(stress, float))


def _load(device: str) -> Any:
    if importlib.util.find_spec("sevenn") is None:
        raise UserError("the oracle 'sevennet' needs the package sevenn", INSTALL)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No tensor product accelerator")
        from sevenn.calculator import SevenNetCalculator

        return SevenNetCalculator("7net-0", device=device)
