"""Which cadences the missions themselves advise against.

A flagged cadence is dropped when it carries any bit of the mask. The default masks leave the bits
that mark a corrected or harmless event (a cosmic ray in the collateral pixels flags one Kepler
cadence in eight, and the pipeline has mended it).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError

# Kepler Archive Manual (KDMC-10008), table 2-3: attitude tweak, safe mode, coarse point, Earth
# point, desaturation, manual exclude, detector anomaly, no data, and (K2) a thruster firing.
KEPLER = 1 | 2 | 4 | 8 | 32 | 256 | 16384 | 65536 | 1048576
# TESS Science Data Products Description, table 32: attitude tweak, safe mode, coarse point, Earth
# point, argabrightening, desaturation, manual exclude, impulsive outlier, bad calibration.
TESS = 1 | 2 | 4 | 8 | 16 | 32 | 128 | 512 | 16384
# The quick-look pipeline reuses bit 13 for its own low-precision cadences.
QLP = TESS | 4096
ANY = -1

_DEFAULT = {"Kepler": KEPLER, "K2": KEPLER, "TESS": TESS}


def bitmask(choice: str | int, mission: str, quick_look: bool = False) -> int:
    """The mask for ``default``, ``none``, ``strict`` (any flag at all) or a number of one's own."""
    if isinstance(choice, (int, np.integer)) and not isinstance(choice, bool):
        return int(choice)
    if choice == "none":
        return 0
    if choice == "strict":
        return ANY
    if choice == "default":
        return QLP if quick_look else _DEFAULT.get(mission, ANY)
    raise UserError(
        f"quality={choice!r} is not a choice", "use 'default', 'none', 'strict' or a bitmask"
    )


def good(flags: Any, mask: int) -> NDArray[np.bool_]:
    """Which cadences carry none of the mask's bits."""
    numbers = np.nan_to_num(np.asarray(flags, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    bits = np.clip(numbers, 0, 2.0**62).astype(np.int64)
    clear: NDArray[np.bool_] = (bits & mask) == 0
    return clear
