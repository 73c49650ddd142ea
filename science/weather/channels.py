"""What the names of channels say: which quantity, how high, and what a mirror does to it.

A channel is a variable's short name and its pressure level [hPa], such as ``z500``, or
``t_low`` at the lowest layer, or a name alone, such as ``sp``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

_NAME = re.compile(r"([a-z]+\d*?)(\d{2,4}|_low)?")
# Swapping the hemispheres turns these round: northward wind, and what spins or leans northward.
_ODD = {"v", "vo", "psi", "sine_latitude"}
_VECTORS = {"u", "v"}  # seen from beyond a pole, east is west and north is south
_POSITIVE = {"q", "tp"}  # water is there or not


def variable(name: str) -> str:
    """The quantity of a channel: ``z500`` -> ``z``, ``t_low`` -> ``t``."""
    found = _NAME.fullmatch(name)
    return found[1] if found else name


def level(name: str) -> float | None:
    """The pressure level of a channel [hPa]; 1000 for the lowest layer, ``None`` if it has none."""
    found = _NAME.fullmatch(name)
    if not found or not found[2]:
        return None
    return float(found[2]) if found[2].isdigit() else 1000.0


def signs(names: Sequence[str], odd: set[str]) -> Tensor:
    """(channels, 1, 1): -1 for the quantities in ``odd``, 1 for others."""
    each = [-1.0 if variable(name) in odd else 1.0 for name in names]
    return torch.tensor(each)[:, None, None]


def mirror_signs(names: Sequence[str]) -> Tensor:
    """(channels, 1, 1): what swapping the hemispheres multiplies each channel by."""
    return signs(names, _ODD)


def pole_signs(names: Sequence[str]) -> Tensor:
    """(channels, 1, 1): what looking across a pole multiplies each channel by."""
    return signs(names, _VECTORS)


def positive(names: Sequence[str]) -> list[int]:
    """Places of the channels that cannot be negative."""
    return [i for i, name in enumerate(names) if variable(name) in _POSITIVE]
