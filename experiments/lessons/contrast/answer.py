"""Your answers to lesson 6. Keep the names and the arguments."""

import numpy as np


def contrast_loss(left: np.ndarray, right: np.ndarray, temperature: float) -> float:
    """Mean cross-entropy, in both directions, of (n, size) embeddings of twins."""
    raise NotImplementedError


def found_in(similarity: np.ndarray, first: int) -> float:
    """Share of rows whose twin (same column) is among the ``first`` most similar columns."""
    raise NotImplementedError
