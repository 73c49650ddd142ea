"""Curves in space that a reader can turn: chains, paths, orbits.

Without scripts, and on paper, a picture of them stands in their place. The script draws on a plain
canvas; a page of any number of scenes costs its few kilobytes once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import jinja2
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, Field, model_validator

from science.core.fragments import ENVIRONMENT
from science.core.report import Report, svg
from science.core.style import style

_TEMPLATES = Path(__file__).parent / "templates"
_MOST = 20_000  # points of one curve
_SMOOTH = 4  # pieces that the picture draws each step in
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]


class Curve(BaseModel):
    """One curve.

    Attributes:
        label: what it is.
        colour: of its name, and of the curve where ``shades`` are not given.
        points: in order; the unit is up to the caller, one for all curves of a scene.
        shades: one colour a point.
        thin: draw it as a line behind the others rather than as a tube.
    """

    label: str
    colour: Colour
    points: list[tuple[float, float, float]] = Field(min_length=2, max_length=_MOST)
    shades: list[Colour] = []
    thin: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.shades and len(self.shades) != len(self.points):
            raise ValueError("give one shade a point, or none")
        if not np.isfinite(np.array(self.points)).all():
            raise ValueError("points must be numbers")
        return self


class Scene(BaseModel):
    """Curves that turn together, with a name and facts, one line each."""

    name: str
    curves: list[Curve] = Field(min_length=1)
    lines: list[str] = []


class Scenes(BaseModel):
    """What a widget keeps with a run."""

    scenes: list[Scene]


def points(array: ArrayLike) -> list[tuple[float, float, float]]:
    """Points of an (n, 3) array, to three decimals; rows that are not numbers are left out."""
    rows = np.asarray(array, np.float64)
    rows = rows[np.isfinite(rows).all(1)]
    return [(round(x, 3), round(y, 3), round(z, 3)) for x, y, z in rows.tolist()]


def add(page: Report, scenes: Sequence[Scene], caption: str = "") -> None:
    """Show scenes on ``page``, side by side where there is room."""
    if not scenes:
        return
    data = [scene.model_dump(include={"curves"}) for scene in scenes]
    names = [scene.name for scene in scenes]
    digest = hashlib.sha256(json.dumps([data, names], sort_keys=True).encode()).hexdigest()
    key = f"curves-{digest[:12]}"
    environment = ENVIRONMENT.overlay(loader=jinja2.FileSystemLoader(_TEMPLATES))
    module: Any = environment.get_template("curves.html.j2").module
    shown = [
        {
            "name": scene.name,
            "lines": scene.lines,
            "poster": _encoded(svg(poster(scene))),
            "labels": [(curve.label, curve.colour) for curve in scene.curves],
        }
        for scene in scenes
    ]
    page.html(module.scenes(shown, key, caption)).data(key, data)
    page.style((_TEMPLATES / "curves.css").read_text(encoding="utf-8"))
    page.script((_TEMPLATES / "curves.js").read_text(encoding="utf-8"))


def poster(scene: Scene) -> Figure:
    """The scene seen across its two longest axes."""
    whole = np.concatenate([np.array(curve.points) for curve in scene.curves])
    middle = whole.mean(0)
    axes = np.linalg.svd(whole - middle, full_matrices=False)[2]
    if np.linalg.det(axes) < 0:  # a mirror would show the other hand
        axes[2] *= -1
    with style():
        figure = Figure(figsize=(3.2, 3.2))
        ax = figure.subplots()
        for curve in sorted(scene.curves, key=lambda one: not one.thin):
            _draw(ax, curve, (np.array(curve.points) - middle) @ axes.T)
        ax.set_aspect("equal")
        ax.autoscale_view()
        ax.set_axis_off()
    return figure


def _draw(ax: Any, curve: Curve, at: NDArray[np.float64]) -> None:
    line = smooth(at, _SMOOTH)
    pieces = np.stack([line[:-1], line[1:]], 1)
    shades = curve.shades or [curve.colour] * len(curve.points)
    order = np.argsort(pieces[:, :, 2].mean(1))
    colours = [shades[min(k // _SMOOTH, len(shades) - 1)] for k in order.tolist()]
    width = 1.0 if curve.thin else 2.6
    ax.add_collection(
        LineCollection(list(pieces[order][:, :, :2]), colors=colours, lw=width, capstyle="round")
    )


def smooth(at: NDArray[np.float64], pieces: int) -> NDArray[np.float64]:
    """((n - 1) * pieces + 1, 3) a Catmull-Rom spline through (n, 3) points."""
    ends = np.concatenate([at[:1], at, at[-1:]])
    p0, p1, p2, p3 = ends[:-3], ends[1:-2], ends[2:-1], ends[3:]
    t = (np.arange(pieces) / pieces)[None, :, None]
    p0, p1, p2, p3 = (p[:, None] for p in (p0, p1, p2, p3))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.concatenate([curve.reshape(-1, 3), at[-1:]])


def _encoded(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()
