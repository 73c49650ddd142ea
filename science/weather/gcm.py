"""A general circulation model of the atmosphere: SPEEDY on a spectral core, by the package jcm.

Eight layers of air over the real orography, land, sea ice and sea surface temperature of the Earth
(Molteni 2003, Clim. Dyn. 20, 175), as JAX-GCM computes it. T31 is the truth that emulators learn;
T21 from the true state is the traditional forecast. Needs the extra ``simulate``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from science import paths
from science.core.errors import UserError
from science.weather.grid import Grid
from science.weather.variables import VARIABLES

if TYPE_CHECKING:
    import xarray as xr

LAYERS = 8
PER_DAY = 4  # saved states a day
PRESSURE = 1e5  # Pa, which jcm divides surface pressure by
_RAIN = ("condensation.precls", "convection.precnv")  # g/m2/s
_STATE = {
    "z": "geopotential",
    "t": "temperature",
    "u": "u_wind",
    "v": "v_wind",
    "q": "specific_humidity",
}
_SURFACE = {"sst": "sea_surface_temperature", "ci": "sice_am"}
Array = NDArray[Any]


class Circulation:
    """The model at one resolution; compiled once, then used for any number of runs.

    Args:
        truncation: 31 or 21.
        start: when a long run begins [ISO time].
        step: of time [minutes].
    """

    def __init__(self, truncation: int = 31, start: str = "2000-10-03", step: float = 45.0) -> None:
        jcm = _jcm()
        self.truncation, self.step, self.start = truncation, step, np.datetime64(start, "s")
        folder = jcm.FOLDER / "data/bc/t30/clim"
        coords = jcm.get_speedy_coords(layers=LAYERS, spectral_truncation=truncation)
        east, north = (np.asarray(axis, np.float64) for axis in coords.horizontal.nodal_axes)
        self.grid = Grid(np.rad2deg(np.arcsin(north))[::-1], np.rad2deg(east))
        self.sigma = np.asarray(coords.vertical.centers, np.float64)
        terrain = jcm.TerrainData.from_file(str(folder / "terrain.nc"), coords=coords)
        self.forcing = jcm.ForcingData.from_file(
            str(folder / "forcing.nc"), coords=coords, align_mode="wrap_year"
        )
        self.orography, self.land = _turn(terrain.orog), _turn(terrain.fmask)
        lon, lat = np.meshgrid(self.grid.lon, self.grid.lat[::-1], indexing="ij")
        rain = jcm.stations(lat.ravel(), lon.ravel(), variables=_RAIN, name="rain")
        self.model = jcm.Model(
            coords=coords,
            terrain=terrain,
            time_step=step,
            physics=jcm.speedy_physics(),
            start_time=start,
            observers=(rain,),
        )

    def begin(self, seed: int) -> None:
        """Air at rest with small random disturbances: whence a climate spins up."""
        self.model.bootstrap_state(self.model.initial_state(random_seed=seed))

    def advance(self, days: int) -> xr.Dataset:
        """The next states, every 6 hours, from 6 hours on to the end of the last day."""
        made = self.model.resume(forcing=self.forcing, **_every(days))
        return self._frames(made)

    def forecast(self, state: xr.Dataset, days: int) -> xr.Dataset:
        """States from a state of this model's own grid and layers, without its time axis."""
        jcm = _jcm()
        begin, carry = self.model.bootstrap_state(_nodal(jcm, state))
        _, made = self.model.run_from_state_with_carry(
            begin,
            self.forcing,
            **_every(days),
            initial_physics_state=carry,
            initial_time=jcm.to_datetime(str(state.time.values.astype("datetime64[s]"))),
            initial_step=0,
        )
        return self._frames(made)

    @property
    def time(self) -> np.datetime64:
        """Where a long run stands."""
        elapsed = int(self.model.run_state.step) * round(self.step * 60)
        return self.start + np.timedelta64(elapsed, "s")

    def save(self, path: Path) -> None:
        """Write everything that the run goes on from, atomically."""
        _jcm().save_checkpoint(self.model, path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote.

        Raises:
            UserError: the file is damaged or another model's.
        """
        self.begin(0)
        try:
            _jcm().load_checkpoint(self.model, path)
        except (ValueError, OSError) as problem:
            cure = "delete the folder and simulate anew"
            raise UserError(f"{path}: {problem}", cure) from None

    def _frames(self, made: Any) -> xr.Dataset:
        import xarray as xr

        time = np.asarray(made.time_labels(), dtype="datetime64[s]").astype("datetime64[ns]")
        layered, flat = ("time", "sigma", "lat", "lon"), ("time", "lat", "lon")
        arrays: dict[str, Any]
        arrays = {n: (layered, _turn(getattr(made.dynamics, name))) for n, name in _STATE.items()}
        arrays["sp"] = (flat, _turn(made.dynamics.normalized_surface_pressure) * PRESSURE)
        arrays["tp"] = (flat, self._rain(made, len(time)))
        for short, source in _SURFACE.items():
            arrays[short] = (flat, self._surface(source, time))
        coords = {"time": time, "sigma": self.sigma, "lat": self.grid.lat, "lon": self.grid.lon}
        dataset = xr.Dataset(arrays, coords)
        for name in arrays:
            dataset[name].attrs = VARIABLES[name].attributes
        return dataset

    def _rain(self, made: Any, frames: int) -> Array:
        """(frames, lat, lon) [kg/m2] fallen since the frame before."""
        rate = np.sum([made.observations[0][name] for name in _RAIN], axis=0)
        rate = rate.reshape(frames, -1, len(self.grid.lon), len(self.grid.lat))
        return _turn(rate.mean(1) * (86400 / PER_DAY) / 1000)

    def _surface(self, name: str, time: NDArray[np.datetime64]) -> Array:
        """(times, lat, lon) of a daily climatology, as the model reads it."""
        values = np.asarray(getattr(self.forcing, name).values)
        return _turn(values[day_of_year(time)])


def day_of_year(time: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """0 to 364; the 29th of February counts as the 28th."""
    day = time.astype("datetime64[D]")
    since = (day - day.astype("datetime64[Y]")).astype(np.int64)
    year = day.astype("datetime64[Y]").astype(np.int64) + 1970
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    day_number: NDArray[np.int64] = since - (leap & (since >= 59))
    return day_number


def _every(days: int) -> dict[str, float]:
    return {"save_interval": 1 / PER_DAY, "total_time": days}


def _turn(field: Any) -> Array:
    """(..., lon, lat from the south) -> (..., lat from the north, lon)."""
    return np.ascontiguousarray(np.swapaxes(np.asarray(field), -1, -2)[..., ::-1, :], np.float32)


def _nodal(jcm: Any, state: xr.Dataset) -> Any:
    def back(name: str) -> Any:
        return jcm.array(np.swapaxes(state[name].values[..., ::-1, :], -1, -2).astype(np.float32))

    fields = {name: back(short) for short, name in _STATE.items()}
    return jcm.PhysicsState(**fields, normalized_surface_pressure=back("sp") / PRESSURE)


def _jcm() -> Any:
    """The package, on one thread and with its compiled programs kept between processes.

    Raises:
        UserError: it is not installed.
    """
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("XLA_FLAGS", flags)
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(paths.cache() / "jax"))
    try:
        from science.weather import jaxed
    except ImportError as problem:
        cure = "pip install 'fifth-paradigm[simulate]'"
        raise UserError(f"the circulation model is not installed: {problem}", cure) from None
    return jaxed
