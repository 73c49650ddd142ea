"""What a contact is, and which pairs of residues belong to which range.

Two residues are in contact if their C-beta (C-alpha for glycine) are closer than 8 Angstrom: the
definition of CASP (predictioncenter.org/casp14/doc/rr_help.html). Papers on PSICOV's proteins
sometimes count from other separations; never mix them.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

CONTACT_A = 8.0
Range = Literal["short", "medium", "long"]
RANGES: tuple[Range, ...] = get_args(Range)
SEPARATION: dict[Range, tuple[int, int | None]] = {
    "short": (6, 11),
    "medium": (12, 23),
    "long": (24, None),
}
LEAST = 6  # separations below belong to no range: such neighbours touch whatever the fold

Floats32 = NDArray[np.float32]
Index = NDArray[np.int64]


def distances(cb: NDArray[np.floating]) -> Floats32:
    """(L, L) distances [Angstrom] of (L, 3) positions; ``nan`` where one is unknown."""
    apart = cb[:, None].astype(np.float64) - cb[None].astype(np.float64)
    return np.asarray(np.sqrt((apart**2).sum(-1)), np.float32)


def in_contact(distance: Floats32) -> NDArray[np.bool_]:
    """Which pairs touch; pairs of unknown distance do not."""
    with np.errstate(invalid="ignore"):
        touching: NDArray[np.bool_] = distance < CONTACT_A
    return touching


def pairs(length: int, which: Range) -> tuple[Index, Index]:
    """Indices i < j of all pairs of one range, in row order."""
    least, most = SEPARATION[which]
    i, j = np.triu_indices(length, least)
    if most is None:
        return i, j
    near = j - i <= most
    return i[near], j[near]


def separated(length: int, least: int = LEAST) -> tuple[Index, Index]:
    """Indices i < j of all pairs at least that far apart in sequence."""
    return np.triu_indices(length, least)
