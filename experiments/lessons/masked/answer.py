"""Your answers to lesson 4. Keep the names and the arguments."""

import numpy as np


def masked_loss(log_chance: np.ndarray, truth: np.ndarray, hidden: np.ndarray) -> float:
    """Mean cross-entropy of hidden tokens.

    log_chance: (places, letters); truth: (places,) letters; hidden: (places,) bool.
    """
    raise NotImplementedError


def corrected(score: np.ndarray) -> np.ndarray:
    """(L, L) less the product of row and column means over the mean of all."""
    raise NotImplementedError
