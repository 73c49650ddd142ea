"""From raw arrays to a light curve: finite, sorted, without duplicates, each segment around 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.transits.clock import check_spacing
from science.transits.lightcurve import Floats, LightCurve

MIN_POINTS = 20
MAX_SEGMENTS = 10_000

_Integers = NDArray[np.int64]


def clean(time: Any, flux: Any, error: Any = None, segment: Any = None, **known: Any) -> LightCurve:
    """A light curve from plain arrays; ``notes`` says what was dropped.

    Points without a finite time and flux go; times are sorted; each segment is divided by its own
    median; points of equal time become their median. Gaps stay gaps.

    Args:
        time: [days], shape (points,).
        flux: in any linear unit, positive on average, shape (points,).
        error: one-sigma uncertainty in the flux's unit; what is not positive counts as unknown.
        segment: number of the quarter or sector of each point, or one number for all.
        **known: other fields of ``LightCurve`` (target, mission, star, source, ...).

    Raises:
        UserError: fewer than ``MIN_POINTS`` usable points, or no positive median, or times that
            cannot be days.
    """
    name = str((known.get("source") or (known.get("target", "the light curve"),))[0])
    time, flux = numbers(time, "time", name), numbers(flux, "flux", name)
    size = len(time)
    error = np.full(size, np.nan) if error is None else numbers(error, "error", name)
    segment = _segments(segment, size, name)
    if not size == len(flux) == len(error) == len(segment):
        raise UserError(f"{name}: columns differ in length", "give one value of each per point")
    notes = list(known.pop("notes", ()))

    order, lost = _usable(time, flux, name)
    notes += lost
    (flux, error), lost = _normalised(flux[order], error[order], segment[order], name)
    notes += lost
    kept = np.isfinite(flux)
    parts = time[order][kept], flux[kept], error[kept], segment[order][kept]
    parts, lost = _merged(parts)
    notes += lost
    _enough(len(parts[0]), size, name)
    check_spacing(parts[0], name)
    if not known.get("exposure"):
        known["exposure"] = float(np.median(np.diff(parts[0])))
    return LightCurve(*parts, notes=tuple(notes), **known)


def numbers(values: Any, what: str, name: str) -> Floats:
    """One column as float64 of shape (points,); masked entries become ``nan``."""
    try:
        if np.ma.isMaskedArray(values):
            values = np.ma.filled(values.astype(np.float64), np.nan)
        array = np.asarray(getattr(values, "value", values))
        if array.dtype.kind in "cmMV":
            raise TypeError(f"type {array.dtype}")
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name}: {what} is not numeric ({error})", "give plain numbers") from error
    if array.ndim != 1:
        raise UserError(
            f"{name}: {what} has {array.ndim} dimensions", "give one value per point in time"
        )
    return array


def middles(key: NDArray[Any], values: Floats) -> tuple[_Integers, _Integers, _Integers]:
    """Where each run of equal ``key`` starts, and which entries hold its two middle values.

    ``key`` must be sorted; the median of run i is the mean of ``values[low[i]]`` and
    ``values[high[i]]``.
    """
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    count = np.diff(np.r_[start, len(key)])
    run = np.repeat(np.arange(len(start)), count)
    order = np.lexsort((values, run))
    return start, order[start + (count - 1) // 2], order[start + count // 2]


def _segments(segment: Any, size: int, name: str) -> _Integers:
    if segment is None:
        return np.zeros(size, dtype=np.int64)
    values = np.broadcast_to(segment, size) if np.ndim(segment) == 0 else segment
    values = numbers(values, "segment", name)
    safe = np.nan_to_num(values, nan=-1.0, posinf=-1.0, neginf=-1.0)
    whole: _Integers = np.clip(safe, -1, 2**31).astype(np.int64)
    return whole


def _usable(time: Floats, flux: Floats, name: str) -> tuple[_Integers, list[str]]:
    if len(time) != len(flux):
        raise UserError(f"{name}: time and flux differ in length", "give one value per point")
    finite = np.isfinite(time) & np.isfinite(flux)
    order = np.flatnonzero(finite)
    _enough(len(order), len(time), name)
    notes = []
    if len(order) < len(time):
        notes.append(f"{len(time) - len(order)} of {len(time)} points without time or flux dropped")
    ordered = time[order]
    if np.any(ordered[1:] < ordered[:-1]):
        order = order[np.argsort(ordered, kind="stable")]
        notes.append("times were not in order and have been sorted")
    return order, notes


def _normalised(
    flux: Floats, error: Floats, segment: _Integers, name: str
) -> tuple[tuple[Floats, Floats], list[str]]:
    flux, error = flux.copy(), error.copy()
    notes = []
    for number, where in _by_segment(segment, name):
        middle = float(np.median(flux[where]))
        if middle > 0 and np.isfinite(1.0 / middle):
            with np.errstate(over="ignore"):
                flux[where] /= middle
                error[where] /= middle
        else:
            flux[where] = np.nan
            notes.append(f"segment {number} dropped: its median flux is {middle:.3g}")
    kept = flux[np.isfinite(flux)]
    if not len(kept) or np.median(np.abs(kept - 1.0)) > 1.0:
        raise UserError(
            f"{name}: flux is centred on zero, so its relative depth means nothing",
            "add the star's mean flux, or 1 if it is relative flux",
        )
    with np.errstate(invalid="ignore"):
        error[~((error > 0) & np.isfinite(error))] = np.nan
    return (flux, error), notes


def _by_segment(segment: _Integers, name: str) -> Iterator[tuple[int, _Integers]]:
    if np.all(segment == segment[0]):
        yield int(segment[0]), np.arange(len(segment))
        return
    order = np.argsort(segment, kind="stable")
    values, start = np.unique(segment[order], return_index=True)
    if len(values) > MAX_SEGMENTS:
        raise UserError(
            f"{name}: {len(values)} different segments", "number quarters or sectors, not points"
        )
    yield from zip(values.tolist(), np.split(order, start[1:]), strict=True)


def _merged(
    parts: tuple[Floats, Floats, Floats, _Integers],
) -> tuple[tuple[Floats, Floats, Floats, _Integers], list[str]]:
    time, flux, error, segment = parts
    if not np.any(time[1:] == time[:-1]):
        return parts, []
    start, low, high = middles(time, flux)
    merged = (time[start], 0.5 * (flux[low] + flux[high]), error[low], segment[start])
    return merged, [f"{len(time) - len(start)} points of duplicated times merged (median)"]


def _enough(usable: int, size: int, name: str) -> None:
    if usable < MIN_POINTS:
        raise UserError(
            f"{name}: {usable} of {size} points are usable, {MIN_POINTS} are needed",
            "check the file and its quality flags, or try quality='none'",
        )
