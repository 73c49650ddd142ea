"""Your answers to lesson 10. Keep the names and the arguments."""

import numpy as np


def same_bits(a: np.ndarray, b: np.ndarray) -> float:
    """1.0 if two arrays of doubles agree to the last bit, else 0.0."""
    raise NotImplementedError


def blame(layers: list, repeats) -> list:
    """1.0 for each layer of the smallest set that makes the run repeat, 0.0 for the others.

    repeats(chosen): whether the run repeats with the layers in the set ``chosen`` put back.
    """
    raise NotImplementedError
