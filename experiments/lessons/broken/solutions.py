"""Right answers to lesson 10, and the usual wrong ones (``naive_``), which the checks refuse."""

from itertools import combinations

import numpy as np


def same_bits(a, b):
    return float(a.shape == b.shape and bool((a.view("u8") == b.view("u8")).all()))


def blame(layers, repeats):
    for size in range(1, len(layers) + 1):
        for chosen in combinations(layers, size):
            if repeats(set(chosen)):
                return [float(name in chosen) for name in layers]
    return [0.0 for _ in layers]


def naive_same_bits(a, b):
    """Close is not equal."""
    return float(np.allclose(a, b, equal_nan=True))


def naive_blame(layers, repeats):
    """Tries single layers only: misses two that broke together."""
    return [float(repeats({name})) for name in layers]
