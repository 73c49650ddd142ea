"""Simulated years of weather, written while the model runs, on the grid that emulators learn.

A run is a folder: ``truth.zarr`` grows by five days at a time; ``states`` keeps the whole state of
the model at the start of each; ``checkpoint.msgpack`` is whence a killed run goes on, to the same
numbers that it would have had. All three are whole at any moment.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.files import atomic, sweep, write_json
from science.weather.gcm import PER_DAY, Circulation
from science.weather.grid import Grid
from science.weather.levels import to_pressure
from science.weather.regrid import conserve, truncate
from science.weather.states import described
from science.weather.store import append, cut
from science.weather.sun import insolation
from science.weather.variables import LEVELS, VARIABLES

if TYPE_CHECKING:
    import xarray as xr

BLOCK = 5  # days between states that are kept
SPIN_UP = 90  # days, thrown away
GRID = Grid.gaussian(32, 64)
TRUNCATION = 21  # of what that grid holds
Tell = Callable[[int, int], None]


def simulate(
    folder: Path, years: int, start: int = 2001, seed: int = 0, tell: Tell = lambda *_: None
) -> Path:
    """Years of 6-hourly weather from the T31 model; goes on where an earlier call was stopped.

    Args:
        folder: of the run.
        years: how many.
        start: the first.
        seed: of the disturbance that the air at rest begins with.
        tell: called with days done and days in all.

    Returns:
        Path of the truth, ``folder/truth.zarr``.

    Raises:
        UserError: the folder holds another run, or one that is going on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            return _Run(folder, start, seed).to(np.datetime64(f"{start + years}-01-01"), tell)
    except Timeout:
        raise UserError(f"{folder}: another process simulates into this folder") from None


class _Run:
    def __init__(self, folder: Path, start: int, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.first = np.datetime64(f"{start}-01-01", "D")
        self.truth, self.states = folder / "truth.zarr", folder / "states"
        self.mark = folder / "checkpoint.msgpack"
        self._claim({"model": "jcm T31L8", "start": str(self.first), "seed": seed})
        self.model = Circulation(31, str(self.first - SPIN_UP))

    def to(self, end: np.datetime64, tell: Tell) -> Path:
        """Run until the truth holds all states before ``end``."""
        now = self._resume()
        total = int((end - self.first + SPIN_UP) // np.timedelta64(1, "D"))
        while now < end:
            days = _block(now)
            frames = self.model.advance(days)
            _sound(frames)
            if now >= self.first:
                self._write(now, frames)
            now = now + days
            self._keep(frames.isel(time=-1), now)
            self.model.save(self.mark)
            tell(min(total, int((now - self.first).astype(int)) + SPIN_UP), total)
        return self.truth

    def _write(self, now: np.datetime64, frames: xr.Dataset) -> None:
        import xarray as xr

        first = read_state(self.states / f"{now}.nc").expand_dims("time")
        block = xr.concat([first, frames.isel(time=slice(-1))], "time", data_vars="all")
        append(self.truth, surfaces(self.model, block), BLOCK * PER_DAY)

    def _keep(self, state: xr.Dataset, now: np.datetime64) -> None:
        if now < self.first:
            return
        with atomic(self.states / f"{now}.nc") as path:
            state.to_netcdf(path, engine="netcdf4")

    def _resume(self) -> np.datetime64:
        sweep(self.states)
        if not self.mark.exists():
            self.model.begin(self.seed)
            return self.first - SPIN_UP
        self.model.load(self.mark)
        now: np.datetime64 = self.model.time.astype("datetime64[D]")
        if now > self.first:
            cut(self.truth, now)
        else:
            # Killed in its first block: nothing of the truth is vouched for yet.
            shutil.rmtree(self.truth, ignore_errors=True)
        return now

    def _claim(self, settings: Mapping[str, Any]) -> None:
        path = self.folder / "run.json"
        if not path.exists():
            write_json(path, settings)
        known = json.loads(path.read_text())
        if known != settings:
            problem = f"{self.folder} holds another run: {known}, not {settings}"
            raise UserError(problem, "give another folder, or the options of that run")


def _block(now: np.datetime64) -> int:
    """Days until the next state that is kept; each year begins with one, leap year or not."""
    year = now.astype("datetime64[Y]") + 1
    left = (year.astype("datetime64[D]") - now).astype(int)
    return min(BLOCK, int(left))


def _sound(frames: xr.Dataset) -> None:
    """Stop a run that has blown up, before anything of it is kept."""
    bad = [n for n in ("t", "u", "v", "sp") if not np.isfinite(frames[n].values).all()]
    if bad:
        when = frames["time"].values[0].astype("datetime64[D]")
        problem = f"the model blew up after {when}: {', '.join(bad)} is no number"
        raise UserError(problem, "begin with another --seed in another folder")


def surfaces(model: Circulation, frames: xr.Dataset, grid: Grid = GRID) -> xr.Dataset:
    """What the model's layers are on surfaces of pressure and the emulator's grid.

    Smooth fields are truncated to the waves that the grid holds; precipitation, sea, ice and land
    are means over its cells. Humidity that truncation makes negative becomes 0.

    Args:
        model: which made the frames.
        frames: its states (time, sigma, lat, lon).
        grid: Gaussian.
    """
    import xarray as xr

    def smooth(field: NDArray[Any]) -> NDArray[Any]:
        return truncate(field, *grid.shape, TRUNCATION)

    def mean(field: NDArray[Any]) -> NDArray[Any]:
        return conserve(field, model.grid, grid)

    layers = {n: frames[n].values for n in ("z", "t", "u", "v", "q")}
    surface = frames["sp"].values
    made = to_pressure(layers, model.sigma, surface, tuple(100.0 * p for p in LEVELS))
    lowest = {f"{n}_low": layers[n][..., -1, :, :] for n in "tuvq"}
    fields = {n: smooth(f) for n, f in {**made, **lowest, "sp": surface}.items()}
    fields |= {n: np.maximum(fields[n], 0) for n in ("q", "q_low")}
    fields |= {n: mean(frames[n].values) for n in ("tp", "sst", "ci")}
    fields |= {"orog": smooth(model.orography), "lsm": mean(model.land)}
    fields["solar"] = insolation(frames.time.values, grid.lat).astype(np.float32)
    dims = ("time", "level", "lat", "lon")
    arrays = {n: (_dims(f.ndim, n, dims), f, VARIABLES[n].attributes) for n, f in fields.items()}
    coords = {"time": frames.time.values, "level": np.array(LEVELS, np.float64)}
    return described(xr.Dataset(arrays, {**coords, "lat": grid.lat, "lon": grid.lon}))


def _dims(count: int, name: str, dims: tuple[str, ...]) -> tuple[str, ...]:
    if name == "solar":
        return ("time", "lat")
    return {4: dims, 3: ("time", "lat", "lon"), 2: ("lat", "lon")}[count]


def read_state(path: Path) -> xr.Dataset:
    """The whole state of the model that a run kept.

    Raises:
        UserError: the file is damaged.
    """
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="netcdf4") as file:
            return file.load()
    except (OSError, ValueError) as problem:
        raise UserError(f"{path}: {problem}", "delete the folder and simulate anew") from None
