"""Pictures of scenes for paper and for pages without scripts: a small ray caster.

Parallel projection, as crystallographers draw; x points right, y up, z towards the reader. Every
pixel keeps the nearest surface, so balls and sticks cut each other as they should.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from science.crystals.scene import BEYOND, BORDER, HOME, Scene

Floats = NDArray[np.float64]

_TURN = (0.3, -0.42)  # about x and y: seen from a little above, a towards the reader and left
_FINE = 2  # rays per pixel and direction
_STICK, _EDGE = 0.1, 0.035  # radii [Å]
_GREY = np.array([0.48, 0.51, 0.55])  # of the cell's edges: seen on white and on black
_LIGHT = np.array([-0.40, 0.52, 0.755])
_FACE = 0.34  # opacity of a polyhedron's side


def standing() -> Floats:
    """The turn (3, 3) in which a cell is shown first: c up, a towards the reader and left."""
    (sx, cx), (sy, cy) = ((np.sin(a), np.cos(a)) for a in _TURN)
    down = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    aside = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    start = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
    turned: Floats = down @ aside @ start
    return turned


def render(scene: Scene, size: int = 300, polyhedra: bool = True, border: bool = True) -> Floats:
    """A picture of ``scene``, (size, size, 4) with red, green, blue and opacity from 0 to 1.

    Args:
        scene: what to draw.
        size: pixels a side.
        polyhedra: draw coordination polyhedra, and the atoms beyond the cell that complete them.
        border: repeat atoms on the border of the cell.
    """
    turn = standing()
    middle = scene.cell.sum(0) / 2
    level = (BEYOND if polyhedra and len(scene.faces) else BORDER) if border else HOME
    shown = scene.level <= level
    at = (scene.atoms - middle) @ turn.T
    radius = np.array([kind[2] for kind in scene.kinds])[scene.kind]
    corners = (_corners(scene.cell) - middle) @ turn.T
    reach = max(np.abs(corners[:, :2]).max(), (np.abs(at[shown, :2]).max(1) + radius[shown]).max())
    canvas = _Canvas(size * _FINE, float(reach) * 1.03)
    colours = np.array([_rgb(kind[1]) for kind in scene.kinds])[scene.kind]
    for start, end in _edges(scene.cell):
        canvas.stick((start - middle) @ turn.T, (end - middle) @ turn.T, _EDGE, _GREY)
    for i in np.flatnonzero(shown):
        canvas.ball(at[i], radius[i], colours[i])
    for i, j in scene.bonds[shown[scene.bonds].all(1)]:
        half = (at[i] + at[j]) / 2
        canvas.stick(at[i], half, _STICK, colours[i])
        canvas.stick(at[j], half, _STICK, colours[j])
    if polyhedra:
        faces = scene.faces[shown[scene.faces].all(1)]
        for i, j, k, centre in faces[np.argsort(at[faces[:, :3], 2].mean(1))]:
            canvas.face(at[[i, j, k]], colours[centre])
    return canvas.picture()


class _Canvas:
    """Nearest surface per ray; ``reach`` [Å] is from the middle to the rim."""

    def __init__(self, rays: int, reach: float) -> None:
        self.axis = (np.arange(rays) + 0.5) / rays * 2 * reach - reach
        self.reach = reach
        self.depth = np.full((rays, rays), -np.inf)
        self.colour = np.zeros((rays, rays, 4))

    def window(self, low: Floats, high: Floats) -> tuple[slice, slice, Floats, Floats]:
        """Rows and columns that see a box, with their x and y."""
        left, right = np.searchsorted(self.axis, [low[0], high[0]])
        bottom, top = np.searchsorted(self.axis, [low[1], high[1]])
        x, y = np.meshgrid(self.axis[left:right], self.axis[bottom:top])
        return slice(bottom, top), slice(left, right), x, y

    def ball(self, at: Floats, radius: float, colour: Floats) -> None:
        rows, columns, x, y = self.window(at - radius, at + radius)
        dx, dy = (x - at[0]) / radius, (y - at[1]) / radius
        up = np.sqrt(np.clip(1 - dx**2 - dy**2, 0, None))
        inside = dx**2 + dy**2 < 1
        normal = np.stack([dx, dy, up], -1)
        self.surface(rows, columns, inside, at[2] + radius * up, normal, colour)

    def stick(self, start: Floats, end: Floats, radius: float, colour: Floats) -> None:
        length = float(np.linalg.norm(end - start))
        way = (end - start) / max(length, 1e-9)
        flat = float(np.hypot(way[0], way[1]))
        if flat < 1e-6:  # seen from its end
            return
        across = np.array([-way[1], way[0], 0.0]) / flat
        towards = np.cross(way, across)
        towards *= np.sign(towards[2]) or 1.0
        ends = np.stack([start, end])
        rows, columns, x, y = self.window(ends.min(0) - radius, ends.max(0) + radius)
        dx, dy = x - start[0], y - start[1]
        off = (dx * across[0] + dy * across[1]) / radius
        up = np.sqrt(np.clip(1 - off**2, 0, None))
        lean = radius * up * (towards[0] * way[0] + towards[1] * way[1])
        along = ((dx * way[0] + dy * way[1]) - lean) / flat**2
        inside = (np.abs(off) < 1) & (along >= 0) & (along <= length)
        normal = off[..., None] * across + up[..., None] * towards
        depth = start[2] + along * way[2] + radius * up * towards[2]
        self.surface(rows, columns, inside, depth, normal, colour)

    def surface(
        self,
        rows: slice,
        columns: slice,
        inside: NDArray[np.bool_],
        depth: Floats,
        normal: Floats,
        colour: Floats,
    ) -> None:
        nearer = inside & (depth > self.depth[rows, columns])
        self.depth[rows, columns][nearer] = depth[nearer]
        shine = np.clip(normal @ _LIGHT, 0, 1)[nearer][:, None]
        lit = colour * (0.42 + 0.62 * shine) + 0.45 * shine**24
        fog = np.clip(0.25 - 0.4 * depth[nearer] / self.reach, 0, 0.55)
        self.colour[rows, columns][nearer] = np.c_[np.clip(lit, 0, 1), 1 - fog]

    def face(self, corners: Floats, colour: Floats) -> None:
        """A translucent triangle before what is drawn already."""
        a, b, c = corners
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if abs(area) < 1e-9:  # seen from its side
            return
        rows, columns, x, y = self.window(corners.min(0), corners.max(0))
        v = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
        w = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
        inside = (v >= 0) & (w >= 0) & (v + w <= 1)
        nearer = inside & (a[2] + v * (b[2] - a[2]) + w * (c[2] - a[2]) > self.depth[rows, columns])
        normal = np.cross(b - a, c - a)
        facing = abs(float(normal @ _LIGHT)) / max(float(np.linalg.norm(normal)), 1e-9)
        old = self.colour[rows, columns][nearer]
        kept = old[:, 3:] * (1 - _FACE)
        opacity = _FACE + kept
        mixed = (_FACE * colour * (0.72 + 0.28 * facing) + kept * old[:, :3]) / opacity
        self.colour[rows, columns][nearer] = np.c_[mixed, opacity]

    def picture(self) -> Floats:
        size = len(self.axis) // _FINE
        fine = self.colour[::-1].reshape(size, _FINE, size, _FINE, 4)
        opacity = fine[..., 3:].mean((1, 3))
        colour = (fine[..., :3] * fine[..., 3:]).mean((1, 3)) / np.maximum(opacity, 1e-9)
        whole: Floats = np.clip(np.concatenate([colour, opacity], -1), 0, 1)
        return whole


def _corners(cell: Floats) -> Floats:
    steps = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(-1, 3)
    return np.asarray(steps @ cell, np.float64)


def _edges(cell: Floats) -> list[tuple[Floats, Floats]]:
    steps = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(-1, 3)
    pairs = [(i, j) for i in range(8) for j in range(i) if np.abs(steps[i] - steps[j]).sum() == 1]
    return [(steps[i] @ cell, steps[j] @ cell) for i, j in pairs]


def _rgb(colour: str) -> Floats:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
