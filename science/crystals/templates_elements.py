"""How alike two elements are to a crystal chemist, and how much room each takes."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ELEMENTS = 119
_USUAL = {"X": 1.8, "radius": 1.8, "ionic": 0.8, "mendeleev": 50.0}  # where nobody measured
_VOLUME = 18.0  # Angstrom^3 per atom, for elements that no training crystal holds


@cache
def features() -> Floats:
    """(119, 14): numbers of each element, scaled so that a distance of 1 is a large difference.

    Pauling electronegativity, atomic and mean ionic radius, period, group, Mendeleev number
    (Pettifor 1984, Solid State Commun. 51, 31), lowest, highest and mean common oxidation state,
    atomic number, and the block as four indicators.
    """
    from pymatgen.core.periodic_table import Element

    table = np.zeros((ELEMENTS, 14))
    with warnings.catch_warnings():  # pymatgen tells of every number that nobody measured
        warnings.simplefilter("ignore")
        for number in range(1, ELEMENTS):
            table[number] = _row(Element.from_Z(number))
    return table


def distance(one: NDArray[np.int64], two: NDArray[np.int64], share: Floats) -> Floats:
    """Mean distance of elements (..., S) from others (..., S), slots weighed by ``share``."""
    known = features()
    apart = np.linalg.norm(known[one] - known[two], axis=-1)
    total: Floats = (apart * share).sum(-1)
    return total


def volumes(shares: Floats, volume: Floats, ridge: float = 1.0) -> Floats:
    """Room of each element (119,) [cubic Angstrom], by ridge regression towards a common value.

    Args:
        shares: (n, 119) share of the atoms of each element.
        volume: (n,) volume per atom [cubic Angstrom].
        ridge: how many crystals of a pure element the common value counts for.
    """
    normal = shares.T @ shares + ridge * np.eye(shares.shape[1])
    room = _VOLUME + np.linalg.solve(normal, shares.T @ (volume - _VOLUME * shares.sum(1)))
    clipped: Floats = np.clip(room, 3.0, 80.0)
    return clipped


def _row(element: Any) -> list[float]:
    radius, ionic = element.atomic_radius, element.average_ionic_radius
    states = element.common_oxidation_states or element.oxidation_states or (0,)
    negativity = element.X if element.X == element.X else _USUAL["X"]
    numbers = [
        negativity / 2,
        float(radius or _USUAL["radius"]),
        float(ionic or _USUAL["ionic"]),
        element.row / 4,
        element.group / 9,
        (element.mendeleev_no or _USUAL["mendeleev"]) / 50,
        min(states) / 3,
        max(states) / 3,
        float(np.mean(states)) / 3,
        element.Z / 50,
    ]
    return [*numbers, *(float(element.block == block) for block in "spdf")]
