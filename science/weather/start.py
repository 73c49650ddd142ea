"""From anybody's file to the state that an emulator starts from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.weather.derive import derived, onto
from science.weather.nets.emulator import Emulator
from science.weather.read import loaded, read
from science.weather.states import to_array
from science.weather.variables import split

if TYPE_CHECKING:
    import xarray as xr

_STRANGE = 12.0  # standard deviations from the training data's mean that no air has


def initial(
    file: str | Path, net: Emulator, time: str | None = None
) -> tuple[NDArray[np.float32], np.datetime64, list[str]]:
    """The state in a file, in the emulator's channels and on its grid.

    Args:
        file: NetCDF, GRIB or zarr.
        net: what is going to step it.
        time: which of the file's times; its last unless given.

    Returns:
        (channels, lat, lon), its time, and what had to be changed or made.

    Raises:
        UserError: a variable is missing or cannot be right, or the time is not there.
    """
    dataset = read(file)
    wanted = {split(name)[0] for name in net.channels}
    from_levels = {name[0] for name in wanted if name.endswith("_low")} | {"z"}
    names = [n for n in map(str, dataset.data_vars) if n in wanted | from_levels]
    dataset, when = _at(dataset[names], str(file), time)
    dataset = loaded(dataset)
    boundary = net.boundary
    dataset, how = onto(dataset, boundary.grid)
    ground = boundary.statics.get("orog", np.zeros(boundary.grid.shape, np.float32))
    dataset, notes = derived(dataset, net.channels, ground)
    state = to_array(dataset, net.channels, str(file))
    _known(state, net, str(file))
    return state, when, [*([how] if how else []), *notes]


def _at(dataset: xr.Dataset, file: str, time: str | None) -> tuple[xr.Dataset, np.datetime64]:
    if "time" not in dataset.coords:
        raise UserError(f"{file}: its fields have no time", "give a coordinate `time`")
    times = np.atleast_1d(dataset["time"].values).astype("datetime64[s]")
    row = len(times) - 1
    if time is not None:
        try:
            wanted = np.datetime64(time, "s")
        except ValueError:
            raise UserError(f"--time {time}", "write 1959-01-02T00") from None
        found = np.flatnonzero(times == wanted)
        if not len(found):
            raise UserError(f"{file}: nothing at {time}", f"it has {times[0]} to {times[-1]}")
        row = int(found[0])
    chosen = dataset.isel(time=row) if "time" in dataset.dims else dataset
    if "member" in chosen.dims:
        chosen = chosen.isel(member=0, drop=True)
    return chosen, times[row]


def _known(state: NDArray[np.float32], net: Emulator, file: str) -> None:
    """Refuse numbers that no weather has: the emulator would answer them with nonsense."""
    far = np.abs(state - net.mean.numpy()) / net.std.numpy()
    for channel, away in zip(net.channels, far.reshape(len(far), -1).max(1), strict=True):
        if not away < _STRANGE:
            raise UserError(
                f"{file}: {channel} lies {away:.0f} standard deviations from what was learned",
                "check its units and missing values",
            )
