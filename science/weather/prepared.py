"""States ready for training: one sharded zarr array of channels, with its statistics beside it.

`prepare` cuts the times into shards and hands each to a worker, which reads, checks, regrids and
writes it and sends back its moments; merging those is all that the caller does. Training reads the
array directly, in memory or piece by piece; there is no dask in a loader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.weather.boundary import Boundary
from science.weather.derive import onto
from science.weather.grid import Grid
from science.weather.read import loaded, only, read
from science.weather.series import Series
from science.weather.states import channels as all_channels
from science.weather.states import to_array
from science.weather.store import EPOCH

if TYPE_CHECKING:
    import xarray as xr
    import zarr

SHARD = 256  # times in one file of the store
Map = Callable[[Callable[..., Any], Sequence[Any]], Iterable[Any]]
Tell = Callable[[int, int], None]
Array = NDArray[np.floating]


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squares about it, of each channel: what can be merged in any order."""

    count: float
    mean: Array
    square: Array

    @classmethod
    def of(cls, states: Array, weight: Array) -> Moments:
        """Of states (times, channels, lat, lon) with area weights (lat,) of mean 1."""
        area = weight[:, None] / weight.size / states.shape[-1]
        exact = states.astype(np.float64)
        mean = (exact * area).sum((-1, -2)).mean(0)
        square = ((exact - mean[:, None, None]) ** 2 * area).sum((-1, -2)).sum(0)
        return cls(len(states), mean, square)

    def __add__(self, other: Moments) -> Moments:
        """Of both together (Chan et al. 1983, Am. Stat. 37, 242)."""
        count = self.count + other.count
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.count / count)
        square = self.square + other.square + shift**2 * (self.count * other.count / count)
        return Moments(count, mean, square)

    @property
    def std(self) -> Array:
        """Standard deviation."""
        spread: Array = np.sqrt(self.square / self.count)
        return spread


@dataclass(frozen=True)
class _Job:
    """A shard's worth of work, as plain values, so that any worker can do it."""

    source: str
    out: str
    first: int
    last: int
    channels: tuple[str, ...]
    grid: tuple[int, int] | None


def prepare(
    source: str | Path,
    out: Path,
    channels: Sequence[str] | None = None,
    grid: tuple[int, int] | None = None,
    workers: int = 1,
    address: str | None = None,
    tell: Tell = lambda *_: None,
) -> Path:
    """Write a prepared store from one file or store of fields.

    Args:
        source: anything that `read` takes.
        out: of the new zarr store; must not be there.
        channels: to keep; all unless given.
        grid: rows and columns of the Gaussian grid to bring the fields to, if not as they are.
        workers: processes on this machine, by dask where there are two or more.
        address: of a dask scheduler whose workers see the same files, instead of ``workers``.
        tell: called with shards done and shards in all.

    Returns:
        ``out``.

    Raises:
        UserError: ``out`` is there, or the source cannot be understood.
    """
    import zarr

    if out.exists():
        raise UserError(f"{out}: is there already", "give another --out or delete it")
    dataset = read(source)
    names = tuple(channels or all_channels(dataset))
    sample = _ready(dataset.isel(time=slice(0, 1)), names, grid)
    _begin(out, dataset, sample, names)
    count = dataset.sizes["time"]
    jobs = [
        _Job(str(source), str(out), first, min(first + SHARD, count), names, grid)
        for first in range(0, count, SHARD)
    ]
    total: Moments | None = None
    with _pool(workers, address) as spread:
        for done, moments in enumerate(spread(_work, jobs), 1):
            total = moments if total is None else total + moments
            tell(done, len(jobs))
    if total is None:
        raise UserError(f"{source}: has no time", "give at least one state")
    each = zip(names, total.mean.tolist(), total.std.tolist(), strict=True)
    about = {name: {"mean": mean, "std": std} for name, mean, std in each}
    # Last of all, so that what lacks them was not finished.
    zarr.open_group(out, mode="r+").attrs["statistics"] = about
    return out


def prepared(store: str | Path, in_memory: bool = True, sun: Sequence[str] = ()) -> Series:
    """The series of a prepared store.

    Args:
        store: that `prepare` wrote.
        in_memory: read all states now; else every batch reads its own from the store.
        sun: what a network is told of the sun.

    Raises:
        UserError: it is no such store, or was not finished.
    """
    import xarray as xr
    import zarr

    path = Path(store)
    cure = "fifth weather prepare SOURCE --out STORE"
    try:
        dataset = xr.open_zarr(path, consolidated=False)
    except (FileNotFoundError, ValueError, KeyError) as problem:
        raise UserError(f"{path}: no prepared store: {problem}", cure) from None
    with dataset:
        if "statistics" not in dataset.attrs:
            raise UserError(f"{path}: no prepared store, or one that was not finished", cure)
        names = tuple(dataset.attrs["channels"])
        time = dataset["time"].values.astype("datetime64[s]")
        boundary = Boundary(
            Grid.of(dataset),
            {n: dataset[n].values for n in ("orog", "lsm") if n in dataset},
            {n: dataset[f"{n}_monthly"].values for n in ("sst", "ci") if f"{n}_monthly" in dataset},
            tuple(sun),
        )
    states = zarr.open_group(path, mode="r")["state"]
    if not isinstance(states, zarr.Array):
        raise UserError(f"{path}: `state` is no array", "prepare it again")
    held: Any = np.asarray(states[:]) if in_memory else OnDisk(states)
    return Series(held, time, np.zeros(len(time), np.int64), names, boundary)


