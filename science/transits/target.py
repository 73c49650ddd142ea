"""What the user named: files on disk, or a star whose files are to be fetched."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from science.core.errors import UserError
from science.transits.archive import fetch_target
from science.transits.lightcurve import LightCurve
from science.transits.read import SUFFIXES, Failure, files, read, read_many

_STAR = re.compile(r"(KIC|EPIC|TIC|KOI|TOI|Kepler)[ _-]?\d+([ .]?\w+)?", re.IGNORECASE)


def light_curves(sources: Any) -> tuple[list[LightCurve], list[Failure]]:
    """One light curve per star from files, folders, patterns, names of stars and objects, mixed.

    Files of one star belong together. Whatever gives no light curve is among the failures, and
    never stops the others.
    """
    many = [sources] if isinstance(sources, (str, os.PathLike, LightCurve)) else list(sources)
    curves: list[LightCurve] = []
    failures: list[Failure] = []
    paths: list[str | os.PathLike[str]] = []
    for source in many:
        try:
            if not isinstance(source, (str, os.PathLike)):
                curves.append(read(source))
            elif is_name(source):
                paths += fetch_target(str(source))
            else:
                paths.append(source)
        except UserError as error:
            failures.append(Failure(str(source), error.problem, error.cure))
    found, broken = read_many(paths) if paths else ([], [])
    return [*curves, *found], [*failures, *broken]


def is_name(source: str | os.PathLike[str]) -> bool:
    """Whether this is the name of a star rather than of a file."""
    text = str(source)
    is_file = Path(text).exists() or text.lower().endswith(SUFFIXES)
    return not is_file and _STAR.fullmatch(text.strip()) is not None


def kepler_number(target: str) -> int | None:
    """The KIC number in a name such as ``KIC-11442793``; None where there is none."""
    found = re.fullmatch(r"KIC[ _-]?0*(\d+)", target, re.IGNORECASE)
    return int(found[1]) if found else None


def one_name(curves: Sequence[LightCurve]) -> str:
    """A short name for a set of stars, fit for a folder."""
    name = curves[0].target if curves else "nothing"
    text = re.sub(r"[^A-Za-z0-9.+-]+", "-", name).strip("-.")[:60] or "star"
    return text if len(curves) <= 1 else f"{text}-and-{len(curves) - 1}-more"


__all__ = ["files", "is_name", "kepler_number", "light_curves", "one_name"]
