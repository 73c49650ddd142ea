"""Right answers to lesson 3, and the usual wrong ones (``naive_``), which the checks refuse."""

import numpy as np


def velocity(x, time, data):
    weight = np.exp(-((x - time * data) ** 2) / (2 * (1 - time) ** 2))
    return float((weight * (data - x)).sum() / weight.sum() / (1 - time))


def shortest(start, end):
    apart = end - start
    return apart - np.round(apart)


def naive_velocity(x, time, data):
    """Walks to the mean of the data: all samples end in one point."""
    return float((data.mean() - x) / (1 - time))


def naive_shortest(start, end):
    """As if the cell had walls."""
    return end - start
