"""Crystals of a table as arrays in double precision, one row a structure."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CrystalTable:
    """Structures as arrays, n of them with at most N sites, in double precision.

    Attributes:
        id: (n,) names.
        split: (n,) ``train``, ``val`` or ``test``.
        species: (n, N) atomic numbers, 0 for no atom.
        frac: (n, N, 3) fractional coordinates as published, not wrapped.
        matrix: (n, 3, 3) lattice vectors as rows [Angstrom].
        properties: name -> (n,) numbers, ``nan`` where there is none.
    """

    id: NDArray[np.str_]
    split: NDArray[np.str_]
    species: NDArray[np.int64]
    frac: Floats
    matrix: Floats
    properties: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.id)

    @property
    def size(self) -> NDArray[np.int64]:
        """(n,) number of atoms."""
        count: NDArray[np.int64] = np.count_nonzero(self.species, axis=1).astype(np.int64)
        return count

    def take(self, rows: NDArray[Any]) -> CrystalTable:
        """These rows, by number or mask, as a table of their own."""
        plain = {f.name: getattr(self, f.name)[rows] for f in fields(self)[:-1]}
        return CrystalTable(**plain, properties={k: v[rows] for k, v in self.properties.items()})

    def structures(self) -> list[Structure]:
        """The rows as pymatgen structures, cells and sites as published."""
        from pymatgen.core.lattice import Lattice
        from pymatgen.core.periodic_table import Element
        from pymatgen.core.structure import Structure

        made = []
        for numbers, frac, matrix in zip(self.species, self.frac, self.matrix, strict=True):
            elements = [Element.from_Z(int(z)) for z in numbers[numbers > 0]]
            made.append(Structure(Lattice(matrix), elements, frac[numbers > 0]))
        return made


def from_structures(
    names: Sequence[str], structures: Sequence[Structure], split: str = "test"
) -> CrystalTable:
    """Ordered structures of plain elements as one table, all of one split, without properties."""
    width = max(map(len, structures), default=0)
    species = np.zeros((len(structures), width), dtype=np.int64)
    frac = np.zeros((len(structures), width, 3))
    for row, structure in enumerate(structures):
        species[row, : len(structure)] = structure.atomic_numbers
        frac[row, : len(structure)] = structure.frac_coords
    matrix = np.array([s.lattice.matrix for s in structures], np.float64).reshape(-1, 3, 3)
    sides = np.full(len(structures), split, dtype="<U5")
    return CrystalTable(np.array(names, dtype=np.str_), sides, species, frac, matrix, {})


def reduced_formulas(species: NDArray[np.int64]) -> NDArray[np.str_]:
    """(n,) reduced formula of each row of atomic numbers, the same for any order of the atoms."""
    kinds, member = np.unique(np.sort(species, axis=1), axis=0, return_inverse=True)
    return np.array([_reduced(tuple(row[row > 0].tolist())) for row in kinds], dtype=np.str_)[
        member.ravel()
    ]


@cache
def _reduced(numbers: tuple[int, ...]) -> str:
    from pymatgen.core.composition import Composition
    from pymatgen.core.periodic_table import Element

    kinds, counts = np.unique(numbers, return_counts=True)
    whole = {Element.from_Z(int(z)): int(n) for z, n in zip(kinds, counts, strict=True)}
    with warnings.catch_warnings():  # noble gases have no electronegativity to be sorted by
        warnings.simplefilter("ignore", UserWarning)
        return str(Composition(whole).reduced_formula)
