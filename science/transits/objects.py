"""Light curves already in memory: lightkurve, astropy tables and time series, pandas, mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from science.core.errors import UserError
from science.transits.columns import Columns, choose
from science.transits.lightcurve import Star
from science.transits.text import named


def from_object(source: Any, flux: str, where: str) -> Columns:
    """The light-curve columns of an object, told by its methods so that no peer is imported."""
    if hasattr(source, "colnames"):
        return from_table(source, flux, where)
    if hasattr(source, "columns") and hasattr(source, "reset_index"):
        if source.index.name:
            source = source.reset_index()
        columns = {str(name): source[name].to_numpy() for name in source.columns}
        return _mapping(columns, flux, where)
    if isinstance(source, Mapping):
        return _mapping({str(name): value for name, value in source.items()}, flux, where)
    raise UserError(
        f"{type(source).__name__} is no light curve",
        "give a file, a lightkurve or astropy object, a data frame, or arrays named time and flux",
    )


def from_table(table: Any, flux: str, where: str) -> Columns:
    """The light-curve columns of an astropy table, time series or lightkurve light curve."""
    parts = choose(table.colnames, flux, where)
    columns = named({part: _plain(table[name]) for part, name in parts.items()}, parts)
    meta = {str(key).upper(): value for key, value in dict(getattr(table, "meta", {})).items()}
    time = table[parts["time"]]
    if hasattr(time, "jd"):
        columns.time_unit = ""
        if getattr(time, "scale", "tdb") == "utc":
            columns.notes.append("times are UTC, up to 70 s from barycentric dynamical time")
    else:
        columns.time_unit = str(getattr(time, "unit", None) or columns.time_unit)
    columns.flux_unit = str(getattr(table[parts["flux"]], "unit", None) or columns.flux_unit)
    said = f"{meta.get('MISSION', '')} {meta.get('TELESCOP', '')}".upper()
    format_name = str(getattr(time, "format", columns.time_unit))
    columns.mission = _mission(said, format_name)
    columns.target = _target(meta, columns.mission)
    columns.star = _star(meta)
    if columns.segment is None:
        number = next((meta[k] for k in ("QUARTER", "SECTOR", "CAMPAIGN") if k in meta), None)
        columns.segment = int(number) if isinstance(number, (int, np.integer)) else None
    return columns


def _mapping(columns: dict[str, Any], flux: str, where: str) -> Columns:
    parts = choose(columns, flux, where)
    return named({part: _plain(columns[name]) for part, name in parts.items()}, parts)


def _plain(column: Any) -> Any:
    if hasattr(column, "jd"):
        column = column.jd
    mask = getattr(column, "mask", None)
    values = np.asarray(getattr(column, "unmasked", column))
    if mask is None or not np.any(mask):
        return values
    return np.where(np.asarray(mask), np.nan, values.astype(np.float64))


def _mission(said: str, time_format: str) -> str:
    if "K2" in said.split():
        return "K2"
    if "TESS" in said or "btjd" in time_format.lower():
        return "TESS"
    if "KEPLER" in said or "bkjd" in time_format.lower():
        return "Kepler"
    return "unknown"


def _target(meta: Mapping[str, Any], mission: str) -> str:
    prefix = {"Kepler": "KIC", "K2": "EPIC", "TESS": "TIC"}.get(mission)
    for key in ("TICID", "KEPLERID", "TARGETID"):
        digits = str(meta.get(key, ""))
        if prefix and digits.isdigit():
            return f"{prefix}-{int(digits)}"
    return "-".join(str(meta.get("OBJECT", meta.get("LABEL", ""))).split())[:80] or "unknown"


def _star(meta: Mapping[str, Any]) -> Star:
    def number(*keys: str) -> float:
        found = (meta[key] for key in keys if isinstance(meta.get(key), (int, float)))
        return float(next(found, float("nan")))

    logg, radius = number("LOGG"), number("RADIUS")
    mass = 10.0 ** (logg - 4.438) * radius**2
    return Star(number("TEFF"), logg, radius, mass, number("KEPMAG", "TESSMAG"))
