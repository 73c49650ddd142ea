"""Long forecasts of many members, written as they are made, so that a killed one goes on.

A store is CF zarr in the convention of WeatherBench 2: (time, member, prediction_timedelta,
[level,] lat, lon), the first lead being the start itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.files import write_text
from science.core.seeds import generator
from science.weather.nets.emulator import Emulator
from science.weather.rolling import BATCH, stepped
from science.weather.states import to_dataset
from science.weather.stored import LEAD

if TYPE_CHECKING:
    import xarray as xr

Tell = Callable[[int, int], None]


def forecast(
    net: Emulator,
    state: NDArray[np.float32],
    time: np.datetime64,
    out: Path,
    days: int = 7,
    step: float = 24.0,
    members: int = 1,
    seed: int = 0,
    channels: Sequence[str] | None = None,
    tell: Tell = lambda *_: None,
) -> xr.Dataset:
    """A forecast from one state, in the store ``out``; goes on where an earlier call was stopped.

    Members are made and written in blocks, so that memory does not grow with their number. A block
    has its own stream of noise: stopped or not, the bytes are the same.

    Args:
        net: trained.
        state: (channels, lat, lon) in SI units.
        time: of the state.
        out: zarr store.
        days: how far.
        step: hours that the network takes at once, and between the leads kept.
        members: of the ensemble.
        seed: of the noise.
        channels: to keep; all unless given.
        tell: called with members done and members in all.

    Raises:
        UserError: senseless numbers, a network without noise asked for an ensemble, or a store of
            another forecast.
    """
    _sensible(net, days, step, members)
    kept = tuple(channels or net.channels)
    unknown = [name for name in kept if name not in net.channels]
    if unknown:
        raise UserError(f"no channel {unknown}", f"there are {', '.join(net.channels)}")
    leads = np.arange(round(days * 24 / step) + 1) * np.timedelta64(round(step * 3600), "s")
    key = _key(net, state, time, days, step, members, seed, kept)
    store = _Store(out, net, kept, time, leads, members, key)
    places = [net.channels.index(name) for name in kept]
    boundary = net.boundary
    for begin in range(store.done, members, BATCH):
        count = min(BATCH, members - begin)
        made = np.empty((count, len(leads), len(kept), *net.size), np.float32)
        made[:, 0] = state[places]
        noise = generator(seed, "members", begin) if members > 1 else None
        start = np.repeat(state[None], count, 0)
        path = stepped(
            net, start, np.repeat(time, count), boundary, [step] * (len(leads) - 1), noise
        )
        for lead, later in enumerate(path, start=1):
            made[:, lead] = later[:, places]
        if not np.isfinite(made).all():
            raise UserError(
                f"{out}: the forecast left all bounds", "start from a state like those it learned"
            )
        store.write(begin, made)
        tell(begin + count, members)
    return store.read()


def _sensible(net: Emulator, days: int, step: float, members: int) -> None:
    if members < 1 or days < 1:
        raise UserError(f"{members} members for {days} days", "give at least one of each")
    if step not in net.leads.tolist() or days * 24 % step:
        known = ", ".join(f"{lead:g}" for lead in net.leads.tolist())
        raise UserError(f"steps of {step:g} hours", f"this network knows steps of {known}")
    if members > 1 and not net.noise:
        cure = "name one that has been trained as an ensemble: --release"
        raise UserError("this network gives one forecast and no ensemble", cure)


def _key(net: Emulator, *what: Any) -> str:
    """What decides every byte of a forecast, as a digest."""
    told = hashlib.sha256()
    for name, tensor in sorted(net.state_dict().items()):
        told.update(name.encode() + tensor.contiguous().numpy().tobytes())
    for item in what:
        told.update(item.tobytes() if isinstance(item, np.ndarray) else repr(item).encode())
    return told.hexdigest()


class _Store:
    """A zarr store that is filled member by member."""

    def __init__(
        self,
        path: Path,
        net: Emulator,
        channels: tuple[str, ...],
        time: np.datetime64,
        leads: NDArray[np.timedelta64],
        members: int,
        key: str,
    ) -> None:
        self.path, self.channels, self.leads, self.key = path, channels, leads, key
        self.mark = path.with_name(f"{path.name}.done")  # members whose bytes are all there
        self.grid, self.time = net.boundary.grid, np.array([time], "datetime64[ns]")
        self.done = 0
        if path.exists():
            self.done = self._resumed(members)
        else:
            self._open(members)

    def _resumed(self, members: int) -> int:
        try:
            key, done = self.mark.read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            key, done = "", "0"
        if key != self.key:
            problem = f"{self.path}: holds something else than this forecast"
            raise UserError(problem, "give another --out, or delete it")
        return min(int(done), members)

    def _open(self, members: int) -> None:
        """Write all of the store but its values."""
        blank = np.broadcast_to(
            np.float32(0), (1, members, len(self.leads), len(self.channels), *self.grid.shape)
        )
        lazy = self._dataset(blank, np.arange(members)).chunk({"member": min(BATCH, members)})
        how = {
            str(n): {"chunks": tuple(c[0] for c in lazy[n].chunks or ())} for n in lazy.data_vars
        }
        lazy.to_zarr(self.path, mode="w-", compute=False, zarr_format=3, consolidated=False,
                     encoding=how)  # fmt: skip
        write_text(self.mark, f"{self.key} 0\n")

    def write(self, begin: int, made: NDArray[np.float32]) -> None:
        """Members from ``begin`` on: (members, leads, channels, lat, lon)."""
        number = np.arange(begin, begin + len(made))
        block = self._dataset(made[None], number)
        block = block.drop_vars([c for c in block.coords if c != "member"])
        fixed = [n for n in block.variables if "member" not in block[n].dims]
        region = {"member": slice(begin, begin + len(made))}
        block.drop_vars(fixed).to_zarr(self.path, region=region, zarr_format=3, consolidated=False)
        write_text(self.mark, f"{self.key} {begin + len(made)}\n")

    def read(self) -> xr.Dataset:
        """The whole store, lazily."""
        import xarray as xr

        found: xr.Dataset = xr.open_zarr(self.path, consolidated=False)
        return found

    def _dataset(self, array: NDArray[Any], number: NDArray[np.int64]) -> xr.Dataset:
        leading = {"time": self.time, "member": number, LEAD: self.leads.astype("timedelta64[ns]")}
        made = to_dataset(array, self.channels, self.grid, leading)
        made[LEAD].attrs = {"standard_name": "forecast_period"}
        made["member"].attrs = {"standard_name": "realization"}
        made["time"].attrs = {"standard_name": "forecast_reference_time"}
        return made
