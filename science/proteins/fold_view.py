"""Folds that a reader can turn, over the native structure where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from science.core import curves, pictures
from science.core.report import Report
from science.core.style import MUTED, ORANGE

_MAP = "viridis"


def scene(
    name: str,
    ca: NDArray[np.floating],
    native: NDArray[np.floating] | None = None,
    lines: Sequence[str] = (),
) -> curves.Scene:
    """A fold, violet at its N-terminus and yellow at its C-terminus.

    Args:
        name: of the protein.
        ca: (L, 3) C-alpha [Angstrom]; rows that are not numbers are left out.
        native: (L, 3) of the native structure, laid over the fold where both are known.
        lines: facts below it.
    """
    kept = np.isfinite(ca).all(1)
    ramp = mpl.colormaps[_MAP](np.linspace(0, 1, len(ca)))[kept]
    shades = [mpl.colors.to_hex(colour) for colour in ramp]
    drawn = [
        curves.Curve(label="fold", colour=ORANGE, points=curves.points(ca[kept]), shades=shades)
    ]
    if native is not None:
        laid = superposed(native, ca)
        drawn.append(
            curves.Curve(label="native", colour=MUTED, points=curves.points(laid), thin=True)
        )
    return curves.Scene(name=name, curves=drawn, lines=list(lines))


def superposed(moving: NDArray[np.floating], still: NDArray[np.floating]) -> NDArray[np.float64]:
    """``moving`` (L, 3) turned and shifted onto ``still`` (Kabsch 1976, Acta Cryst. A 32, 922)."""
    both = np.isfinite(moving).all(1) & np.isfinite(still).all(1)
    a, b = moving[both].astype(np.float64), still[both].astype(np.float64)
    u, _, v = np.linalg.svd((a - a.mean(0)).T @ (b - b.mean(0)))
    hand = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    turned: NDArray[np.float64] = (moving - a.mean(0)) @ (u * hand @ v) + b.mean(0)
    return turned


def keep(folder: Path, scenes: Sequence[curves.Scene], caption: str, section: str) -> None:
    """Keep folds with a run, to be shown on its page under the heading ``section``."""
    data = curves.Scenes(scenes=list(scenes)).model_dump()
    pictures.keep_widget(folder, "folds", data, "proteins/fold_view", caption, section)


def widget(page: Report, data: Any, caption: str) -> None:
    """Show what ``keep`` wrote; raises ``ValueError`` for anything else."""
    curves.add(page, curves.Scenes.model_validate(data).scenes, caption)
