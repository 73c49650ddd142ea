"""Your answers to lesson 3. Keep the names and the arguments."""

import numpy as np


def velocity(x: float, time: float, data: np.ndarray) -> float:
    """Mean velocity at (x, time) of straight lines from a standard normal to the (n,) data."""
    raise NotImplementedError


def shortest(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Displacement, at most half a period each, from start to end, both in [0, 1)."""
    raise NotImplementedError
