"""Pictures of screening networks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.style import DASHES, MUTED, SERIES, WIDTH, plain, style
from science.crystals.uncertainty import LEVELS


def coverage(curves: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Share of errors inside central intervals against the share promised, one line per model."""
    with style():
        figure = Figure(figsize=(WIDTH * 0.6, 4.2))
        ax = figure.subplots()
        ax.plot([0, 1], [0, 1], color=MUTED, lw=1)
        for place, (name, held) in enumerate(curves.items()):
            color, dash = SERIES[place % len(SERIES)], DASHES[place % len(DASHES)]
            ax.plot(LEVELS, held, label=plain(name), color=color, ls=dash)
        ax.set(xlabel="share promised", ylabel="share found inside", aspect="equal")
        ax.set(xlim=(0, 1), ylim=(0, 1))
        ax.legend(loc="upper left")
    return figure
