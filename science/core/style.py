"""The house style of figures: colours, type, and labels that are drawn as they read.

Colours are Okabe and Ito's (2008), which people with any common colour blindness can tell apart;
lines differ in dash as well.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib import font_manager

PAPER, INK, MUTED, RULE = "#fefefe", "#1c2128", "#5b6572", "#dcdad4"
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#e69f00",
    "#cc79a7",
    "#56b4e9",
)
SERIES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, MUTED)
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (2, 1)))
# Each colour's twin on a dark page; the report swaps them inside the SVG.
NIGHT = {
    PAPER: "#171b22",
    INK: "#e4e7ec",
    MUTED: "#9aa4b2",
    RULE: "#333b47",
    BLUE: "#4aa8e0",
    VERMILION: "#f0803c",
    GREEN: "#2fc39a",
    ORANGE: "#f0b840",
    PURPLE: "#dd9bc0",
    SKY: "#8accf2",
}
# Paths look the same on every machine; text would fall back to whatever font is there.
SAVING: dict[str, Any] = {"svg.fonttype": "path", "svg.hashsalt": "fifth"}
WIDTH = 8.6  # inches: the report's text column at 96 dots per inch
_LONGEST = 44  # narrow letters of a label; longer ones would squeeze the axes to nothing
_HAN = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei")


def draws_han() -> bool:
    """Whether a font with Chinese characters is installed (Noto Sans CJK, SIL OFL 1.1, is free)."""
    return not set(_HAN).isdisjoint(font_manager.get_font_names())


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The house style, in force inside the block only."""
    installed = set(font_manager.get_font_names())
    settings: dict[str, Any] = {
        "font.family": ["DejaVu Sans", *(name for name in _HAN if name in installed)],
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.titlepad": 8,
        "axes.labelsize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=SERIES),
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.8,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "figure.dpi": 96,
        "figure.constrained_layout.use": True,
    } | SAVING
    settings |= dict.fromkeys(("figure.facecolor", "axes.facecolor"), PAPER)
    settings |= dict.fromkeys(("text.color", "axes.titlecolor"), INK)
    settings |= dict.fromkeys(("axes.labelcolor", "axes.edgecolor", "xtick.color"), MUTED)
    settings |= {"ytick.color": MUTED, "grid.color": RULE}
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        yield


def plain(text: object) -> str:
    """``text`` as a label that is drawn as it reads: no mathematics, no controls, one short line.

    Without this a name with two dollar signs would be parsed as a formula, and a leading underscore
    would drop it from the legend.
    """
    kept = (c if unicodedata.category(c)[0] != "C" else " " for c in str(text))
    line = " ".join("".join(kept).split())
    wide = np.cumsum([1 + (unicodedata.east_asian_width(c) in "WF") for c in line])
    if len(line) and wide[-1] > _LONGEST:
        line = line[: int(np.searchsorted(wide, _LONGEST))] + "…"
    return (" " + line if line.startswith("_") else line).replace("$", r"\$")