class OnDisk:
    """A zarr array that gives the states of rows of any shape, each read when it is asked for."""

    def __init__(self, array: zarr.Array[Any]) -> None:
        self.array = array
        self.shape = array.shape

    def __getitem__(self, rows: Any) -> Array:
        """States of these rows; a row asked for twice is read once."""
        wanted = np.arange(len(self))[rows]
        unique, back = np.unique(wanted, return_inverse=True)
        read_: Array = np.asarray(self.array.oindex[unique])
        return read_[back.reshape(wanted.shape)]

    def __len__(self) -> int:
        return int(self.shape[0])


def _ready(dataset: xr.Dataset, names: Sequence[str], grid: tuple[int, int] | None) -> xr.Dataset:
    whole = loaded(only(dataset, names))
    return whole if grid is None else onto(whole, Grid.gaussian(*grid))[0]


def _work(job: _Job) -> Moments:
    import zarr

    dataset = read(job.source).isel(time=slice(job.first, job.last))
    ready = _ready(dataset, job.channels, job.grid)
    states = to_array(ready, job.channels, job.source)
    target = zarr.open_group(job.out, mode="r+")["state"]
    if isinstance(target, zarr.Array):
        target[job.first : job.last] = states
    return Moments.of(states, Grid.of(ready).weight)


def _begin(out: Path, dataset: xr.Dataset, sample: xr.Dataset, names: tuple[str, ...]) -> None:
    """Everything but the states: axes, statics, the sea's year, and room for the array."""
    import xarray as xr
    import zarr

    grid = Grid.of(sample)
    seasonal = _seasonal(dataset, grid)
    arrays = {n: (("lat", "lon"), sample[n].values) for n in ("orog", "lsm") if n in sample}
    kept = {f"{n}_monthly": (("month", "lat", "lon"), field) for n, field in seasonal.items()}
    coords = {"time": dataset["time"].values, "lat": grid.lat, "lon": grid.lon}
    about = {"channels": list(names), "Conventions": "CF-1.11"}
    skeleton = xr.Dataset({**arrays, **kept}, coords, about)
    when = {"time": {"units": EPOCH, "dtype": "int64"}}
    skeleton.to_zarr(out, zarr_format=3, consolidated=False, encoding=when)
    shape = (dataset.sizes["time"], len(names), *grid.shape)
    zarr.open_group(out, mode="r+").create_array(
        "state",
        shape=shape,
        dtype="float32",
        chunks=(1, *shape[1:]),
        shards=(SHARD, *shape[1:]),
        dimension_names=("time", "channel", "lat", "lon"),
    )


def _seasonal(dataset: xr.Dataset, grid: Grid) -> dict[str, Array]:
    """Sea and ice at the starts of months, of the days nearest to them."""
    sea = [n for n in ("sst", "ci") if n in dataset]
    if not sea:
        return {}
    day = dataset["time"].dt.day
    near = dataset[sea].isel(time=((day <= 2) | (day >= 30)).values)
    near = near if near.sizes["time"] else dataset[sea].isel(time=slice(0, 1))
    boundary = Boundary.of([onto(loaded(near), grid)[0]])
    return {n: np.asarray(field) for n, field in boundary.seasonal.items()}


@contextmanager
def _pool(workers: int, address: str | None) -> Iterator[Map]:
    """A map over workers: here, on this machine's cores, or on a dask cluster."""
    if workers < 2 and address is None:
        yield map
        return
    try:
        import distributed
    except ImportError as problem:
        cure = "pip install 'fifth-paradigm[cluster]'"
        raise UserError(f"several workers need dask: {problem}", cure) from None
    with ExitStack() as stack:
        make: Any = distributed  # it has no types
        here = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
        place = address or stack.enter_context(make.LocalCluster(**here))
        client = stack.enter_context(make.Client(place))

        def spread(function: Callable[..., Any], jobs: Sequence[Any]) -> Iterable[Any]:
            # In the order of time, so that sums round alike however many work.
            return (f.result() for f in client.map(function, jobs, pure=False))

        yield spread
