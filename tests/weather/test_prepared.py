"""Prepared stores: the same states and statistics however many workers write them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import zarr

from science.core.errors import UserError
from science.weather import prepared as module
from science.weather import states, store
from science.weather.grid import Grid
from science.weather.prepared import Moments, prepare, prepared
from science.weather.series import moments
from science.weather.windows import WindowRows, Windows

GRID = Grid.gaussian(6, 12)
NAMES = ("z500", "t500", "sp")


def weather(count=40):
    draw = np.random.default_rng(0)
    when = np.datetime64("2001-01-01", "ns") + np.arange(count) * np.timedelta64(6, "h")
    array = draw.normal(size=(count, 3, *GRID.shape)).astype(np.float32)
    array += np.array([55000.0, 260.0, 1e5], np.float32)[:, None, None]
    made = states.to_dataset(array, NAMES, GRID, {"time": when})
    sea = np.full((count, *GRID.shape), 290.0, np.float32)
    made["sst"] = (("time", "lat", "lon"), sea, {"units": "K"})
    made["orog"] = (("lat", "lon"), np.full(GRID.shape, 10.0, np.float32), {"units": "m"})
    return array, made


def attributes(path):
    return dict(zarr.open_group(path, mode="r").attrs)


@pytest.fixture
def source(tmp_path):
    array, made = weather()
    made.to_netcdf(tmp_path / "mine.nc")
    return array, tmp_path / "mine.nc"


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(module, "SHARD", 16)


def test_a_prepared_store_holds_the_states_in_shards(source, tmp_path):
    array, path = source
    out = prepare(path, tmp_path / "ready.zarr", NAMES)
    made = zarr.open_group(out, mode="r")["state"]
    assert (made.shards[0], made.chunks[0]) == (16, 1)
    assert np.array_equal(made[:], array)
    about = attributes(out)["statistics"]
    series = prepared(out)
    mean, std = moments(series, range(40))
    assert [about[n]["mean"] for n in NAMES] == pytest.approx(mean)
    assert [about[n]["std"] for n in NAMES] == pytest.approx(std)
    assert series.boundary.fields == ("sst", "orog", "sine_latitude", "cosine_latitude")


def test_batches_are_the_same_from_memory_and_from_disk(source, tmp_path):
    out = prepare(source[1], tmp_path / "ready.zarr", NAMES)
    batches = []
    for in_memory in (True, False):
        windows = Windows.of(prepared(out, in_memory), (0, 6, 24), val=[], test=[])
        batches.append(WindowRows(windows).__getitems__([3, 3, 0, 20]).states.numpy())
    assert np.array_equal(*batches)


def test_two_workers_write_what_one_does(source, tmp_path, monkeypatch):
    from distributed import Client, LocalCluster

    one = prepare(source[1], tmp_path / "one.zarr", NAMES, grid=(4, 8))
    with (
        LocalCluster(n_workers=2, processes=False, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        two = prepare(
            source[1], tmp_path / "two.zarr", NAMES, (4, 8), address=cluster.scheduler_address
        )
    assert np.array_equal(prepared(one).states, prepared(two).states)
    assert attributes(one) == attributes(two)


def test_moments_merge_in_any_grouping():
    draw = np.random.default_rng(1).normal(1e5, 1, (30, 2, *GRID.shape))
    whole = Moments.of(draw, GRID.weight)
    parts = [Moments.of(draw[k : k + 7], GRID.weight) for k in range(0, 30, 7)]
    merged = parts[0] + (parts[1] + parts[2]) + (parts[3] + parts[4])
    assert merged.mean == pytest.approx(whole.mean, rel=1e-13)
    assert merged.std == pytest.approx(whole.std, rel=1e-9)


def test_what_is_there_or_unfinished_is_not_touched(source, tmp_path):
    out = prepare(source[1], tmp_path / "ready.zarr", NAMES)
    with pytest.raises(UserError, match="is there already"):
        prepare(source[1], out, NAMES)
    del zarr.open_group(out, mode="r+").attrs["statistics"]
    with pytest.raises(UserError, match="not finished"):
        prepared(out)
    with pytest.raises(UserError, match=r"mine\.nc.*'q' of channel 'q850'"):
        prepare(source[1], tmp_path / "other.zarr", ["q850"])


def test_a_store_grows_and_forgets_its_half_written_end(tmp_path):
    _, made = weather(30)
    path = tmp_path / "truth.zarr"
    for start in (0, 10):
        store.append(path, made.isel(time=slice(start, start + 10)), 10)
    half = made.isel(time=slice(20, 30)).copy(deep=True)
    half["z"][:] = np.nan
    store.append(path, half, 10)
    store.cut(path, made.time.values[20])
    store.append(path, made.isel(time=slice(20, 30)), 10)
    with xr.open_zarr(path, consolidated=False) as back:
        assert np.array_equal(back.time, made.time)
        for name in ("z", "t", "sp", "orog"):
            assert np.array_equal(back[name], made[name])
        assert back["z"].attrs["units"] == "m2 s-2"
