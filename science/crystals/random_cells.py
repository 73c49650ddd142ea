"""Random structures of a formula: sensible volume, no two atoms too near, nothing else known.

The baseline of every structure search, ab-initio random structure searching: Pickard and Needs
2011, J. Phys.: Condens. Matter 23, 053201.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from science.core.seeds import rng
from science.crystals.substitute import Sizes

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]
TRIES = 200  # of positions per structure; the roomiest is taken if none is good enough
APART = 0.75  # of the distance at which spheres of the volume of both atoms would touch
_IMAGES = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)])


def random_cells(
    amounts: Mapping[str, int], sizes: Sizes, count: int, seed: int, units: int = 1
) -> Iterator[Structure]:
    """``count`` random structures.

    Args:
        amounts: atoms of each element in a formula unit.
        sizes: volume of each element.
        count: structures to make.
        seed: the structures follow from it and from the formula.
        units: formula units in the cell.
    """
    from pymatgen.core.structure import Structure

    species = [e for e, n in sorted(amounts.items()) for _ in range(n * units)]
    draw = rng(seed, "random cells", *(f"{e}{n}" for e, n in sorted(amounts.items())), units)
    volume = sizes.of({e: n * units for e, n in amounts.items()})
    radius = np.array([(sizes.of({e: 1}) * 3 / (4 * np.pi)) ** (1 / 3) for e in species])
    need = APART * (radius[:, None] + radius)
    for _ in range(count):
        matrix = _cell(draw, volume * draw.uniform(0.9, 1.2))
        frac = max(
            (_placed(draw, len(species)) for _ in range(TRIES)),
            key=lambda f: min(1.0, _room(f, matrix, need)),
        )
        yield Structure(matrix, species, frac)


def _cell(draw: np.random.Generator, volume: float) -> Floats:
    """A cell of this volume that is neither flat nor needle-like."""
    while True:
        matrix = np.eye(3) * draw.uniform(0.7, 1.4, 3) + np.tril(
            draw.uniform(-0.5, 0.5, (3, 3)), -1
        )
        lengths = np.linalg.norm(matrix, axis=1)
        if np.prod(lengths) < 1.6 * np.linalg.det(matrix) and np.ptp(lengths) < 0.8:
            scaled: Floats = matrix * (volume / np.linalg.det(matrix)) ** (1 / 3)
            return scaled


def _placed(draw: np.random.Generator, count: int) -> Floats:
    frac: Floats = draw.random((count, 3))
    frac[0] = 0
    return frac


def _room(frac: Floats, matrix: Floats, need: Floats) -> float:
    """Least distance between atoms, in units of what they need; 1 is enough."""
    if len(frac) < 2:
        return 1.0
    apart = frac[:, None] - frac
    apart -= np.round(apart)
    vectors = (apart[:, :, None] + _IMAGES) @ matrix
    distance = np.linalg.norm(vectors, axis=-1).min(-1)
    above = np.triu_indices(len(frac), 1)
    return float((distance[above] / need[above]).min())
