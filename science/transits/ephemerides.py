"""Ephemerides that somebody gives: tables of known planets or of signals to judge."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from science.core.errors import UserError
from science.transits import tables
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.target import kepler_number

KOI = "koi"
JULIAN = 2_400_000.0  # epochs above are Julian dates, below they count from the mission's zero
_KOI_NAMES = ("CONFIRMED", "CANDIDATE")

# Column names, and what one unit of them is in days or relative flux.
_PERIOD = {"period": 1.0, "koi_period": 1.0, "tce_period": 1.0, "pl_orbper": 1.0}
_EPOCH = {"epoch": 1.0, "t0": 1.0, "time0": 1.0, "koi_time0bk": 1.0, "tce_time0bk": 1.0}
_EPOCH |= {"koi_time0": 1.0, "pl_tranmid": 1.0, "epoch_bjd": 1.0}
_DURATION = {"duration": 1.0, "duration_days": 1.0, "duration_hours": 1 / 24}
_DURATION |= dict.fromkeys(("koi_duration", "tce_duration", "pl_trandur", "pl_trandurh"), 1 / 24)
_DEPTH = {"depth": 1.0, "depth_ppm": 1e-6, "koi_depth": 1e-6, "tce_depth": 1e-6}
_DEPTH |= {"pl_trandep": 1e-6}
_TARGET = ("target", "star", "kepid", "tic_id", "tid")


def known_planets(
    known: str | Path | Sequence[Ephemeris] | None, lc: LightCurve
) -> list[Ephemeris]:
    """Planets of this star that are not to be found again.

    ``known`` is a table as `read_ephemerides` takes it, the word ``koi`` for the confirmed and
    candidate KOIs of the star, or the ephemerides themselves.
    """
    if known is None:
        return []
    if not isinstance(known, (str, Path)):
        return [on_zero(ephemeris, lc) for ephemeris in known]
    if str(known).lower() != KOI:
        return read_ephemerides(known, lc)
    number = kepler_number(lc.target)
    if number is None:
        raise UserError(
            f"{lc.target} is not in Kepler's table of KOIs", "give a table with --known"
        )
    frame = tables.koi()
    mine = frame[(frame["kepid"] == number) & frame["koi_disposition"].isin(_KOI_NAMES)]
    return _from_frame(mine, lc, "transits/koi")


def read_ephemerides(path: str | Path, lc: LightCurve) -> list[Ephemeris]:
    """The rows of a CSV that speak of this star.

    Columns: ``period`` [days], ``epoch`` [days on the light curve's zero, or a full BJD],
    ``duration`` [days] or ``duration_hours``, and if known ``depth`` [relative] or ``depth_ppm``;
    or the archives' own names (``koi_period``, ``koi_time0bk``, ``koi_duration``, ``tce_...``,
    ``pl_orbper``, ...) in their units. With a column ``target``, ``kepid`` or ``tic_id`` only the
    rows of the star count. The tables that ``search`` writes can be given back.
    """
    path = Path(path)
    try:
        frame = pd.read_csv(path, comment="#")
    except OSError as problem:
        raise UserError(
            f"{path}: {problem.strerror or 'cannot be read'}", "check the path"
        ) from None
    except (ValueError, csv.Error) as problem:
        cure = "give a CSV with the columns period, epoch, duration"
        raise UserError(
            f"{path} is no table: {' '.join(str(problem).split())[:80]}", cure
        ) from None
    frame.columns = [str(name).strip().lower() for name in frame.columns]
    return _from_frame(_of_star(frame, lc.target), lc, str(path))


def _of_star(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    name = next((name for name in _TARGET if name in frame), None)
    if name is None:
        return frame
    digits = target.rpartition("-")[2].lstrip("0")
    said = frame[name].astype(str).str.strip()
    number = said.str.replace(r"^.*?[-_ ]", "", regex=True).str.replace(r"\.0$", "", regex=True)
    return frame[(said == target) | (number.str.lstrip("0") == digits)]


def _from_frame(frame: pd.DataFrame, lc: LightCurve, where: str) -> list[Ephemeris]:
    period = _column(frame, _PERIOD, "period", where)
    epoch = _column(frame, _EPOCH, "epoch", where)
    duration = _column(frame, _DURATION, "duration", where)
    named = any(name in frame for name in _DEPTH)
    depth = _column(frame, _DEPTH, "depth", where) if named else np.full(len(frame), np.nan)
    rows = zip(period, epoch, duration, depth, strict=True)
    return [on_zero(Ephemeris(*map(float, row)), lc) for row in rows]


def _column(
    frame: pd.DataFrame, names: Mapping[str, float], what: str, where: str
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    name = next((name for name in names if name in frame), None)
    if name is None:
        raise UserError(f"{where}: no column for the {what}", f"name it one of {', '.join(names)}")
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
    return np.asarray(values * names[name])


def on_zero(ephemeris: Ephemeris, lc: LightCurve) -> Ephemeris:
    """The ephemeris with its epoch on the light curve's zero, if it was a Julian date."""
    if ephemeris.epoch > JULIAN:
        return replace(ephemeris, epoch=ephemeris.epoch - lc.epoch_zero)
    return ephemeris


def duration_in_days(text: str) -> float:
    """``0.11`` and ``0.11d`` are days, ``2.7h`` hours."""
    word = text.strip().lower()
    unit = 1 / 24 if word.endswith("h") else 1.0
    try:
        days = float(word.rstrip("hd")) * unit
    except ValueError:
        days = float("nan")
    if not (np.isfinite(days) and days > 0):
        raise UserError(f"{text!r} is no duration", "give days such as 0.11, or hours such as 2.7h")
    return days
