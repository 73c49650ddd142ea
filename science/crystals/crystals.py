"""Crystals as dense tensors, N sites each, and the way from and to pymatgen's ``Structure``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from science.core.errors import UserError
from science.crystals import lattice

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

_LATTICE = "correct the lattice vectors"
_ORDER = "order it first, for example with pymatgen's OrderDisorderedStructureTransformation"
HEAVIEST = 118  # oganesson; atomic numbers above it name no element


class Crystals(NamedTuple):
    """A batch of crystals, padded to the same number of sites.

    Attributes:
        species: (B, N) int64 atomic numbers, 0 where there is no atom.
        frac: (B, N, 3) float32 fractional coordinates in [0, 1).
        cell: (B, 6) float32 log-polar coefficients (``science.crystals.lattice``).
    """

    species: Tensor
    frac: Tensor
    cell: Tensor

    @property
    def mask(self) -> Tensor:
        """(B, N) bool, true where there is an atom."""
        return self.species > 0

    @property
    def count(self) -> Tensor:  # type: ignore[override]
        """(B,) int64 number of atoms."""
        return self.mask.sum(dim=-1)

    def take(self, rows: Tensor | Sequence[int]) -> Crystals:
        """These rows as a batch of their own."""
        return Crystals(*(field[torch.as_tensor(rows)] for field in self))


def pack(structures: Sequence[Structure], size: int | None = None) -> Crystals:
    """Structures as one batch, sites and cells as they come; nothing is reduced or reordered.

    Args:
        structures: pymatgen structures, ordered ones only.
        size: sites to make room for; that of the largest structure unless given.

    Raises:
        UserError: a structure is disordered, has no atoms or no volume, holds something that is no
            element, a coordinate that is not a number, or more than ``size`` atoms.
    """
    for row, structure in enumerate(structures):
        _check(structure, row, size)
    width = max((len(s) for s in structures), default=0) if size is None else size
    species = np.zeros((len(structures), width), dtype=np.int64)
    frac = np.zeros((len(structures), width, 3))
    for row, structure in enumerate(structures):
        species[row, : len(structure)] = structure.atomic_numbers
        frac[row, : len(structure)] = structure.frac_coords
    rows = np.array([s.lattice.matrix for s in structures]).reshape(-1, 3, 3)
    cell = lattice.cell(torch.from_numpy(rows)).float()
    for row in cell.isnan().any(dim=1).nonzero().flatten().tolist():
        raise UserError(f"{_name(structures[row], row)} has a cell without volume", _LATTICE)
    return Crystals(torch.from_numpy(species), wrap(torch.from_numpy(frac).float()), cell)


def unpack(crystals: Crystals) -> list[Structure]:
    """The structures of a batch; each cell in the orientation that is free of rotation."""
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.periodic_table import Element
    from pymatgen.core.structure import Structure

    made = []
    matrices = lattice.matrix(crystals.cell.double()).detach().cpu().numpy()
    species, frac = crystals.species.cpu().numpy(), crystals.frac.detach().cpu().double().numpy()
    for numbers, sites, matrix in zip(species, frac, matrices, strict=True):
        atoms = np.flatnonzero(numbers)
        elements = [Element.from_Z(int(z)) for z in numbers[atoms]]
        made.append(Structure(Lattice(matrix), elements, sites[atoms]))
    return made


def wrap(frac: Tensor) -> Tensor:
    """Fractional coordinates in [0, 1), also where rounding would give 1."""
    inside = frac - frac.floor()
    return torch.where(inside < 1, inside, 0.0)


def _name(structure: Structure, row: int) -> str:
    return f"structure {row} ({structure.formula})"


def _check(structure: Structure, row: int, size: int | None) -> None:
    if not len(structure):
        raise UserError(f"structure {row} has no atoms")
    what = _name(structure, row)
    if not structure.is_ordered:
        raise UserError(f"{what} is disordered: sites with partial or mixed occupancy", _ORDER)
    if any(not 1 <= getattr(site.specie, "Z", 0) <= HEAVIEST for site in structure):
        raise UserError(f"{what} holds a species that is no element", "replace dummy species")
    if not np.isfinite(structure.frac_coords).all():
        raise UserError(f"{what} has coordinates that are not numbers")
    if size is not None and len(structure) > size:
        raise UserError(f"{what} has {len(structure)} atoms, more than {size}")
