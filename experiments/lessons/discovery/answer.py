"""Your answers to lesson 9. Keep the names and the arguments."""

import numpy as np


def choose_next(mean: np.ndarray, doubt: np.ndarray, asked: list, boldness: float) -> int:
    """Index of the candidate with the largest mean + boldness * doubt that was not asked."""
    raise NotImplementedError


def experiments_until(order: list, sought: set, count: int) -> int:
    """Experiments, in that order, until ``count`` of the sought are found."""
    raise NotImplementedError
