"""Right answers to lesson 2, and the usual wrong ones (``naive_``), which the checks refuse."""

import numpy as np


def window_of(field, high, wide):
    rows, columns = field.shape
    parts = field.reshape(rows // high, high, columns // wide, wide)
    return parts.transpose(0, 2, 1, 3).reshape(-1, high, wide)


def shift_east(field, wide):
    return np.roll(field, wide // 2, axis=1)


def naive_window_of(field, high, wide):
    """One reshape: the right shape, the wrong neighbours."""
    return field.reshape(-1, high, wide)


def naive_shift_east(field, wide):
    """Shifts as on a photograph: the date line becomes an edge."""
    moved = np.zeros_like(field)
    moved[:, wide // 2 :] = field[:, : -(wide // 2)]
    return moved
