"""Films of maps as one animated PNG, which every browser plays and no page has to run code for."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.style import WIDTH, plain, style
from science.weather.grid import Grid
from science.weather.maps import globe, levels, look, shown, told

Fields = NDArray[np.floating]
_MOST = 60  # frames; more make a page too heavy


def movie(
    channel: str,
    grid: Grid,
    films: Mapping[str, Fields],
    labels: Sequence[str],
    land: Fields | None = None,
    wait: int = 600,
) -> bytes:
    """Maps side by side, step by step.

    Args:
        channel: that is shown.
        grid: of the maps.
        films: name -> (steps, lat, lon) in SI: a forecast, and the truth beside it.
        labels: of the steps.
        land: share of land, whose outline is drawn.
        wait: milliseconds of a frame.

    Returns:
        An animated PNG.
    """
    from PIL import Image

    label, unit, *_ = shown(channel)
    fields = {name: told(channel, film) for name, film in films.items()}
    signed, colours = look(channel)
    ends = levels(list(fields.values()), signed)
    stride = max(1, -(-len(labels) // _MOST))
    frames = []
    for step in range(0, len(labels), stride):
        with style():
            wide = len(fields)
            figure = Figure(
                figsize=(WIDTH * (0.68 if wide == 1 else 1.0), 3.3 if wide == 1 else 2.7)
            )
            axes = figure.subplots(1, wide, squeeze=False)[0]
            for ax, (name, film) in zip(axes, fields.items(), strict=True):
                drawn = globe(ax, grid, film[step], land, ends, colours)
                ax.set_title(plain(f"{name}, {labels[step]}"), fontsize=9)
            bar = figure.colorbar(drawn, ax=list(axes), location="bottom", shrink=0.5, aspect=40)
            bar.set_label(plain(f"{label} [{unit}]"), fontsize=8)
            canvas = FigureCanvasAgg(figure)
            canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        frames.append(Image.fromarray(pixels).convert("RGB").quantize(96))
    data = io.BytesIO()
    frames[0].save(
        data, "PNG", save_all=True, append_images=frames[1:], duration=wait, loop=0, optimize=True
    )
    return data.getvalue()
