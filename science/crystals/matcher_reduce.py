"""Crystals as the matcher compares them: primitive, Niggli-reduced, sorted by element.

Most need no more than compiled code. Where a crystal may have a smaller cell, or the choice of its
reduced cell matters and is open, pymatgen itself reduces it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from science.crystals import lattice
from science.crystals.crystals import Crystals, unpack
from science.crystals.matcher_compiled import Floats, Ints, compiled, kept
from science.crystals.matcher_niggli import niggli

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

_TOLERANCE = 0.25  # [Angstrom], of pymatgen's search for primitive cells
_THIN = 1.5  # [Angstrom]; cells thinner than that are left to pymatgen
_FLAT = 1e-6  # [cubic Angstrom]; less is no volume


class Reduced:
    """A crystal ready to be matched.

    Attributes:
        species: (n,) atomic numbers, ascending; none if there is nothing to compare.
        frac: (n, 3) fractional coordinates in the reduced cell, in the order of ``species``.
        cell: (3, 3) reduced lattice vectors [Angstrom].
        block: where the elements begin among the rows, and n at the end.
        anchor: row of the site that is laid upon others: the first of the rarest element.
    """

    def __init__(
        self, species: Ints, frac: Floats, cell: Floats, made: Callable[[], Structure]
    ) -> None:
        """``made`` makes the structure, should pymatgen have to see it."""
        self._made, self._open = made, False
        if not _sound(species, frac, cell):
            self.species, self.frac, self.cell = species[:0], frac[:0], cell
            self.block, self.anchor = np.zeros(1, dtype=np.int64), 0
            return
        rows, ended, self._open = niggli(cell)
        sites = frac @ (cell @ np.linalg.inv(rows)) % 1
        if not ended or _repeats(species, sites, rows):
            self._by_pymatgen()
        else:
            self._sort(species, sites, rows)

    @cached_property
    def structure(self) -> Structure:
        """As it came."""
        return self._made()

    @cached_property
    def reference(self) -> Reduced:
        """The same in just the basis that pymatgen chooses, which the second of a pair must have.

        The second's lengths and angles enter the mean cell, so its basis matters; of the first all
        bases are tried anyway.
        """
        if not self._open:
            return self
        other: Reduced = object.__new__(type(self))
        other._made, other._open = self._made, False
        other._by_pymatgen()
        return other

    def _by_pymatgen(self) -> None:
        from pymatgen.core.structure_matcher import StructureMatcher

        made = StructureMatcher._get_reduced_structure(self.structure)
        self._open = False
        self._sort(np.array(made.atomic_numbers), made.frac_coords, np.array(made.lattice.matrix))

    def _sort(self, species: Ints, frac: Floats, cell: Floats) -> None:
        order = np.argsort(species, kind="stable")
        self.species, self.frac = species[order], np.ascontiguousarray(frac[order])
        self.block = np.append(np.flatnonzero(np.diff(self.species, prepend=-1)), len(species))
        count = np.repeat(np.diff(self.block), np.diff(self.block))
        first = order[count == count.min()].min()
        self.anchor = int(np.flatnonzero(order == first)[0])
        self.cell = np.ascontiguousarray(cell)


def reduce(crystals: Crystals | Iterable[Structure]) -> list[Reduced]:
    """Each crystal, reduced; compute this once for structures that are matched many times."""
    if not isinstance(crystals, Crystals):
        return [_structure(s) for s in crystals]
    species, frac = crystals.species.cpu().numpy(), crystals.frac.detach().cpu().double().numpy()
    cells = lattice.matrix(crystals.cell.detach().cpu().double()).numpy()
    count = (species > 0).sum(axis=1)
    return [
        Reduced(species[i, :n], frac[i, :n], cells[i], partial(_unpacked, crystals, i))
        for i, n in enumerate(count)
    ]


def _unpacked(crystals: Crystals, row: int) -> Structure:
    return unpack(crystals.take([row]))[0]


def _structure(s: Structure) -> Reduced:
    numbers = s.atomic_numbers if s.is_ordered else ()
    frac = s.frac_coords if s.is_ordered else np.zeros((0, 3))
    return Reduced(np.array(numbers, dtype=np.int64), frac, np.array(s.lattice.matrix), lambda: s)


def _sound(species: Ints, frac: Floats, cell: Floats) -> bool:
    """Is it something that can be compared at all."""
    if not len(species) or not np.isfinite(frac).all() or not np.isfinite(cell).all():
        return False
    return bool(abs(np.linalg.det(cell)) > _FLAT)


def _repeats(species: Ints, frac: Floats, cell: Floats) -> bool:
    """May there be a smaller cell: does a translation take all sites near to their likes."""
    kinds, count = np.unique(species, return_counts=True)
    if math.gcd(*count.tolist()) == 1:
        return False
    lengths = np.linalg.norm(cell, axis=1)
    if lengths.min() < _THIN:
        return True
    order = np.argsort(species, kind="stable")
    block = np.cumsum(np.append(0, count))
    rarest = species == _first(kinds[count == count.min()])
    reach = 2 * _TOLERANCE / lengths * (1 + 1e-6)
    return bool(_translates(frac[rarest], frac[order], block, reach))


def _first(numbers: Ints) -> int:
    """Of these elements the first by symbol."""
    from pymatgen.core.periodic_table import Element

    symbols = {Element.from_Z(z).symbol: int(z) for z in numbers.tolist()}
    return symbols[min(symbols)]


@kept
def _translates(rarest: Floats, sites: Floats, block: Ints, reach: Floats) -> bool:
    for k in range(1, len(rarest)):
        if _everywhere(rarest[k] - rarest[0], sites, block, reach):
            return True
    return False


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _everywhere(shift: Floats, sites: Floats, block: Ints, reach: Floats) -> bool:
    for b in range(len(block) - 1):
        for i in range(block[b], block[b + 1]):
            if not _occupied(sites[i] + shift, sites[block[b] : block[b + 1]], reach):
                return False
    return True


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
