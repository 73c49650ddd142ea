"""The numbers a network sees beside the views: what they are called, and what follows from them.

Each family is one input of a network. The order within it is fixed, because released weights
depend on it: add a name only at the end of its family.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.transits.context import CONTEXT, KEPLER_DAYS, NEIGHBOURS
from science.transits.lightcurve import Floats
from science.transits.shape import SECONDARY, SHAPE, shape

Columns = Mapping[str, Floats]

_FIT = (
    "tce_period",
    "tce_time0bk",
    "tce_duration",
    "tce_depth",
    "tce_model_snr",
    "tce_impact",
    "tce_prad",
    "tce_eqt",
    "tce_steff",
    "tce_slogg",
    "tce_sradius",
)
_FIT_ERRORS = tuple(f"{name}_err" for name in _FIT if name != "tce_model_snr")
DERIVED = (
    "duration_over_period",
    "duration_over_expected",
    "transits",
    "single_snr",
    "snr_over_root_depth",
    "radius_consistency",
)
PRECISION = ("depth_significance", "radius_significance", "period_precision")
KEPLER_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "own": (*_FIT, *DERIVED, *SHAPE),
    "errors": (*_FIT_ERRORS, *PRECISION),
    "context": CONTEXT,
}
"""What the light curve, the star and the views say; how well; what the survey's list says."""
KEPLER_SCALARS: tuple[str, ...] = tuple(n for names in KEPLER_FAMILIES.values() for n in names)

_MEASURED = ("Period", "Duration", "Transit_Depth", "SN", "Qingress", "depth_change")
_STAR = ("Tmag", "star_rad", "star_mass", "teff", "logg")
TESS_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "own": (
        *(*_MEASURED, *_STAR, "has_secondary"),
        *(*(n for n in DERIVED if n != "radius_consistency"), "planet_radius"),
        *(*SHAPE, *SECONDARY),
    ),
    "context": NEIGHBOURS,
}
TESS_SCALARS: tuple[str, ...] = tuple(n for names in TESS_FAMILIES.values() for n in names)

SECTOR_DAYS = 27.4
_EARTHS = 109.1  # Earth radii in a solar one
_YEAR = 365.25
_SUN_LOGG = 4.438
_CENTRAL = 13 / 24  # day: Earth's transit through the middle of the Sun
_LARGEST = 1e30


