"""Simulated years: whole and the same however often the simulation is killed.

A stand-in for the circulation model, with the same face, makes this quick.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from science.core.errors import UserError
from science.weather import numerical, simulate_many, states
from science.weather import simulate as module
from science.weather.gcm import PRESSURE, day_of_year
from science.weather.grid import Grid
from science.weather.numerical import coarser, disturbed, forecasts
from science.weather.simulate import read_state, simulate, surfaces
from science.weather.stored import LEAD, Stored
from science.weather.tabulate import simulated
from science.weather.variables import GAS, GRAVITY

SIGMA = np.array([0.1, 0.4, 0.7, 0.95])


class StandIn:
    """Air that changes by a random number each 6 hours, which follows from all before."""

    def __init__(self, truncation=31, start="2000-10-03", step=45.0):
        rows = {31: 48, 21: 32}[truncation]
        self.truncation, self.grid, self.sigma = truncation, Grid.gaussian(rows, 2 * rows), SIGMA
        north = np.sin(np.deg2rad(self.grid.lat))[:, None]
        flat = np.ones(self.grid.shape, np.float32)
        self.orography, self.land = (100 * (1 + north) * flat).astype(np.float32), 0.3 * flat
        self.time, self.number = np.datetime64(start, "s"), 0.0

    def begin(self, seed):
        self.number = float(seed)

    def advance(self, days):
        when, values = [], []
        for _ in range(4 * days):
            self.number = float(np.float64(np.sin(self.number * 12.9898 + 1.0) * 10))
            self.time = self.time + np.timedelta64(6, "h")
            when.append(self.time)
            values.append(self.number)
        return self.frames(np.array(when), np.array(values))

    def forecast(self, state, days):
        self.time, self.number = state.time.values.astype("datetime64[s]"), float(state.u.mean())
        return self.advance(days)

    def frames(self, when, values):
        layered, flat = ("time", "sigma", "lat", "lon"), ("time", "lat", "lon")
        one = np.ones((len(when), 4, *self.grid.shape), np.float32)
        moved = one * values[:, None, None, None].astype(np.float32)
        height = -GAS * 280 * np.log(SIGMA)[:, None, None] * one + GRAVITY * self.orography
        arrays = {
            "z": height,
            "t": 280 * one + moved / 10,
            "u": moved,
            "v": -moved,
            "q": 0.01 * one,
        }
        data = {n: (layered, a.astype(np.float32)) for n, a in arrays.items()}
        surface = PRESSURE * np.exp(-GRAVITY * self.orography / (GAS * 280)) * one[:, 0]
        data["sp"] = (flat, surface.astype(np.float32))
        for name, value in (("tp", 0.5), ("sst", 290.0), ("ci", 0.1)):
            data[name] = (flat, value * one[:, 0])
        coords = {"time": when.astype("datetime64[ns]"), "sigma": SIGMA}
        return xr.Dataset(data, {**coords, "lat": self.grid.lat, "lon": self.grid.lon})

    def save(self, path):
        path.write_text(json.dumps([str(self.time), self.number]))

    def load(self, path):
        time, self.number = json.loads(path.read_text())
        self.time = np.datetime64(time, "s")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(module, "Circulation", StandIn)
    monkeypatch.setattr(numerical, "Circulation", StandIn)
    monkeypatch.setattr(module, "SPIN_UP", 1)
    monkeypatch.setattr(module, "BLOCK", 1)


class KilledError(Exception):
    pass


def killer(after, where, monkeypatch):
    """Make the run fail at its ``after``-th write of the truth, a state or a checkpoint."""
    count = [0]
    place = StandIn if where == "save" else module
    old = getattr(place, where)

    def fail(*arguments, **words):
        count[0] += 1
        if count[0] == after:
            if where == "append":
                path, block, chunk = arguments
                old(path, block.where(False), chunk)
            raise KilledError
        return old(*arguments, **words)

    monkeypatch.setattr(place, where, fail)


def short(folder, days=3, **options):
    """Not a year but some days."""
    run = module._Run(folder, options.get("start", 2001), options.get("seed", 0))
    return run.to(np.datetime64("2001-01-01", "D") + days, options.get("tell", lambda *_: None))


def content(path):
    with xr.open_zarr(path, consolidated=False) as store:
        return store.load()


@pytest.mark.parametrize("where", ["append", "save", "atomic"])
@pytest.mark.parametrize("after", [2])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch, where, after):
    whole = content(short(tmp_path / "whole"))
    with monkeypatch.context() as patch:
        killer(after, where, patch)
        with pytest.raises(KilledError):
            short(tmp_path / "killed")
    again = content(short(tmp_path / "killed"))
    assert again.identical(whole)
    assert len(again.time) == 12
    assert set(np.diff(again.time.values)) == {np.timedelta64(6, "h")}


def test_a_finished_run_can_be_made_longer(tmp_path):
    short(tmp_path / "a", 1)
    longer = content(short(tmp_path / "a", 3))
    assert longer.identical(content(short(tmp_path / "b", 3)))


def test_the_states_that_are_kept_are_those_of_the_truth(tmp_path):
    truth = content(short(tmp_path / "run"))
    for path in sorted((tmp_path / "run/states").glob("*.nc"))[:-1]:
        state = read_state(path)
        there = truth.sel(time=state.time)
        made = surfaces(StandIn(), state.expand_dims("time")).isel(time=0)
        for name in ("z", "u", "sp", "tp"):
            assert np.array_equal(made[name], there[name])


def test_what_is_written_follows_cf_and_is_read_by_the_card(tmp_path):
    truth = content(short(tmp_path / "run"))
    assert truth["t"].attrs["standard_name"] == "air_temperature"
    assert truth["z"].dtype == truth["sp"].dtype == np.float32
    assert truth["time"].encoding["units"] == "hours since 1970-01-01"
    assert len(states.channels(truth)) == 21
    series = simulated("weather/simulated-t31", str(tmp_path), channels=["z500", "v850", "tp"])
    assert series.states.shape == (12, 3, 32, 64)
    assert "ci" in series.boundary.fields
    with pytest.raises(UserError, match="fifth weather simulate"):
        simulated("weather/simulated-t31", str(tmp_path / "nothing"))


def test_another_run_in_the_same_folder_is_refused(tmp_path):
    short(tmp_path / "run", 1)
    with pytest.raises(UserError, match="holds another run"):
        short(tmp_path / "run", 1, seed=1)


def test_two_processes_do_not_share_a_folder(tmp_path):
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(UserError, match="another process"):
        simulate(tmp_path, 1)


def test_a_model_that_blew_up_is_stopped_and_nothing_of_it_kept(tmp_path, monkeypatch):
    short(tmp_path / "run", 1)
    before = content(tmp_path / "run/truth.zarr")
    monkeypatch.setattr(np, "sin", lambda value: value * np.nan)
    with pytest.raises(UserError, match="blew up after 2001-01-02"):
        module._Run(tmp_path / "run", 2001, 0).to(np.datetime64("2001-01-03"), lambda *_: None)
    assert content(tmp_path / "run/truth.zarr").identical(before)


def test_each_year_begins_with_a_state_leap_year_or_not(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 5)
    for year, last in ((2003, 5), (2004, 1)):
        day, end = np.datetime64(f"{year}-01-01"), np.datetime64(f"{year + 1}-01-01")
        while day < end:
            days = module._block(day)
            day = day + days
        assert (day, days) == (end, last)


def test_a_damaged_state_is_named(tmp_path):
    short(tmp_path / "run", 1)
    path = tmp_path / "run/states/2001-01-02.nc"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"2001-01-02\.nc"):
        short(tmp_path / "run", 2)


def test_runs_share_the_years(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(simulate_many, "simulate", lambda *job, tell: seen.append(job) or job[0])
    simulate_many.simulate_many(tmp_path, 3, 2001, 7, 1, lambda *_: None)
    assert seen == [(tmp_path / "run0", 3, 2001, 7)]
    with pytest.raises(UserError, match="a year each"):
        simulate_many.simulate_many(tmp_path, 1, 2001, 0, 2, lambda *_: None)


def test_the_coarser_state_stands_on_the_coarser_mountains():
    """Surface pressure follows the ground in an isothermal atmosphere."""
    fine, coarse = StandIn(31), StandIn(21)
    coarse.orography = coarse.orography + np.float32(50.0)
    state = fine.advance(1).isel(time=0)
    made = coarser(state, fine, coarse)
    known = PRESSURE * np.exp(-GRAVITY * coarse.orography / (GAS * 280))
    assert made["sp"].values == pytest.approx(known, rel=2e-3)
    assert made["t"].shape == (4, 32, 64)


def test_numerical_forecasts_have_the_layout_of_weatherbench_and_go_on(tmp_path):
    short(tmp_path / "run", 3)
    starts = sorted((tmp_path / "run/states").glob("*.nc"))[:3]
    out = forecasts(starts[:2], tmp_path / "t21.zarr", days=2)
    forecasts(starts, out, days=2)
    made = content(out)
    assert made["z"].dims == ("time", LEAD, "level", "lat", "lon")
    assert (made[LEAD].values / np.timedelta64(1, "h")).tolist() == [0, 24, 48]
    assert made.sizes["time"] == 3
    truth = content(tmp_path / "run/truth.zarr")
    assert np.array_equal(made["u"][:, 0], truth["u"].sel(time=made.time))
    again = content(forecasts(starts, tmp_path / "again.zarr", days=2))
    assert again.identical(made)
    stored = Stored(str(out))
    grid, hours = Grid.gaussian(32, 64), [48.0, 24.0]
    array = stored(["z500", "t850"], stored.time[[2, 0]], hours, grid)
    assert array.shape == (1, 2, 2, 2, 32, 64)
    assert np.array_equal(array[0, 1, 1, 0], made["z"][0, 1].sel(level=500))
    with pytest.raises(UserError, match=r"no start 2001-02-01.*fifth weather numerical"):
        stored(["z500"], np.array(["2001-02-01"], "datetime64[s]"), hours, grid)
    with pytest.raises(UserError, match="another grid"):
        stored(["z500"], stored.time, hours, Grid.gaussian(8, 16))
    with pytest.raises(UserError, match="no store of forecasts"):
        _ = Stored(str(tmp_path / "nothing")).time


def test_members_start_apart_and_the_same_twice(tmp_path):
    short(tmp_path / "run", 4)
    starts = sorted((tmp_path / "run/states").glob("*.nc"))
    true = read_state(starts[2])
    made = disturbed(true, [*starts[:2], *starts[3:]], 3, 0.1, seed=0)
    again = disturbed(true, [*starts[:2], *starts[3:]], 3, 0.1, seed=0)
    assert all(a.identical(b) for a, b in zip(made, again, strict=True))
    away = [float(np.abs(m.u - true.u).mean()) for m in made]
    assert min(away) > 0
    assert max(away) < 3
    assert all(float(m.q.min()) >= 0 for m in made)
    out = forecasts(starts[2:3], tmp_path / "e.zarr", members=3, days=1, truncation=31)
    assert content(out)["t"].dims == ("time", "member", LEAD, "level", "lat", "lon")


@pytest.mark.parametrize(
    ("change", "told"),
    [({"states": []}, "no state to start"), ({"every": 5}, "every 5 hours")],
)
def test_what_no_forecast_can_be_made_of(tmp_path, change, told):
    options = {"states": [tmp_path / "2001-01-01.nc"], "out": tmp_path / "o.zarr"} | change
    with pytest.raises(UserError, match=told):
        forecasts(**options)


def test_the_29th_of_february_is_like_the_day_before():
    days = np.array(["2004-02-28", "2004-02-29", "2004-03-01", "2003-03-01", "2004-12-31"])
    assert day_of_year(days.astype("datetime64[ns]")).tolist() == [58, 58, 59, 59, 364]
