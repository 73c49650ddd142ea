"""Maps of fields on the globe or a region, with coastlines from the land mask that is at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.style import INK, WIDTH, plain, style
from science.weather.grid import Grid

Field = NDArray[np.floating]
# What a reader knows: name, unit, and the factor and shift that bring SI there.
SHOWN: dict[str, tuple[str, str, float, float]] = {
    "z": ("geopotential height", "dam", 1 / 98.0665, 0.0),
    "t": ("temperature", "°C", 1.0, -273.15),
    "t_low": ("temperature near the ground", "°C", 1.0, -273.15),
    "u": ("eastward wind", "m/s", 1.0, 0.0),
    "v": ("northward wind", "m/s", 1.0, 0.0),
    "q": ("specific humidity", "g/kg", 1000.0, 0.0),
    "q_low": ("humidity near the ground", "g/kg", 1000.0, 0.0),
    "sp": ("surface pressure", "hPa", 0.01, 0.0),
    "msl": ("sea-level pressure", "hPa", 0.01, 0.0),
    "slp": ("sea-level pressure", "hPa", 0.01, 0.0),
    "tp": ("precipitation in 6 h", "mm", 1.0, 0.0),
    "vo": ("vorticity", "1e-5/s", 1e5, 0.0),
}


def shown(channel: str) -> tuple[str, str, float, float]:
    """Label, unit, factor and shift of a channel for people."""
    from science.weather.variables import split

    variable, level = split(channel)
    label, unit, factor, shift = SHOWN.get(variable, (variable, "SI", 1.0, 0.0))
    return (label if level is None else f"{label}, {level} hPa"), unit, factor, shift


def told(channel: str, field: Field) -> Field:
    """A field in the unit that people know."""
    _, _, factor, shift = shown(channel)
    return field * factor + shift


def look(channel: str) -> tuple[bool, str]:
    """Whether a channel has two signs, and its colours."""
    from science.weather.variables import split

    variable = split(channel)[0]
    signed = variable[0] in "uv"
    colours = {"tp": "Blues", "q": "Blues", "q_low": "Blues"}
    return signed, "RdBu_r" if signed else colours.get(variable, "viridis")


def levels(fields: Sequence[Field], signed: bool) -> tuple[float, float]:
    """Ends of a colour scale that all fields share; even about 0 if ``signed``."""
    every = np.concatenate([np.ravel(f) for f in fields])
    low, high = np.nanpercentile(every, [0.5, 99.5])
    if signed:
        high = max(abs(low), abs(high), 1e-12)
        low = -high
    return float(low), float(max(high, low + 1e-12))


def globe(
    ax: Axes,
    grid: Grid,
    field: Field,
    land: Field | None = None,
    ends: tuple[float, float] | None = None,
    colours: str = "viridis",
) -> Any:
    """One map on plain axes of longitude and latitude, centred on Greenwich if it is the globe."""
    lon, shown_field, shown_land = grid.lon, field, land
    if grid.circular:  # Europe and Africa in the middle, as maps are usually drawn
        half = len(lon) // 2
        lon = np.concatenate([lon[half:] - 360, lon[:half]])
        shown_field = np.roll(field, half, -1)
        shown_land = None if land is None else np.roll(land, half, -1)
    low, high = ends or levels([field], False)
    drawn = ax.pcolormesh(
        lon, grid.lat, shown_field, vmin=low, vmax=high, cmap=colours, shading="nearest"
    )
    if shown_land is not None and np.ptp(shown_land) > 0:
        ax.contour(lon, grid.lat, shown_land, [0.5], colors=INK, linewidths=0.8)
    ax.set(ylim=(grid.lat.min(), grid.lat.max()), aspect="equal" if not grid.circular else "auto")
    ax.grid(False)
    ax.tick_params(labelsize=7)
    return drawn


def side_by_side(
    channel: str,
    grid: Grid,
    columns: Mapping[str, Sequence[Field]],
    rows: Sequence[str],
    land: Field | None = None,
    size: bool = False,
) -> Figure:
    """Maps of several models (columns) at several times (rows) on one colour scale.

    Args:
        channel: that all of them show.
        grid: of all maps.
        columns: model -> a map for each row, in SI.
        rows: labels.
        land: share of land (lat, lon), whose outline is drawn.
        size: whether the maps are sizes of differences, which have no zero of temperature.
    """
    label, unit, factor, _ = shown(channel)
    turned = (lambda _, f: f * factor) if size else told
    fields = {name: [turned(channel, f) for f in each] for name, each in columns.items()}
    signed, colours = (False, "magma_r") if size else look(channel)
    unit = "K" if size and unit == "°C" else unit
    ends = levels([f for each in fields.values() for f in each], signed)
    with style():
        figure = Figure(figsize=(WIDTH, 0.6 + 1.75 * len(rows)))
        axes = figure.subplots(len(rows), len(columns), squeeze=False, sharex=True, sharey=True)
        for j, (name, each) in enumerate(fields.items()):
            for i, field in enumerate(each):
                drawn = globe(axes[i, j], grid, field, land, ends, colours)
                axes[i, j].set_title(plain(f"{name}, {rows[i]}"), fontsize=9)
        bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.5, aspect=40, pad=0.02)
        bar.set_label(plain(f"{label} [{unit}]"), fontsize=9)
    return figure
