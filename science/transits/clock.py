"""Time units and zeros, from what a header says and from what the numbers can be."""

from __future__ import annotations

import re

import numpy as np

from science.core.errors import UserError
from science.transits.lightcurve import Floats

BKJD = 2454833.0  # BJD of Kepler's and K2's zero
BTJD = 2457000.0  # BJD of TESS's zero
MJD = 2400000.5
OTHER = 2450000.0  # zero given to full Julian dates of no known mission

ZERO = {"Kepler": BKJD, "K2": BKJD, "TESS": BTJD}
_NAMED = {"bkjd": BKJD, "btjd": BTJD, "mjd": MJD, "rjd": 2400000.0}
_DAYS = {"s": 1 / 86400, "min": 1 / 1440, "h": 1 / 24, "d": 1.0, "yr": 365.25}
_WORDS = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min",
    "mins": "min", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "year": "yr", "years": "yr",
    "day": "d", "days": "d",
}  # fmt: skip

# Typical spacings [days] no survey has: longer is seconds or minutes taken for days, shorter years.
LONGEST, SHORTEST, LONGEST_BASELINE = 1.5, 1e-5, 36525.0


def in_days(
    time: Floats, unit: str, zero: float | None, mission: str
) -> tuple[Floats, float, list[str]]:
    """Times in days on the mission's own zero, the BJD of that zero (0 if unknown), and doubts.

    Args:
        time: as stored, shape (points,).
        unit: what the file says of it: ``BJD - 2454833``, ``btjd``, ``s``; may be empty.
        zero: BJD of ``time == 0`` where a header gives it.
        mission: ``Kepler``, ``K2``, ``TESS`` or ``unknown``.
    """
    notes: list[str] = []
    scale = _scale(unit)
    if scale != 1.0:
        time = time * scale
        notes.append(f"times converted from {unit} to days")
    finite = time[np.isfinite(time)]
    middle = float(np.median(finite)) if len(finite) else 0.0
    if middle > 2.3e6:
        zero = ZERO.get(mission, OTHER)
        return time - zero, zero, [*notes, f"times are full Julian dates; {zero:.0f} subtracted"]
    named = _zero_in(unit)
    if named is None:
        named = zero
    if named is None and 4e4 < middle < 8e4:
        named = MJD
        notes.append("times between 40000 and 80000 taken for MJD")
    if named is None:
        named = ZERO.get(mission, 0.0)
    home = ZERO.get(mission, named)
    if named and home != named:
        notes.append(f"times moved from the zero BJD {named:.9g} to {home:.9g}")
        return time + (named - home), home, notes
    return time, named, notes


def check_spacing(time: Floats, name: str) -> None:
    """Refuse sorted times that cannot be days (``UserError``): seconds, minutes, years."""
    if len(time) < 2:
        return
    spacing, baseline = float(np.median(np.diff(time))), float(time[-1] - time[0])
    if spacing > LONGEST or baseline > LONGEST_BASELINE:
        raise UserError(
            f"{name}: times are spaced {spacing:.4g} over {baseline:.4g}, which cannot be days",
            "divide seconds by 86400 or minutes by 1440",
        )
    if spacing < SHORTEST:
        raise UserError(
            f"{name}: times are spaced {spacing * 86400:.2g} s if they are days",
            "give times in days, not years or thousands of days",
        )


def _scale(unit: str) -> float:
    word = unit.strip().lower()
    return _DAYS.get(_WORDS.get(word, word), 1.0)


def _zero_in(unit: str) -> float | None:
    text = unit.lower()
    for name, zero in _NAMED.items():
        if name in text:
            return zero
    offset = re.search(r"jd[a-z_]*\s*-\s*(24\d{5}(?:\.\d+)?)", text)
    if offset:
        return float(offset.group(1))
    return None
