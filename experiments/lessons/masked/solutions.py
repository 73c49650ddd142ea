"""Right answers to lesson 4, and the usual wrong ones (``naive_``), which the checks refuse."""

import numpy as np


def masked_loss(log_chance, truth, hidden):
    return float(-log_chance[np.arange(len(truth)), truth][hidden].mean())


def corrected(score):
    return score - np.outer(score.mean(1), score.mean(0)) / score.mean()


def naive_masked_loss(log_chance, truth, hidden):
    """All places: the loss looks fine, because copying is easy."""
    return float(-log_chance[np.arange(len(truth)), truth].mean())


def naive_corrected(score):
    """Takes the mean of all from everything, which moves the map and corrects nothing."""
    return score - score.mean()
