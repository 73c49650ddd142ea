"""Right answers to lesson 7, and the usual wrong ones (``naive_``), which the checks refuse."""

import numpy as np


def calibration_gap(truth, score, bins):
    place = np.minimum((score * bins).astype(int), bins - 1)
    gap = np.bincount(place, score - truth, minlength=bins)
    return float(np.abs(gap).sum() / len(score))


def half_width(errors, coverage):
    n = len(errors)
    rank = min(n, int(np.ceil((n + 1) * coverage)))
    return float(np.sort(errors)[rank - 1])


def naive_calibration_gap(truth, score, bins):
    """The mean over bins: twenty samples weigh as much as nine hundred."""
    place = np.minimum((score * bins).astype(int), bins - 1)
    full = [b for b in range(bins) if (place == b).any()]
    return float(np.mean([abs((score - truth)[place == b].mean()) for b in full]))


def naive_half_width(errors, coverage):
    """The plain quantile: too narrow, the more so the fewer samples there are."""
    return float(np.quantile(errors, coverage))
