"""The boundary to ASE: a crystal as ``Atoms``, for any calculator or tool of its world."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Structure


def to_ase(structure: Structure) -> Atoms:
    """The structure as ``Atoms``, periodic in all directions, sites in the same order."""
    from pymatgen.io.ase import AseAtomsAdaptor

    atoms: Atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    return atoms


def from_ase(atoms: Atoms) -> Structure:
    """``Atoms`` as a structure: cell, elements and places, nothing that a calculator left there.

    Raises:
        ValueError: there is no cell of three vectors.
    """
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    if atoms.cell.rank != 3:
        raise ValueError("no cell of three lattice vectors; a molecule is no crystal")
    cell = Lattice(atoms.cell.array)
    return Structure(cell, list(atoms.symbols), atoms.positions, coords_are_cartesian=True)
