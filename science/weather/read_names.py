"""Which variable is which: by CF standard name, by the names that data sets use, by their units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from science.core.errors import UserError
from science.weather.variables import GRAVITY, VARIABLES

if TYPE_CHECKING:
    import xarray as xr

# Names in ERA5, WeatherBench 1 and 2, NCEP/NCAR, cfgrib and CMIP.
ALIASES = {
    "z": ("geopotential", "gh", "hgt", "zg", "geopotential_height"),
    "t": ("temperature", "ta", "air_temperature"),
    "u": ("u_component_of_wind", "ua", "uwnd", "u_wind"),
    "v": ("v_component_of_wind", "va", "vwnd", "v_wind"),
    "q": ("specific_humidity", "hus", "shum"),
    "sp": ("surface_pressure", "ps", "pres"),
    "msl": ("mean_sea_level_pressure", "slp", "psl", "prmsl"),
    "t2m": ("2m_temperature", "tas", "t2"),
    "t_low": ("air", "air_sig995"),
    "tp": ("total_precipitation_6hr", "total_precipitation", "pr"),
    "vo": ("vorticity", "relative_vorticity"),
    "sst": ("sea_surface_temperature", "tos"),
    "ci": ("sea_ice_cover", "siconc", "icec", "sic"),
    "orog": ("orography", "surface_altitude", "geopotential_at_surface"),
    "lsm": ("land_sea_mask", "land_binary_mask", "land", "sftlf"),
}
AXES = {
    "lat": ("latitude", "y", "nav_lat"),
    "lon": ("longitude", "x", "nav_lon"),
    "level": ("isobaricInhPa", "plev", "pressure_level", "lev", "pressure"),
    "time": ("valid_time", "t", "date"),
    "member": ("number", "realization", "ensemble"),
}
_STANDARD = {
    v.standard_name: n for n, v in VARIABLES.items() if v.standard_name and not n.endswith("_low")
}
_STANDARD |= {"geopotential_height": "z", "air_temperature": "t", "land_binary_mask": "lsm"}
_KNOWN = {alias: name for name, aliases in ALIASES.items() for alias in (name, *aliases)}

# unit as written -> (factor, offset) to the unit that is used here
_SAME = (1.0, 0.0)
UNITS: dict[str, dict[str, tuple[float, float]]] = {
    "K": {"K": _SAME, "degK": _SAME, "kelvin": _SAME, "Kelvin": _SAME}
    | dict.fromkeys(("degC", "C", "celsius", "Celsius", "°C"), (1.0, 273.15)),
    "Pa": {"Pa": _SAME, "pascal": _SAME, "Pascals": _SAME}
    | dict.fromkeys(("hPa", "mb", "mbar", "millibar", "millibars"), (100.0, 0.0)),
    "m2 s-2": dict.fromkeys(("m2 s-2", "m**2 s**-2", "m^2/s^2", "m2/s2", "m^2 s^-2"), _SAME)
    | dict.fromkeys(("m", "gpm", "metre"), (GRAVITY, 0.0)),
    "m s-1": dict.fromkeys(("m s-1", "m s**-1", "m/s", "m s^-1"), _SAME),
    "kg kg-1": dict.fromkeys(("kg kg-1", "kg kg**-1", "kg/kg", "kg kg^-1"), _SAME)
    | dict.fromkeys(("g kg-1", "g/kg", "g kg**-1"), (1e-3, 0.0)),
    "kg m-2": dict.fromkeys(("kg m-2", "kg m**-2", "mm", "kg/m2"), _SAME) | {"m": (1000.0, 0.0)},
    "s-1": dict.fromkeys(("s-1", "s**-1", "1/s"), _SAME),
    "1": dict.fromkeys(("1", "(0 - 1)", "0-1", "fraction", ""), _SAME) | {"%": (0.01, 0.0)},
    "m": dict.fromkeys(("m", "metre", "gpm"), _SAME)
    | dict.fromkeys(("m2 s-2", "m**2 s**-2"), (1 / GRAVITY, 0.0)),
    "W m-2": dict.fromkeys(("W m-2", "W m**-2", "W/m2"), _SAME),
}
# What values must lie between, in our units; wide, since it is there to catch a wrong unit.
RANGES = {
    "z": (-2e4, 6e5),
    "t": (130.0, 360.0),
    "u": (-250.0, 250.0),
    "v": (-250.0, 250.0),
    "q": (-1e-3, 0.1),
    "sp": (3e4, 1.2e5),
    "msl": (8.5e4, 1.15e5),
    "tp": (-0.1, 2e3),
    "vo": (-0.1, 0.1),
    "sst": (200.0, 330.0),
    "ci": (-0.01, 1.01),
    "orog": (-1500.0, 9000.0),
    "lsm": (-0.01, 1.01),
}
RANGES |= {"t2m": RANGES["t"]} | {f"{n}_low": RANGES[n] for n in "tuvq"}


def named(dataset: xr.Dataset, file: str) -> xr.Dataset:
    """The same with our names of axes and variables; what is not known keeps its own.

    Raises:
        UserError: there is no latitude or longitude, or two variables claim one name.
    """
    axes = {old: new for new, olds in AXES.items() for old in olds if _is_axis(dataset, old, new)}
    dataset = dataset.rename(axes)
    for axis in ("lat", "lon"):
        if axis not in dataset.coords:
            has = ", ".join(map(str, dataset.coords)) or "none"
            cure = f"name it {axis!r}; its coordinates are {has}"
            raise UserError(f"{file}: no coordinate {axis!r}", cure)
    found: dict[str, str] = {}
    for name in map(str, dataset.data_vars):
        ours = _ours(name, dataset[name])
        if ours is None:
            continue
        if ours in found.values():
            twin = next(k for k, v in found.items() if v == ours)
            problem = f"{file}: {twin!r} and {name!r} are both {VARIABLES[ours].long_name}"
            raise UserError(problem, "leave one of them out")
        found[name] = ours
    return dataset.rename({old: new for old, new in found.items() if old != new})


def in_our_units(dataset: xr.Dataset, file: str) -> tuple[xr.Dataset, list[str]]:
    """The same in the units of `VARIABLES`, and what was changed.

    A variable without units is taken to be in ours; `checked` will object if that cannot be.

    Raises:
        UserError: a unit is not known.
    """
    notes = []
    for name in [n for n in map(str, dataset.data_vars) if n in VARIABLES]:
        field, ours = dataset[name], VARIABLES[name].units
        given = str(field.attrs.get("units", ours)).strip()
        if given not in UNITS[ours]:
            known = ", ".join(u for u in UNITS[ours] if u)
            problem = f"{file}: {name!r} is given in {given!r}"
            raise UserError(problem, f"correct its attribute `units`; known are {known}")
        factor, offset = UNITS[ours][given]
        if (factor, offset) != _SAME:
            field = field * factor + offset
            notes.append(f"{name}: {given} -> {ours}")
        dataset = dataset.assign({name: field.assign_attrs(VARIABLES[name].attributes)})
    return dataset, notes


def checked(name: str, values: np.ndarray, file: str) -> np.ndarray:
    """Values as float32, if they can be what they say.

    Raises:
        UserError: infinite, missing, or out of any range that such a quantity can have.
    """
    made = values.astype(np.float32, copy=False)
    missing = ~np.isfinite(made)
    if missing.any():
        kind = "infinite" if np.isinf(made).any() else "missing"
        first = ", ".join(map(str, np.argwhere(missing)[0]))
        problem = f"{file}: {missing.mean():.2%} of {name!r} is {kind}, first at [{first}]"
        raise UserError(problem, "fill it, or leave those times out with options.missing=drop")
    low, high = RANGES.get(name, (-np.inf, np.inf))
    if made.size and (made.min() < low or made.max() > high):
        problem = f"{file}: {name!r} reaches from {made.min():.4g} to {made.max():.4g}"
        unit = VARIABLES[name].units
        raise UserError(f"{problem}, which is no {name} in {unit}", "correct its attribute `units`")
    return made


def _ours(name: str, field: xr.DataArray) -> str | None:
    if name in VARIABLES:  # a file of ours has the same quantity on levels and below them
        return name
    ours = _KNOWN.get(name) or _STANDARD.get(field.attrs.get("standard_name", ""))
    # NCEP calls the temperature `air`, on levels as near the ground.
    return "t" if ours == "t_low" and name == "air" and "level" in field.dims else ours


def _is_axis(dataset: xr.Dataset, old: str, new: str) -> bool:
    if old not in dataset.dims and old not in dataset.coords:
        return False
    taken = new in dataset.dims or new in dataset.coords
    # `t` is a time where it is an axis, and a temperature else.
    return not taken and (old in dataset.coords)