def choose(
    scalars: Sequence[str] | None, families: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Names of the chosen scalars, families spelled out, in their fixed order; all for ``None``."""
    known = tuple(name for names in families.values() for name in names)
    if scalars is None:
        return known
    wanted: set[str] = set()
    for name in [scalars] if isinstance(scalars, str) else scalars:
        if name not in families and name not in known:
            near = difflib.get_close_matches(name, (*families, *known), n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UserError(
                f"there is no scalar {name!r}", f"{hint}families: {', '.join(families)}"
            )
        wanted.update(families.get(name, (name,)))
    return tuple(name for name in known if name in wanted)


def matrix(columns: Columns, names: Sequence[str], rows: int) -> NDArray[np.float32]:
    """(rows, names) float32: ``nan`` for a column that is not there and for what is not finite."""
    out = np.full((rows, len(names)), np.nan)
    for at, name in enumerate(names):
        if name in columns:
            out[:, at] = columns[name]
    out[~np.isfinite(out)] = np.nan
    numbers: NDArray[np.float32] = np.clip(out, -_LARGEST, _LARGEST).astype(np.float32)
    return numbers


def kepler_derived(columns: Columns) -> dict[str, Floats]:
    """What follows from columns of the Kepler TCE table, by name (``DERIVED`` and ``PRECISION``).

    ``duration_over_expected``: over that of a central transit on a circular orbit around a star of
    this density. ``transits``: that fit in the survey; ``single_snr``: of one of them.
    ``radius_consistency``: planet radius expected from the depth over the fitted one. Columns that
    are missing make ``nan``.
    """
    nan = np.full(np.shape(next(iter(columns.values()))), np.nan)
    get = {name: columns.get(name, nan) for name in (*_FIT, *_FIT_ERRORS)}
    density = 10 ** (get["tce_slogg"] - _SUN_LOGG) / get["tce_sradius"]
    depth = 1e-6 * get["tce_depth"]
    event = (get["tce_period"], get["tce_duration"] / 24, depth, get["tce_model_snr"])
    with np.errstate(divide="ignore", invalid="ignore"):
        return _derived(event, density, KEPLER_DAYS) | {
            "radius_consistency": np.sqrt(np.maximum(depth, 0))
            * (get["tce_sradius"] / (get["tce_prad"] / _EARTHS)),
            "depth_significance": get["tce_depth"] / _positive(get["tce_depth_err"]),
            "radius_significance": get["tce_prad"] / _positive(get["tce_prad_err"]),
            "period_precision": get["tce_period_err"] / get["tce_period"],
        }


def tess_derived(columns: Columns) -> dict[str, Floats]:
    """The same for columns of Yu et al. (2019), with ``planet_radius`` [Earth radii].

    The star's density comes from mass and radius, or from gravity and radius without a mass.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        heavy = columns["star_mass"] / columns["star_rad"] ** 3
        density = 10 ** (columns["logg"] - _SUN_LOGG) / columns["star_rad"]
        density = np.where(np.isfinite(heavy), heavy, density)
        depth = 1e-6 * columns["Transit_Depth"]
        event = (columns["Period"], columns["Duration"], depth, columns["SN"])
        radius = np.sqrt(np.maximum(depth, 0)) * columns["star_rad"] * _EARTHS
        return _derived(event, density, SECTOR_DAYS) | {"planet_radius": radius}


def kepler_scalars(
    measured: Mapping[str, float],
    global_view: NDArray[np.float32],
    local_view: NDArray[np.float32],
    context: Mapping[str, float] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """One signal's numbers by family, each (k,), for a network that was trained on the table.

    Args:
        measured: by the table's names and in its units, such as ``tce_period`` [day],
            ``tce_time0bk`` [BKJD], ``tce_duration`` [hour], ``tce_depth`` [ppm]; what is not known
            is left out and comes as ``nan``.
        global_view, local_view: (201,) and (61,), as ``science.transits.views`` makes them.
        context: what ``science.transits.context.context`` says of it, for a star of the survey.
    """
    unknown = sorted({*measured, *(context or {})} - set(KEPLER_SCALARS))
    if unknown:
        raise UserError(f"no scalar {', '.join(unknown)}", "see KEPLER_SCALARS")
    columns = {name: np.array([float(value)]) for name, value in measured.items()}
    columns |= {name: np.array([float(value)]) for name, value in (context or {}).items()}
    columns = {"tce_period": np.array([np.nan])} | columns
    full = kepler_columns(columns, global_view[None], local_view[None])
    return {family: matrix(full, names, 1)[0] for family, names in KEPLER_FAMILIES.items()}


def kepler_columns(
    columns: Columns, global_view: NDArray[np.float32], local_view: NDArray[np.float32]
) -> dict[str, Floats]:
    """The columns with what follows from them and from the views; nothing given is replaced."""
    derived = kepler_derived(columns)
    return derived | shape(global_view, local_view, derived["duration_over_period"]) | {**columns}


def _derived(
    event: tuple[Floats, Floats, Floats, Floats], density: Floats, baseline: float
) -> dict[str, Floats]:
    """``event`` is period, duration [day], depth [relative], SNR; ``density`` in solar units."""
    period, duration, depth, snr = event
    expected = _CENTRAL * (period / _YEAR / np.maximum(density, 1e-4)) ** (1 / 3)
    transits = baseline / period
    return {
        "duration_over_period": duration / period,
        "duration_over_expected": duration / expected,
        "transits": transits,
        "single_snr": snr / np.sqrt(np.maximum(transits, 1)),
        "snr_over_root_depth": snr / np.sqrt(np.maximum(depth, 0) + 1e-9),
    }


def _positive(error: Floats) -> Floats:
    """An error of zero is one that nobody could determine."""
    return np.where(error > 0, error, np.nan)
