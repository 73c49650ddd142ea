"""What the variables of the atmosphere are called here, with their CF names and units.

Short names follow ECMWF. A channel is one variable on one level: ``z500``, ``t850``, ``t_low``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GRAVITY = 9.80665  # m/s2
GAS = 287.0  # J/kg/K, of dry air
LEVELS = (250, 500, 850)  # hPa
LOW = 0.95  # sigma of the lowest model layer


@dataclass(frozen=True)
class Variable:
    """One quantity: CF standard name, units as udunits spells them, and what a reader should know.

    ``odd`` quantities change sign when north and south are swapped; a ``vector``'s component does
    when it is seen from beyond a pole, where east is west; of ``positive`` ones there is some or
    none; a ``patchy`` one is a mean over each cell rather than a sum of waves.
    """

    standard_name: str
    units: str
    long_name: str
    odd: bool = False
    vector: bool = False
    positive: bool = False
    patchy: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """As CF wants them on an array."""
        named = {"standard_name": self.standard_name} if self.standard_name else {}
        return {**named, "units": self.units, "long_name": self.long_name}


_NEAR = "lowest model layer, sigma 0.95"
VARIABLES = {
    "z": Variable("geopotential", "m2 s-2", "geopotential"),
    "t": Variable("air_temperature", "K", "temperature"),
    "u": Variable("eastward_wind", "m s-1", "eastward wind", vector=True),
    "v": Variable("northward_wind", "m s-1", "northward wind", odd=True, vector=True),
    "q": Variable("specific_humidity", "kg kg-1", "specific humidity", positive=True),
    "t_low": Variable("air_temperature", "K", f"temperature, {_NEAR}"),
    "u_low": Variable("eastward_wind", "m s-1", f"eastward wind, {_NEAR}", vector=True),
    "v_low": Variable("northward_wind", "m s-1", f"northward wind, {_NEAR}", odd=True, vector=True),
    "q_low": Variable("specific_humidity", "kg kg-1", f"specific humidity, {_NEAR}", positive=True),
    "sp": Variable("surface_air_pressure", "Pa", "surface pressure"),
    "msl": Variable("air_pressure_at_mean_sea_level", "Pa", "mean sea level pressure"),
    "t2m": Variable("air_temperature", "K", "temperature 2 m above ground"),
    "tp": Variable(
        "precipitation_amount",
        "kg m-2",
        "precipitation of the past 6 hours",
        positive=True,
        patchy=True,
    ),
    "vo": Variable("atmosphere_relative_vorticity", "s-1", "relative vorticity", odd=True),
    "psi": Variable("atmosphere_horizontal_streamfunction", "m2 s-1", "stream function", odd=True),
    "sst": Variable("sea_surface_temperature", "K", "sea surface temperature"),
    "ci": Variable("sea_ice_area_fraction", "1", "share of sea ice"),
    "solar": Variable(
        "toa_incoming_shortwave_flux", "W m-2", "sunlight at the top of the air, mean of the day"
    ),
    "orog": Variable("surface_altitude", "m", "height of the ground"),
    "lsm": Variable("land_area_fraction", "1", "share of land"),
    "sine_latitude": Variable("", "1", "sine of latitude", odd=True),
}
_UNKNOWN = Variable("", "", "")
STATICS = ("orog", "lsm")
FORCINGS = ("sst", "ci", "solar")
_CHANNEL = re.compile(r"([a-z][a-z_]*?[a-z]|[a-z])(\d+)?$")


def split(channel: str) -> tuple[str, int | None]:
    """``z500`` -> (``z``, 500), ``t_low`` -> (``t_low``, None); ``t2m`` is a name of its own."""
    if channel in VARIABLES:
        return channel, None
    found = _CHANNEL.match(channel)
    if not found:
        return channel, None
    name, level = found.groups()
    return name, None if level is None else int(level)


def variable(channel: str) -> Variable:
    """What is known of a channel's quantity; of a name nobody knows, nothing."""
    return VARIABLES.get(split(channel)[0], _UNKNOWN)
