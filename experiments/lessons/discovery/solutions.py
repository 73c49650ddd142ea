"""Right answers to lesson 9, and the usual wrong ones (``naive_``), which the checks refuse."""

import numpy as np


def choose_next(mean, doubt, asked, boldness):
    value = mean + boldness * doubt
    value[asked] = -np.inf
    return int(value.argmax())


def experiments_until(order, sought, count):
    places = [place for place, one in enumerate(order, 1) if one in sought]
    return places[count - 1]


def naive_choose_next(mean, doubt, asked, boldness):
    """Asks again what is known to be best."""
    return int((mean + boldness * doubt).argmax())


def naive_experiments_until(order, sought, count):
    """Counts from nought."""
    return [place for place, one in enumerate(order) if one in sought][count - 1]
