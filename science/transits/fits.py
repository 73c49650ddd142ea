"""Light curves in FITS: Kepler, K2, TESS (SPOC, QLP), K2SFF, EVEREST, lightkurve's own."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits as astropy_fits

from science.core.errors import UserError
from science.transits.clock import BKJD, BTJD
from science.transits.columns import Columns, choose
from science.transits.lightcurve import Star

MAX_TABLES = 100
_AGAIN = "fetch it again"
_LOGG_SUN = 4.438


def read_fits(file: BinaryIO, path: Path, flux: str) -> Columns:
    """The light-curve columns of an open FITS file.

    Raises:
        UserError: damaged, truncated, without a light-curve table, or a target pixel file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", message=".*truncated.*")
            plain = isinstance(getattr(file, "name", None), str)
            with astropy_fits.open(file, memmap=plain) as tables:
                return _columns(tables, _size(file), path, flux)
    except UserError:
        raise
    except Exception as error:  # on hostile bytes the parser raises nearly every type there is
        reason = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise UserError(f"{path} is not a readable FITS file: {reason}", _AGAIN) from error


def _size(file: BinaryIO) -> int:
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return size


def _columns(tables: Any, size: int, path: Path, flux: str) -> Columns:
    refusal: UserError | None = None
    for index in range(1, MAX_TABLES):
        try:
            table = tables[index]
        except IndexError:
            break
        if not isinstance(table, astropy_fits.BinTableHDU):
            continue
        _check_extent(table, size, path)
        try:
            parts = choose(table.columns.names, flux, str(path))
        except UserError as error:
            refusal = refusal or error
            continue
        return _read(table, parts, tables[0].header, path)
    raise refusal or UserError(f"{path} has no table with a light curve", "name an _lc.fits file")


def _check_extent(table: Any, size: int, path: Path) -> None:
    width, rows = int(table.header["NAXIS1"]), int(table.header["NAXIS2"])
    begins = int(table.fileinfo()["datLoc"])
    if rows < 0 or width <= 0:
        raise UserError(f"{path} says it has {rows} rows of {width} bytes", _AGAIN)
    if rows == 0:
        raise UserError(f"{path} has a table without rows", _AGAIN)
    if begins + width * rows > size:
        raise UserError(
            f"{path} is truncated: {width * rows} bytes of data announced, {size - begins} there",
            _AGAIN,
        )


def _read(table: Any, parts: dict[str, str], primary: Any, path: Path) -> Columns:
    headers = (table.header, primary)
    if np.ndim(table.data[parts["flux"]]) > 1:
        raise UserError(
            f"{path} holds images (a target pixel file)", "name the light-curve file (_llc, _lc)"
        )
    notes = []
    if table.verify_datasum() == 0:
        notes.append("the table does not match its own checksum: it may have been altered")
    mission = _mission(headers)
    columns = Columns(
        **{part: np.array(table.data[name]) for part, name in parts.items()},
        time_unit=str(table.columns[parts["time"]].unit or ""),
        flux_unit=str(table.columns[parts["flux"]].unit or ""),
        target=_target(headers, mission),
        mission=mission,
        epoch_zero=_epoch_zero(headers),
        exposure=_exposure(headers),
        star=_star(headers),
        quick_look=parts["flux"].upper().startswith(("KSPSAP", "DET_FLUX", "SYS_RM")),
        notes=notes,
    )
    if columns.segment is None:
        columns.segment = _segment(headers)
    if columns.quick_look:
        columns.notes.append("quick-look flux is already high-pass filtered; long transits shrink")
    return columns


def _text(headers: tuple[Any, ...], key: str) -> str:
    for header in headers:
        value = header.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def _number(headers: tuple[Any, ...], *keys: str) -> float:
    for key in keys:
        for header in headers:
            value = header.get(key)
            usable = isinstance(value, (int, float)) and not isinstance(value, bool)
            if usable and np.isfinite(float(value)):
                return float(value)
    return float("nan")


def _mission(headers: tuple[Any, ...]) -> str:
    said = f"{_text(headers, 'MISSION')} {_text(headers, 'TELESCOP')}".upper()
    if "K2" in said.split():
        return "K2"
    if "TESS" in said:
        return "TESS"
    if "KEPLER" in said:
        return "K2" if _text(headers, "CAMPAIGN") and not _text(headers, "QUARTER") else "Kepler"
    return "unknown"


def _target(headers: tuple[Any, ...], mission: str) -> str:
    named = _text(headers, "OBJECT")
    digits = _text(headers, "TICID") or _text(headers, "KEPLERID") or named
    prefix = {"Kepler": "KIC", "K2": "EPIC", "TESS": "TIC"}.get(mission)
    if prefix and digits.isdigit():
        return f"{prefix}-{int(digits)}"
    return "-".join(named.split())[:80]


def _segment(headers: tuple[Any, ...]) -> int | None:
    for key in ("QUARTER", "SECTOR", "CAMPAIGN"):
        text = _text(headers, key)
        if text.isdigit() and int(text) < 100_000:
            return int(text)
    return None


def _epoch_zero(headers: tuple[Any, ...]) -> float | None:
    whole, part = _number(headers, "BJDREFI"), _number(headers, "BJDREFF")
    if np.isfinite(whole):
        zero = whole + (part if np.isfinite(part) else 0.0)
        # Zero means full Julian dates; the numbers themselves then say so.
        return zero if zero > 2.3e6 else None
    return {"KEPLER": BKJD, "TESS": BTJD}.get(_text(headers, "TELESCOP").upper())


def _exposure(headers: tuple[Any, ...]) -> float | None:
    step = _number(headers, "TIMEDEL")
    return step if 1e-6 < step < 1.0 else None


def _star(headers: tuple[Any, ...]) -> Star:
    teff, logg = _number(headers, "TEFF"), _number(headers, "LOGG")
    radius, mass = _number(headers, "RADIUS"), _number(headers, "MASS")
    teff = teff if 500 < teff < 1e6 else float("nan")
    logg = logg if -2 < logg < 10 else float("nan")
    radius = radius if 1e-3 < radius < 1e4 else float("nan")
    if not 1e-2 < mass < 1e3:
        mass = 10.0 ** (logg - _LOGG_SUN) * radius**2
    return Star(teff, logg, radius, mass, _number(headers, "KEPMAG", "TESSMAG"))
