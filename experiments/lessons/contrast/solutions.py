"""Right answers to lesson 6, and the usual wrong ones (``naive_``), which the checks refuse."""

import numpy as np
from scipy.special import log_softmax


def contrast_loss(left, right, temperature):
    left = left / np.linalg.norm(left, axis=1, keepdims=True)
    right = right / np.linalg.norm(right, axis=1, keepdims=True)
    logits = left @ right.T / temperature
    both = [np.diag(log_softmax(logits, axis)).mean() for axis in (0, 1)]
    return float(-np.mean(both))


def found_in(similarity, first):
    own = np.diag(similarity)[:, None]
    above, tied = (similarity > own).sum(1), (similarity == own).sum(1) - 1
    return float((above + tied / 2 < first).mean())


def naive_contrast_loss(left, right, temperature):
    """Not normalised: the easiest way to a low loss is long vectors."""
    return float(-np.diag(log_softmax(left @ right.T / temperature, 1)).mean())


def naive_found_in(similarity, first):
    """Counts what is strictly better only: a constant network finds everything."""
    return float(((similarity > np.diag(similarity)[:, None]).sum(1) < first).mean())
