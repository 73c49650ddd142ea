"""One structure as read: either the structure, or what is wrong with it and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core.sites import PeriodicSite
    from pymatgen.core.structure import Structure

HEAVIEST = 118  # oganesson
CLOSEST = 0.5  # [Angstrom]; no two nuclei come nearer (H2 has 0.74)
MOST = 20_000  # atoms in one cell
_LEAST = 0.1  # [cubic Angstrom], of a cell; as in the benchmarks' own check
_FULL = 0.99  # occupancies above it are full but for rounding


class Entry(NamedTuple):
    """What a reader found in one place.

    Attributes:
        name: file, and the block or row in it.
        structure: ordered, of plain elements; ``None`` if and only if there is a problem.
        problem: what is wrong, and what would help.
        note: what was changed in reading, if anything.
        columns: further columns of the table it stands in, as text; ``None`` if in no table.
    """

    name: str
    structure: Structure | None
    problem: str = ""
    note: str = ""
    columns: Mapping[str, str] | None = None


def entry(name: str, structure: Structure, closest: float = CLOSEST) -> Entry:
    """The structure, checked and made plain: elements without charges, no site properties.

    Args:
        name: where it comes from.
        structure: as parsed.
        closest: distance [Angstrom] below which two atoms overlap; 0 lets everything pass.
    """
    problem = _problem(structure)
    if problem:
        return Entry(name, None, problem)
    plain, note = _plain(structure)
    problem = _overlap(plain, closest) if closest > 0 else ""
    return Entry(name, None if problem else plain, problem, note)


def _problem(structure: Structure) -> str:
    if not len(structure):
        return "no atoms; give at least one site"
    if len(structure) > MOST:
        return f"{len(structure)} atoms in the cell; at most {MOST} are read"
    matrix = structure.lattice.matrix
    if not (np.isfinite(matrix).all() and np.isfinite(structure.frac_coords).all()):
        return "a coordinate or lattice vector is not a number (nan or infinite); correct it"
    if not abs(np.linalg.det(matrix)) > _LEAST:
        return "the cell has no volume; correct lengths and angles or lattice vectors"
    return next(filter(None, map(_bad_site, structure)), "")


def _bad_site(site: PeriodicSite) -> str:
    for species, share in site.species.items():
        if not 1 <= getattr(species, "Z", 0) <= HEAVIEST:
            return f"{species.symbol!r} at {_at(site)} is no element; correct the symbol"
        if share < _FULL:
            return (
                f"partial occupancy, {site.species_string} at {_at(site)}; give an ordered "
                "structure (pymatgen's OrderDisorderedStructureTransformation makes some)"
            )
    return ""


def _plain(structure: Structure) -> tuple[Structure, str]:
    from pymatgen.core.periodic_table import Element
    from pymatgen.core.structure import Structure

    kinds = [max(site.species.items(), key=lambda item: item[1])[0] for site in structure]
    isotopes = sorted({kind.name for kind in kinds if getattr(kind, "name", "") in ("D", "T")})
    elements = [Element.from_Z(int(kind.Z)) for kind in kinds]
    note = f"{' and '.join(isotopes)} read as hydrogen" if isotopes else ""
    return Structure(structure.lattice, elements, structure.frac_coords), note


def _overlap(structure: Structure, closest: float) -> str:
    one, other, _, distance = structure.get_neighbor_list(closest, exclude_self=True)
    if not len(distance):
        return ""
    near = int(distance.argmin())
    pair = " and ".join(_at(structure[int(i)]) for i in (one[near], other[near]))
    return f"atoms overlap: {distance[near]:.2f} Angstrom between {pair}; remove or move one"


def _at(site: PeriodicSite) -> str:
    place = " ".join(f"{x:.3f}" for x in site.frac_coords)
    return f"{site.species_string} ({place})"
