"""A structure as something to look at: atoms, bonds, coordination polyhedra, the cell's edges.

The web page's viewer and the printed drawings both show scenes, so that they agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]

HOME, BORDER, BEYOND = 0, 1, 2  # in the cell; the same atom on its border; completes a polyhedron
MOST = 300  # sites drawn; a larger cell shows its first
_NEAR = 0.02  # of a cell length: an atom this near a face is drawn on the opposite face as well
_LONG = 1.15  # a bond's length over the sum of the covalent radii, at most
_LONGER = 1.3  # and over the shortest bond of either of its atoms
_LARGE = 1.65  # Å, covalent: larger cations (Na, Ca, La) stay balls, or they would hide all else
_BALL, _METAL = 0.45, 0.62  # radius drawn over covalent radius


@dataclass(frozen=True)
class Scene:
    """What is drawn of a structure.

    Attributes:
        cell: (3, 3) rows are a, b, c in Å; a along x, b in the xy plane.
        kinds: (label, colour as ``#rrggbb``, radius drawn in Å) of each species.
        atoms: (n, 3) Cartesian positions in Å.
        kind: (n,) which of ``kinds``.
        site: (n,) number of the site in the structure that an atom is or repeats.
        level: (n,) ``HOME``, ``BORDER`` or ``BEYOND``.
        bonds: (b, 2) pairs of atoms.
        faces: (f, 4) three atoms of a triangle and the atom at the polyhedron's centre.
    """

    cell: Floats
    kinds: list[tuple[str, str, float]]
    atoms: Floats
    kind: NDArray[np.int64]
    site: NDArray[np.int64]
    level: NDArray[np.int64]
    bonds: NDArray[np.int64]
    faces: NDArray[np.int64]

    def data(self) -> dict[str, Any]:
        """Numbers for the page's viewer, rounded to 0.001 Å."""
        rows = zip(self.atoms, self.kind, self.site, self.level, strict=True)
        return {
            "cell": [[round(float(x), 3) for x in row] for row in self.cell],
            "kinds": [[label, colour, round(radius, 3)] for label, colour, radius in self.kinds],
            "atoms": [
                [*(round(float(x), 3) for x in at), int(kind), int(site), int(level)]
                for at, kind, site, level in rows
            ],
            "bonds": self.bonds.tolist(),
            "faces": self.faces.tolist(),
        }


def scene(structure: Structure) -> Scene:
    """What to draw of ``structure``: its cell, what lies on its border, and its polyhedra."""
    cell = upright(structure.lattice.matrix)
    sites = list(structure)[:MOST]
    frac = np.array([site.frac_coords for site in sites], float).reshape(-1, 3) % 1.0
    labels = [_label(site) for site in sites]
    names = list(dict.fromkeys(labels))
    near = _neighbours(frac, cell, labels)
    placed = _Placed(frac, near)
    faces = placed.polyhedra([_negative(n) for n in labels], [_radius(n) for n in labels])
    corners = np.array(list(faces), np.int64).reshape(-1, 4)
    keys = np.array(list(placed.where), np.int64).reshape(-1, 4)
    kind = np.array([names.index(label) for label in labels], np.int64)
    return Scene(
        cell=cell,
        kinds=[(name, *_look(name, not near)) for name in names],
        atoms=(frac[keys[:, 0]] + keys[:, 1:]) @ cell,
        kind=kind[keys[:, 0]],
        site=keys[:, 0],
        level=np.array(placed.level, np.int64),
        bonds=np.array(placed.bonds(), np.int64).reshape(-1, 2),
        faces=corners,
    )


def upright(matrix: Any) -> Floats:
    """The same cell with a along x and b in the xy plane; its handedness is kept."""
    rows = np.asarray(matrix, float)
    _, upper = np.linalg.qr(rows.T)
    lower: Floats = upper.T * np.sign(np.where(np.diag(upper) == 0, 1.0, np.diag(upper)))
    if np.linalg.det(rows) < 0:
        lower[2, 2] *= -1
    return lower


_Key = tuple[int, ...]  # a site and the three steps to the cell it stands in
_Neighbours = dict[int, list[_Key]]


@dataclass
class _Placed:
    """Atoms placed so far, in the order of their numbers."""

    frac: Floats
    near: _Neighbours
    where: dict[_Key, int] = field(default_factory=dict)
    level: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for site, at in enumerate(self.frac):
            for steps in _repeats(at):
                self.put((site, *steps), BORDER if any(steps) else HOME)

    def put(self, key: _Key, level: int) -> int:
        if key not in self.where:
            self.where[key] = len(self.level)
            self.level.append(level)
        return self.where[key]

    def around(self, key: _Key) -> list[_Key]:
        """The bonded neighbours of an atom, placed or not."""
        site, x, y, z = key
        return [(other, x + i, y + j, z + k) for other, i, j, k in self.near.get(site, ())]

    def polyhedra(
        self, electronegativity: Sequence[float], radius: Sequence[float]
    ) -> Iterator[list[int]]:
        """Triangles around small cations: 4 to 8 neighbours, all more electronegative."""
        for centre in list(self.where):
            around = self.around(centre)
            own, size = electronegativity[centre[0]], radius[centre[0]]
            polar = all(electronegativity[key[0]] - own > 0.4 for key in around)
            if polar and 4 <= len(around) <= 8 and size < _LARGE:
                yield from self._triangles(centre, around)

    def _triangles(self, centre: _Key, around: Sequence[_Key]) -> Iterator[list[int]]:
        from scipy.spatial import ConvexHull, QhullError

        points = np.array([self.frac[site] + steps for site, *steps in around])
        try:
            hull = ConvexHull(points)
        except QhullError:  # a flat coordination, such as a square, has no volume to show
            return
        corners = [self.put(key, BEYOND) for key in around]
        for triangle in hull.simplices:
            yield [*(corners[i] for i in triangle), self.where[centre]]

    def bonds(self) -> list[tuple[int, int]]:
        pairs = {
            (min(index, self.where[key]), max(index, self.where[key]))
            for centre, index in self.where.items()
            for key in self.around(centre)
            if key in self.where
        }
        return sorted(pairs)


def _repeats(at: Floats) -> Iterator[_Key]:
    """Steps to the cells in which an atom shows: its own, and others if it lies on the border."""
    ways = [(0, 1) if x < _NEAR else (0, -1) if x > 1 - _NEAR else (0,) for x in at]
    return itertools.product(*ways)


def _neighbours(frac: Floats, cell: Floats, labels: Sequence[str]) -> _Neighbours:
    """Bonded neighbours of each site: near for both atoms, and one of them no metal.

    A distance is a bond if it is at most ``_LONG`` times the sum of the covalent radii (Cordero et
    al. 2008) and ``_LONGER`` times the shortest such distance of either atom; so the far cation of
    a perovskite stays single while its octahedra, also tilted ones, keep all their corners.
    """
    from ase.neighborlist import primitive_neighbor_list

    radius = np.array([_radius(label) for label in labels])
    if not len(frac) or abs(np.linalg.det(cell)) < 1e-3:
        return {}
    i, j, d, steps = primitive_neighbor_list(  # type: ignore[no-untyped-call]
        "ijdS", [True] * 3, cell, frac @ cell, list(_LONG * radius), use_scaled_positions=False
    )
    metal = np.array([_is_metal(label) for label in labels])
    fit = (d > 0.1) & ~(metal[i] & metal[j])
    i, j, d, steps = i[fit], j[fit], d[fit], steps[fit]
    shortest = np.full(len(frac), np.inf)
    np.minimum.at(shortest, i, d)
    fit = d <= _LONGER * np.minimum(shortest[i], shortest[j])
    near: _Neighbours = {}
    for one, other, step in zip(i[fit], j[fit], steps[fit], strict=True):
        near.setdefault(int(one), []).append((int(other), *(int(s) for s in step)))
    return near


def _label(site: Any) -> str:
    """The element that fills most of a site."""
    shares = {getattr(s, "element", s).symbol: share for s, share in site.species.items()}
    return str(max(shares, key=shares.__getitem__))


def _number(label: str) -> int:
    from ase.data import atomic_numbers

    return int(atomic_numbers.get(label, 0))


def _radius(label: str) -> float:
    from ase.data import covalent_radii

    return float(covalent_radii[min(_number(label), len(covalent_radii) - 1)])


def _look(label: str, metallic: bool) -> tuple[str, float]:
    """Jmol's colour of an element, and how large its ball is."""
    from ase.data.colors import jmol_colors

    red, green, blue = (
        round(255 * x) for x in jmol_colors[min(_number(label), len(jmol_colors) - 1)]
    )
    return f"#{red:02x}{green:02x}{blue:02x}", (_METAL if metallic else _BALL) * _radius(label)


def _is_metal(label: str) -> bool:
    from pymatgen.core.periodic_table import Element

    return _number(label) > 0 and bool(Element(label).is_metal)


def _negative(label: str) -> float:
    from pymatgen.core.periodic_table import Element

    value = Element(label).data.get("X") if _number(label) else None
    return float(value) if isinstance(value, int | float) else float("nan")
