"""Crystals as the matcher compares them: primitive, Niggli-reduced, sorted by element.

Most need no more than compiled code. Where a crystal may have a smaller cell, or its reduced cell
is ambiguous, pymatgen itself reduces it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from science.crystals.crystals import Crystals, unpack
from science.crystals.matcher_lattice import Floats, Ints, compiled, inverse, times
from science.crystals.matcher_niggli import niggli

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

_TOLERANCE = 0.25  # [Angstrom], of pymatgen's search for primitive cells
_THIN = 1.5  # [Angstrom]; cells thinner than that are left to pymatgen


@dataclass(frozen=True)
class Reduced:
    """A crystal ready to be matched.

    Attributes:
        structure: as it came.
        species: (n,) atomic numbers, ascending.
        frac: (n, 3) fractional coordinates in the reduced cell, in the order of ``species``.
        cell: (3, 3) reduced lattice vectors [Angstrom].
        anchor: row of the site that is laid upon others: the first of the rarest element.
        certain: false if pymatgen has to judge this crystal.
    """

    structure: Structure
    species: Ints
    frac: Floats
    cell: Floats
    anchor: int
    certain: bool = True

    @cached_property
    def block(self) -> Ints:
        """Where the elements begin among the rows, and the number of rows at the end."""
        return np.append(np.flatnonzero(np.diff(self.species, prepend=-1)), len(self.species))


def reduce(crystals: Crystals | Iterable[Structure]) -> list[Reduced]:
    """Each crystal, reduced; compute this once for structures that are matched many times."""
    structures = unpack(crystals) if isinstance(crystals, Crystals) else crystals
    return [_reduced(structure) for structure in structures]


def _reduced(structure: Structure) -> Reduced:
    if not _sound(structure):
        nothing = np.zeros((0, 3))
        return Reduced(structure, np.zeros(0, dtype=np.int64), nothing, nothing, 0)
    cell = np.array(structure.lattice.matrix)
    rows, certain = niggli(cell)
    frac = structure.frac_coords @ (cell @ np.linalg.inv(rows))
    frac, species = frac % 1, np.array(structure.atomic_numbers)
    if not certain or _repeats(structure, species, frac, rows):
        from pymatgen.core.structure_matcher import StructureMatcher

        made = StructureMatcher()._get_reduced_structure(structure)
        rows, certain = np.array(made.lattice.matrix), True
        frac, species = made.frac_coords, np.array(made.atomic_numbers)
    return _sorted(structure, species, frac, rows, certain)


def _sorted(structure: Structure, species: Ints, frac: Floats, cell: Floats, sure: bool) -> Reduced:
    order = np.argsort(species, kind="stable")
    _, which, count = np.unique(species, return_inverse=True, return_counts=True)
    rarest = int(np.argmin(count[which]))
    anchor = int(np.flatnonzero(order == rarest)[0])
    sites = np.ascontiguousarray(frac[order])
    return Reduced(structure, species[order].astype(np.int64), sites, cell, anchor, sure)


def _sound(structure: Structure) -> bool:
    """Is it something that can be compared at all."""
    numbers = np.isfinite(structure.frac_coords).all() and np.isfinite(structure.lattice.matrix).all()
    return bool(len(structure) and numbers and structure.is_ordered and structure.volume > 1e-6)


def _repeats(structure: Structure, species: Ints, frac: Floats, cell: Floats) -> bool:
    """May there be a smaller cell: does a translation take all sites near to their likes."""
    count = np.unique(species, return_counts=True)[1]
    if math.gcd(*count) == 1:
        return False
    lengths = np.linalg.norm(cell, axis=1)
    if lengths.min() < _THIN:
        return True
    symbols = np.array([site.specie.symbol for site in structure])
    groups = [frac[symbols == symbol] for symbol in sorted(set(symbols))]
    reach = 2 * _TOLERANCE / lengths * (1 + 1e-6)
    return bool(_translates(min(groups, key=len), np.concatenate(groups), _ends(groups), reach))


def _ends(groups: list[Floats]) -> Ints:
    return np.cumsum([0] + [len(g) for g in groups])


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _translates(rarest: Floats, sites: Floats, block: Ints, reach: Floats) -> bool:
    for k in range(1, len(rarest)):
        shift, everywhere = rarest[k] - rarest[0], True
        for b in range(len(block) - 1):
            for i in range(block[b], block[b + 1]):
                if not _occupied(sites[i] + shift, sites[block[b] : block[b + 1]], reach):
                    everywhere = False
                    break
            if not everywhere:
                break
        if everywhere:
            return True
    return False


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _occupied(place: Floats, sites: Floats, reach: Floats) -> bool:
    for j in range(len(sites)):
        near = True
        for x in range(3):
            gap = place[x] - sites[j, x]
            near &= abs(gap - np.rint(gap)) <= reach[x]
        if near:
            return True
    return False
