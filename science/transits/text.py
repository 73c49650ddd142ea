"""Light curves as text (CSV, TSV, blank-separated, ECSV) and as npz."""

from __future__ import annotations

import csv
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from science.core.errors import UserError
from science.transits.columns import Columns, choose, unit_in
from science.transits.unpack import LIMIT

_AGAIN = "fetch or write it again"
_PEEK = 64 * 1024
_UNNAMED = ("time", "flux", "flux_err")


def read_text(file: BinaryIO, path: Path, flux: str) -> Columns:
    """The light-curve columns of an open text file, with or without a header line.

    Without a header the columns are time, flux and, if present, the flux's error.
    """
    peek = file.read(_PEEK)
    file.seek(0)
    if b"\x00" in peek:
        raise UserError(
            f"{path} is neither FITS, npz nor text", "convert it to CSV with columns time and flux"
        )
    lines = peek.decode("utf-8-sig", errors="replace").splitlines()
    if lines and lines[0].startswith("# %ECSV"):
        return _ecsv(file, path, flux)
    names, separator, skip = _layout(lines, path)
    frame = _frame(file, path, names, separator, skip)
    parts = choose(names, flux, str(path))
    return named(
        {part: pd.to_numeric(frame[name], errors="coerce") for part, name in parts.items()},
        parts,
    )


def read_npz(file: BinaryIO, path: Path, flux: str) -> Columns:
    """The light-curve columns of an open npz file: ``time``, ``flux`` and optional others."""
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LIMIT:
                raise UserError(f"{path} decompresses to more than {LIMIT} bytes", "split it")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            parts = choose(arrays.files, flux, str(path))
            return named({part: arrays[name] for part, name in parts.items()}, parts)
    except UserError:
        raise
    except Exception as error:  # zipfile and numpy raise many types on damaged input
        reason = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise UserError(f"{path} is not a readable npz file: {reason}", _AGAIN) from error


def named(values: dict[str, Any], parts: dict[str, str]) -> Columns:
    """Columns from the arrays chosen, with what the columns' names say of units and mission."""
    unit = unit_in(parts["time"])
    mission = {"bkjd": "Kepler", "btjd": "TESS"}.get(unit.lower(), "unknown")
    arrays: dict[str, Any] = {part: np.asarray(value) for part, value in values.items()}
    return Columns(**arrays, time_unit=unit, flux_unit=unit_in(parts["flux"]), mission=mission)


def _ecsv(file: BinaryIO, path: Path, flux: str) -> Columns:
    from astropy.table import Table

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = Table.read(file.read().decode("utf-8").splitlines(), format="ascii.ecsv")
    except Exception as error:  # the YAML header makes this parser raise many types
        reason = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise UserError(f"{path} is not a readable ECSV file: {reason}", _AGAIN) from error
    from science.transits.objects import from_table

    return from_table(table, flux, str(path))


def _layout(lines: list[str], path: Path) -> tuple[list[str], str, int]:
    """Names of the columns, the separator (a regular expression), and lines before the data."""
    first = next(
        (n for n, line in enumerate(lines) if line.strip() and line.strip()[0] != "#"), None
    )
    if first is None:
        raise UserError(f"{path} has no line of data", _AGAIN)
    separator = next((mark for mark in (",", ";", "\t", "|") if mark in lines[first]), r"\s+")
    fields = _split(lines[first], separator)
    if not any(_is_number(field) for field in fields):
        return _unique(fields), separator, first + 1
    comment = lines[first - 1].strip() if first else ""
    if comment.startswith("#"):
        told = _split(comment.lstrip("# "), separator)
        told = told if len(told) == len(fields) else comment.lstrip("# ").split()
        if len(told) == len(fields):
            return _unique(told), separator, first
    if len(fields) < 2:
        raise UserError(f"{path} has one column only", "give at least time and flux")
    extra = [f"column_{n}" for n in range(len(_UNNAMED), len(fields))]
    return [*_UNNAMED[: len(fields)], *extra], separator, first


def _split(line: str, separator: str) -> list[str]:
    if separator == r"\s+":
        return re.split(separator, line.strip())
    return [field.strip() for field in next(csv.reader([line], delimiter=separator))]


def _unique(names: list[str]) -> list[str]:
    return [
        name if name and name not in names[:n] else f"{name}#{n}" for n, name in enumerate(names)
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _frame(file: BinaryIO, path: Path, names: list[str], separator: str, skip: int) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = pd.read_csv(
                file,
                sep=separator,
                names=names,
                header=None,
                skiprows=skip,
                comment="#",
                index_col=False,
                on_bad_lines="skip",
                encoding="utf-8",
                encoding_errors="replace",
                low_memory=False,
                skipinitialspace=True,
            )
    except (ValueError, OSError, OverflowError, csv.Error) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise UserError(f"{path} is not a readable table: {reason}", _AGAIN) from error
    if frame.empty:
        raise UserError(f"{path} has a header and no line of data", _AGAIN)
    return frame
