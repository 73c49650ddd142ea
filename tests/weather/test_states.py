"""Datasets with CF names to tensors and back; what surrounds the air; series and their pieces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from science.core.errors import UserError
from science.weather import states
from science.weather.boundary import SCALES, Boundary
from science.weather.grid import Grid
from science.weather.series import Series, moments
from science.weather.tabulate import barotropic
from science.weather.variables import split

GRID = Grid.gaussian(8, 16)
NAMES = ("z500", "z850", "t850", "t_low", "sp")


def times(start, count, hours=6):
    return np.datetime64(start, "s") + np.arange(count) * np.timedelta64(hours, "h")


def made(start="2001-01-01", count=12, seed=0):
    draw = np.random.default_rng(seed)
    array = draw.normal(size=(count, len(NAMES), *GRID.shape)).astype(np.float32)
    when = times(start, count).astype("datetime64[ns]")
    return array, states.to_dataset(array, NAMES, GRID, {"time": when})


def test_channels_come_back_bit_for_bit_in_any_order():
    array, dataset = made()
    assert states.channels(dataset) == ("z500", "z850", "t500", "t850", "t_low", "sp")
    assert np.array_equal(states.to_array(dataset, NAMES), array)
    assert np.array_equal(states.to_array(dataset, NAMES[::-1]), array[:, ::-1])


def test_what_is_made_follows_cf():
    _, dataset = made()
    assert dataset.attrs["Conventions"].startswith("CF-")
    assert dataset["z"].attrs["standard_name"] == "geopotential"
    assert dataset["t"].attrs["units"] == "K"
    assert dataset["lat"].attrs["units"] == "degrees_north"
    assert dataset["level"].attrs["positive"] == "down"
    assert list(dataset["z"].dims) == ["time", "level", "lat", "lon"]


@pytest.mark.parametrize(
    ("name", "word"), [("q850", "'q' of channel"), ("z300", "not given at 300 hPa")]
)
def test_a_missing_variable_or_level_is_named(name, word):
    _, dataset = made()
    with pytest.raises(UserError, match=f"mine.nc.*{word}"):
        states.to_array(dataset, [name], "mine.nc")


@pytest.mark.parametrize(
    ("name", "parts"), [("z500", ("z", 500)), ("t_low", ("t_low", None)), ("t2m", ("t2m", None))]
)
def test_names_of_channels(name, parts):
    assert split(name) == parts


def seasons():
    """A year of daily fields: a sea that is linear between the starts of months."""
    knots = np.random.default_rng(2).normal(285, 5, size=(12, *GRID.shape)).astype(np.float32)
    when = times("2001-01-01", 365, 24)
    month = when.astype("datetime64[M]")
    start = month.astype("datetime64[s]")
    share = (when - start) / ((month + 1).astype("datetime64[s]") - start)
    place = month.astype(int) % 12
    share = share[:, None, None]
    sea = knots[place] * (1 - share) + knots[(place + 1) % 12] * share
    ground = np.full(GRID.shape, 750.0, np.float32)
    arrays = {"sst": (("time", "lat", "lon"), sea), "orog": (("lat", "lon"), ground)}
    coords = {"time": when.astype("datetime64[ns]"), "lat": GRID.lat, "lon": GRID.lon}
    return knots, sea, xr.Dataset(arrays, coords)


def test_the_sea_of_another_year_is_that_of_the_same_day():
    knots, sea, dataset = seasons()
    boundary = Boundary.of([dataset])
    assert boundary.fields == ("insolation", "sst", "orog", "sine_latitude", "cosine_latitude")
    assert boundary.seasonal["sst"] == pytest.approx(knots, abs=3.0)
    mean, size = SCALES["sst"]
    later = boundary.at(times("2013-04-10", 3, 24))[:, 1] * size + mean
    assert later == pytest.approx(sea[99:102], abs=0.5)


def test_forcings_of_many_times_keep_their_shape():
    boundary = Boundary.of([seasons()[2]], sun=("insolation", "zenith"))
    made = boundary.at(times("2001-05-01", 6).reshape(2, 3))
    assert made.shape == (2, 3, 6, *GRID.shape)
    assert np.abs(made).max() < 4
    assert made[0, 0, 3] == pytest.approx(0.5)
    turned = boundary.at(times("2001-05-01", 1))[0]
    assert np.ptp(turned[0], axis=-1) == pytest.approx(0), "insolation knows no longitude"


def test_pieces_stop_at_gaps_and_between_runs():
    first, second = made(count=12)[1], made("2001-01-04", 8, seed=1)[1]
    broken = first.isel(time=[0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11])
    series = Series.of([broken, second], NAMES)
    place = series.places([0, 6, 12])
    hours = (series.time[place] - series.time[place[:, :1]]) / np.timedelta64(1, "h")
    assert (hours == [0, 6, 12]).all()
    assert (series.run[place] == series.run[place[:, :1]]).all()
    assert len(place) == (4 - 2) + (7 - 2) + (8 - 2)
    assert series.step == np.timedelta64(6, "h")


def test_a_series_gives_back_its_states_as_a_dataset():
    array, dataset = made()
    series = Series.of([dataset], NAMES)
    back = series.dataset(np.array([3, 4]))
    assert np.array_equal(states.to_array(back, NAMES), array[3:5])
    assert series.row(np.datetime64("2001-01-01T18")) == 3
    with pytest.raises(UserError, match="no state at"):
        series.row(np.datetime64("1999-01-01"))


def test_some_channels_are_taken_out_wherever_the_states_lie():
    class Elsewhere:
        def __init__(self, states):
            self.states = states

        def __getitem__(self, rows):
            return self.states[rows]

    array, dataset = made()
    series = Series.of([dataset], NAMES)
    for states_ in (series.states, Elsewhere(series.states)):
        few = replace(series, states=states_).only([NAMES[2], NAMES[0]])
        assert few.channels == (NAMES[2], NAMES[0])
        for rows in (np.array([[4, 1], [0, 2]]), np.array([3]), slice(2, 4), 1):
            assert np.array_equal(few.states[rows], array[rows][..., [2, 0], :, :])
    with pytest.raises(UserError, match="no channel 'z1'"):
        series.only(["z1"])


@pytest.mark.parametrize("offsets", [[6, 12], [0, 12, 6], []])
def test_offsets_ascend_from_nothing(offsets):
    series = Series.of([made()[1]], NAMES)
    with pytest.raises(UserError, match="ascend from 0"):
        series.places(offsets)


def test_moments_of_one_pass_are_those_of_two():
    array, dataset = made(count=150)
    array += np.arange(len(NAMES))[:, None, None] * 1e4
    series = Series.of([dataset], NAMES)
    object.__setattr__(series, "states", array)
    mean, std = moments(series, range(150), block=17)
    weight = GRID.weight[:, None]
    known = (array.astype(np.float64) * weight).mean((0, 2, 3))
    assert mean == pytest.approx(known, rel=1e-9)
    square = ((array - known[:, None, None]) ** 2 * weight).mean((0, 2, 3))
    assert std == pytest.approx(np.sqrt(square), rel=1e-6)


def test_the_barotropic_weather_is_the_same_twice_and_its_runs_differ():
    one, again = (barotropic("weather/simulated-barotropic", runs=2, days=2) for _ in range(2))
    assert np.array_equal(one.states, again.states)
    assert one.states.shape == (16, 3, 32, 64)
    assert len(set(one.years)) == 2
    assert np.abs(one.states[0] - one.states[8])[1].max() > 1
    with pytest.raises(UserError, match="0 runs"):
        barotropic("weather/simulated-barotropic", runs=0)
