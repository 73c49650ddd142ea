"""Columns of a light-curve table: which is which, and how they become a light curve."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from science.core.errors import UserError
from science.transits.clean import clean, numbers
from science.transits.clock import in_days
from science.transits.lightcurve import LightCurve, Star
from science.transits.quality import bitmask, good

TIME = (
    "time", "t", "times", "bjd", "bkjd", "btjd", "bjd_tdb", "time_bjd", "time_bkjd", "time_btjd",
    "time_days", "barytime", "bary_time", "hjd", "jd", "mjd", "rjd", "date", "day", "days",
)  # fmt: skip
# A file that lightkurve wrote keeps what its user made in FLUX, hence FLUX comes first.
FLUX = {
    "pdcsap": (
        "flux", "pdcsap_flux", "pdcsap", "kspsap_flux", "sys_rm_flux", "det_flux", "corr_flux",
        "fcor", "cor_flux", "flux_corr", "flux_norm", "norm_flux", "normalized_flux",
        "normalised_flux", "relative_flux", "rel_flux", "detrended_flux", "flux_detrended",
        "flattened_flux", "f", "counts", "intensity", "brightness", "fluxes",
    ),
    "sap": ("sap_flux", "sap", "raw_flux", "flux_raw", "fraw", "aper_flux"),
}  # fmt: skip
ERROR = (
    "flux_err", "flux_error", "fluxerr", "flux_unc", "flux_uncertainty", "e_flux", "error",
    "errors", "err", "sigma", "uncertainty", "unc", "ferr", "dflux", "flux_sigma", "fraw_err",
)  # fmt: skip
QUALITY = ("quality", "sap_quality", "flags", "flag", "quality_flag", "dquality")
SEGMENT = ("segment", "quarter", "sector", "campaign")
MAGNITUDE = ("mag", "mags", "magnitude", "magnitudes", "kepmag", "tmag", "vmag", "gmag", "imag")

_UNIT = re.compile(r"[\(\[]\s*(.*?)\s*[\)\]]\s*$")


@dataclass
class Columns:
    """What a file or an object says of one star, before anything is judged."""

    time: Any
    flux: Any
    error: Any = None
    quality: Any = None
    segment: Any = None
    time_unit: str = ""
    flux_unit: str = ""
    target: str = "unknown"
    mission: str = "unknown"
    epoch_zero: float | None = None
    exposure: float | None = None
    star: Star = field(default_factory=Star)
    quick_look: bool = False
    notes: list[str] = field(default_factory=list)


def choose(names: Iterable[str], flux: str, where: str) -> dict[str, str]:
    """Which column plays which part: keys ``time``, ``flux`` and, if present, the optional ones.

    Args:
        names: the table's columns.
        flux: ``pdcsap`` (the best corrected flux there is) or ``sap`` (as measured).
        where: the file's name, for the error.
    """
    if flux not in FLUX:
        raise UserError(f"flux={flux!r} is not a choice", "use 'pdcsap' or 'sap'")
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(plain(name), name)
    parts = {"time": _first(known, TIME), "flux": _first(known, FLUX[flux])}
    if parts["flux"] is None and _first(known, MAGNITUDE):
        raise UserError(
            f"{where} holds magnitudes, not flux",
            "convert them: flux = 10 ** (-0.4 * (mag - median(mag)))",
        )
    for part, found in parts.items():
        if found is None:
            listed = ", ".join(list(known.values())[:12]) or "none"
            kind = f"{flux} flux" if part == "flux" else part
            raise UserError(
                f"{where} has no {kind} column among: {listed}",
                "name its columns time, flux and, if known, flux_err",
            )
    own = plain(str(parts["flux"]))
    parts["error"] = _first(known, (f"{own}_err", f"{own}_error", f"{own}err", *ERROR))
    parts["quality"], parts["segment"] = _first(known, QUALITY), _first(known, SEGMENT)
    return {part: name for part, name in parts.items() if name is not None}


def plain(name: str) -> str:
    """A column's name in lower case without its unit: ``PDCSAP Flux [e-/s]`` -> ``pdcsap_flux``."""
    bare = _UNIT.sub("", str(name).strip().strip("\"'#").strip().lower())
    return re.sub(r"[\s\-.]+", "_", bare.strip())


def unit_in(name: str) -> str:
    """The unit written behind a column's name: ``time [s]`` -> ``s``; ``time_bkjd`` -> ``bkjd``."""
    found = _UNIT.search(str(name).strip())
    if found:
        return found.group(1)
    tail = plain(name).rsplit("_", 1)[-1]
    return tail if tail in ("bkjd", "btjd", "mjd", "rjd", "s", "sec", "seconds", "minutes") else ""


def finish(columns: Columns, quality: str | int, where: str) -> LightCurve:
    """The light curve these columns hold: flags applied, times in days, cleaned.

    Raises:
        UserError: the columns are no light curve; the message begins with ``where``.
    """
    if re.search(r"\bmag", columns.flux_unit.lower()):
        raise UserError(
            f"{where} holds magnitudes, not flux",
            "convert them: flux = 10 ** (-0.4 * (mag - median(mag)))",
        )
    time, flux = numbers(columns.time, "time", where), numbers(columns.flux, "flux", where)
    time, zero, notes = in_days(time, columns.time_unit, columns.epoch_zero, columns.mission)
    notes = [*columns.notes, *notes]
    mask = bitmask(quality, columns.mission, columns.quick_look)
    if columns.quality is not None and mask:
        keep = good(columns.quality, mask)
        if len(keep) != len(flux):
            raise UserError(f"{where}: flags and flux differ in length", "write it again")
        useful = np.isfinite(time) & np.isfinite(flux)
        if dropped := int(np.sum(~keep & useful)):
            notes.append(f"{dropped} points dropped by quality flags")
        flux = np.where(keep, flux, np.nan)
    return clean(
        time,
        flux,
        columns.error,
        columns.segment,
        target=columns.target,
        mission=columns.mission,
        epoch_zero=zero,
        exposure=columns.exposure,
        star=columns.star,
        source=(where,),
        notes=tuple(notes),
    )


def _first(known: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return next((known[name] for name in wanted if name in known), None)
