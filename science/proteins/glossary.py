"""Measures of contact maps by name: precision by range and depth, and calibration."""

from __future__ import annotations

import re

_PRECISION = re.compile(r"(long|medium|short)_l(\d*)(?:_neff_(over|under)_(\d+))?$")
_RANGE = {
    "long": "24 and more apart in sequence",
    "medium": "12 to 23 apart in sequence",
    "short": "6 to 11 apart in sequence",
}
_CALIBRATION = {
    "long_ece": ("Calibration error, long range", "of all pairs 24 and more apart in sequence"),
    "top_l_ece": ("Calibration error of the best L", "of each protein's L best long-range pairs"),
}


def term(key: str) -> tuple[str, str, bool] | None:
    """Label, meaning and whether less is better of ``long_l5`` or ``long_l_neff_over_200``."""
    if found := _PRECISION.match(key):
        cut = f"L/{found[2]}" if found[2] else "L"
        label = f"Precision at {cut}, {found[1]} range"
        if found[3]:
            label += f", Neff {'from' if found[3] == 'over' else 'below'} {found[4]}"
        return (
            label,
            f"share of contacts among the {cut} best pairs {_RANGE[found[1]]}, L the protein's "
            "length (Neff: what the alignment is worth in independent sequences).",
            False,
        )
    if key in _CALIBRATION:
        label, of = _CALIBRATION[key]
        return label, f"distance between stated probability and share of contacts, {of}.", True
    return None
