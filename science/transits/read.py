"""Reading light curves, whatever they come as; one bad file never stops the others."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from science.core.errors import UserError
from science.transits.columns import Columns, finish
from science.transits.lightcurve import LightCurve
from science.transits.unpack import unpack

SUFFIXES = (".fits", ".fit", ".fits.gz", ".fit.gz", ".csv", ".csv.gz", ".ecsv", ".tsv", ".txt",
            ".dat", ".tbl", ".npz")  # fmt: skip
_CATALOGUE = re.compile(r"(KIC|EPIC|TIC|KOI|TOI|Kepler|K2)[-_ ]?0*(\d+(?:\.\d+)?)", re.IGNORECASE)
_PRODUCT = re.compile(r"(kplr|ktwo|tess\d+-s\d{4}-)0*(\d+)")
_COUNTED = re.compile(r"(\d+)(?: of (\d+))?( points .*)")
_OF_KEPLER = ("KIC", "KOI", "Kepler")
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


@dataclass(frozen=True)
class Failure:
    """A file that gave no light curve: what is wrong with it and what to do."""

    path: str
    problem: str
    cure: str = ""


def read(source: Any, *, quality: str | int = "default", flux: str = "pdcsap") -> LightCurve:
    """The light curve in one file or object, cleaned (``science.transits.clean``).

    Files: FITS of Kepler, K2, TESS (SPOC, QLP) and of lightkurve, also gzipped; CSV, ECSV and
    other text; npz. Objects: lightkurve, astropy tables and time series, data frames, mappings
    with ``time`` and ``flux``; a ``LightCurve`` comes back as it is.

    Args:
        source: a path or an object.
        quality: flags to drop: ``default`` (the mission's advice), ``strict`` (any flag), ``none``,
            or a bitmask.
        flux: ``pdcsap`` (the best corrected flux the file has) or ``sap`` (as measured).

    Raises:
        UserError: no light curve; one line that names the file and the cure.
    """
    if isinstance(source, LightCurve):
        return source
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return finish(_of_file(path, flux), quality, str(path))
    from science.transits.objects import from_object

    where = f"the {type(source).__name__}"
    return replace(finish(from_object(source, flux, where), quality, where), source=())


def read_star(paths: Paths, *, quality: str | int = "default", flux: str = "pdcsap") -> LightCurve:
    """One star's light curve from several files, a folder or a pattern; the first bad file raises.

    Each quarter, sector or file is divided by its own median; see ``stitch``.
    """
    return stitch([read(path, quality=quality, flux=flux) for path in files(paths)])


def read_many(
    paths: Paths, *, quality: str | int = "default", flux: str = "pdcsap"
) -> tuple[list[LightCurve], list[Failure]]:
    """One light curve per star found in ``paths``, and the files that gave none.

    Files belong together when their headers, or else their names, give the same target.
    """
    stars: dict[str, list[LightCurve]] = {}
    failures: dict[str, Failure] = {}
    listed: dict[Path, None] = {}
    for item in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
        try:
            listed.update(dict.fromkeys(files(item)))
        except UserError as error:
            failures[str(item)] = Failure(str(item), error.problem, error.cure)
    for path in listed:
        try:
            curve = read(path, quality=quality, flux=flux)
        except UserError as error:
            failures[str(path)] = Failure(str(path), error.problem, error.cure)
        else:
            stars.setdefault(curve.target, []).append(curve)
    return [stitch(curves) for curves in stars.values()], list(failures.values())


def stitch(curves: Sequence[LightCurve]) -> LightCurve:
    """Several light curves of one star as one, sorted by time, on the first one's zero.

    Segments that would share a number although they come from different files get new numbers;
    a Kepler quarter given twice (in two cadences, say) is thus two segments.
    """
    if not curves:
        raise UserError("there is no light curve to read", "name at least one file")
    first = curves[0]
    if len(curves) == 1:
        return first
    names = dict.fromkeys(curve.target for curve in curves)
    if len(names) > 1:
        raise UserError(f"these are different stars: {', '.join(names)}", "give one at a time")
    notes = _summed(note for curve in curves for note in curve.notes)
    if len({round(curve.exposure, 4) for curve in curves}) > 1:
        notes.append("files of different cadence are mixed")
    shifts = [curve.epoch_zero - first.epoch_zero for curve in curves]
    parts: dict[str, list[Any]] = {
        "time": [curve.time + shift for curve, shift in zip(curves, shifts, strict=True)],
        "flux": [curve.flux for curve in curves],
        "error": [curve.error for curve in curves],
        "segment": _renumbered(curves),
    }
    joined: dict[str, Any] = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    order = np.argsort(joined["time"], kind="stable")
    keep = order[np.r_[True, np.diff(joined["time"][order]) > 0]]
    if len(keep) < len(order):
        notes.append(f"{len(order) - len(keep)} points present in two files dropped once")
    source = tuple(name for curve in curves for name in curve.source)
    whole = replace(first, source=source, notes=tuple(notes))
    return replace(whole, **{name: array[keep] for name, array in joined.items()})


def files(paths: Paths) -> list[Path]:
    """The files that paths, folders and patterns name, in that order and each once.

    A folder gives the files below it with a known suffix. A path that does not exist stays in the
    list, so that reading it says so.
    """
    listed = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    found: dict[Path, None] = {}
    for item in listed:
        path = Path(item)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.name.lower().endswith(SUFFIXES))
            if not inside:
                raise UserError(f"{path} holds no light-curve file", f"known: {' '.join(SUFFIXES)}")
            found.update(dict.fromkeys(inside))
        elif not path.exists() and glob.has_magic(str(item)):
            matches = sorted(map(Path, glob.glob(str(item), recursive=True)))  # noqa: PTH207
            if not matches:
                raise UserError(f"no file matches {item}", "check the pattern")
            found.update(dict.fromkeys(matches))
        else:
            found[path] = None
    if not found:
        raise UserError("there is no light curve to read", "name at least one file")
    return list(found)


def target_of(name: str) -> str:
    """The star a file name speaks of: ``kplr011442793-..._llc.fits`` -> ``KIC-11442793``."""
    product = _PRODUCT.search(name)
    if product:
        prefix = {"kplr": "KIC", "ktwo": "EPIC"}.get(product.group(1), "TIC")
        return f"{prefix}-{product.group(2)}"
    catalogue = _CATALOGUE.search(name)
    if catalogue:
        canonical = {"KEPLER": "Kepler"}.get(catalogue.group(1).upper())
        return f"{canonical or catalogue.group(1).upper()}-{catalogue.group(2)}"
    return name.split(".")[0] or "unknown"


def _of_file(path: Path, flux: str) -> Columns:
    with unpack(path) as file:
        start = file.read(8)
        file.seek(0)
        if start.startswith(b"SIMPLE"):
            from science.transits.fits import read_fits

            columns = read_fits(file, path, flux)
        elif ".fit" in path.name.lower():
            raise UserError(f"{path} is not a FITS file despite its name", "fetch it again")
        else:
            columns = _of_other(file, start, path, flux)
    if columns.target in ("", "unknown"):
        columns.target = target_of(path.name)
    if columns.mission == "unknown":
        columns.mission = _mission_of(columns.target)
    return columns


def _of_other(file: Any, start: bytes, path: Path, flux: str) -> Columns:
    from science.transits.text import read_npz, read_text

    reader = read_npz if start.startswith(b"PK") else read_text
    return reader(file, path, flux)


def _mission_of(target: str) -> str:
    prefix = target.split("-")[0]
    if prefix in _OF_KEPLER:
        return "Kepler"
    return {"EPIC": "K2", "K2": "K2", "TIC": "TESS", "TOI": "TESS"}.get(prefix, "unknown")


def _summed(notes: Iterable[str]) -> list[str]:
    """Notes that count points, added up over the files; the others once each."""
    counts: dict[str, list[int]] = {}
    for note in notes:
        found = _COUNTED.match(note)
        dropped, whole, rest = found.groups(default="0") if found else ("0", "0", note)
        sums = counts.setdefault(rest, [0, 0])
        sums[0], sums[1] = sums[0] + int(dropped), sums[1] + int(whole)
    return [
        f"{n} of {total}{rest}" if total else f"{n}{rest}" if n else rest
        for rest, (n, total) in counts.items()
    ]


def _renumbered(curves: Sequence[LightCurve]) -> list[Any]:
    taken: set[int] = set()
    numbered = []
    for curve in curves:
        own = set(np.unique(curve.segment).tolist())
        shift = max(taken) + 1 - min(own) if own & taken else 0
        numbered.append(curve.segment + shift)
        taken |= {number + shift for number in own}
    return numbered
