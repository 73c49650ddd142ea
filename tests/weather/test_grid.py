"""Grids, regridding, levels and sunlight against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.weather.grid import Grid
from science.weather.levels import to_pressure
from science.weather.regrid import conserve, truncate
from science.weather.sun import SOLAR_CONSTANT, insolation, year_fraction, zenith
from science.weather.variables import GAS, GRAVITY

FINE, COARSE = Grid.gaussian(48, 96), Grid.gaussian(32, 64)


def sphere_mean(grid, field):
    return (field.mean(-1) * grid.weight).mean(-1)


def test_gauss_weights_are_exact_for_polynomials_of_the_sine():
    sine = np.sin(np.deg2rad(COARSE.lat))
    for power in (2, 10, 62):
        assert (COARSE.weight * sine**power).mean() == pytest.approx(1 / (power + 1), rel=1e-12)


def test_weights_of_an_even_grid_are_areas():
    grid = Grid(np.arange(90, -91, -2.5), np.arange(0, 360, 2.5))
    assert grid.circular
    assert grid.weight[36] / grid.weight[0] == pytest.approx(
        2 * np.sin(np.deg2rad(1.25)) / (1 - np.sin(np.deg2rad(88.75)))
    )
    assert grid.weight.mean() == pytest.approx(1)


def test_a_region_is_not_circular():
    region = Grid(np.arange(70, 29, -2.5), np.arange(290, 371, 2.5))
    assert not region.circular
    assert region.same(Grid(region.lat, region.lon - 360))
    with pytest.raises(UserError, match=r"mine\.nc lies on another grid"):
        COARSE.check(region, "mine.nc")


def test_harmonics_survive_truncation_and_small_waves_do_not():
    lat, lon = np.deg2rad(FINE.lat)[:, None], np.deg2rad(FINE.lon)
    to, there = np.deg2rad(COARSE.lat)[:, None], np.deg2rad(COARSE.lon)
    large = truncate(np.cos(lat) ** 5 * np.cos(5 * lon), 32, 64, 21)
    assert large == pytest.approx(np.cos(to) ** 5 * np.cos(5 * there), abs=1e-12)
    small = truncate(np.cos(lat) ** 25 * np.cos(25 * lon), 32, 64, 21)
    assert np.abs(small).max() < 1e-12


@pytest.mark.parametrize(
    "source", [FINE, Grid(np.arange(90, -91, -2.5), np.arange(0, 360, 2.5))], ids=["gauss", "even"]
)
def test_conservative_means_keep_totals_constants_and_bounds(source):
    field = np.random.default_rng(0).random((3, *source.shape))
    made = conserve(field, source, COARSE)
    area = -np.diff(np.sin(np.deg2rad(COARSE.edges)))
    known = -np.diff(np.sin(np.deg2rad(source.edges)))
    total = (made.mean(-1) * area).sum(-1)
    assert total == pytest.approx((field.mean(-1) * known).sum(-1), rel=1e-12)
    assert made.min() >= 0
    assert made.max() <= 1
    assert conserve(np.ones(source.shape), source, COARSE) == pytest.approx(1)


def test_turning_the_source_turns_the_target():
    field = np.random.default_rng(1).random(FINE.shape)
    turned = conserve(np.roll(field, 3, -1), FINE, COARSE)
    assert turned == pytest.approx(np.roll(conserve(field, FINE, COARSE), 2, -1))


def test_a_target_outside_is_refused():
    region = Grid(np.arange(70, 29, -2.5), np.arange(290, 371, 2.5))
    with pytest.raises(UserError, match="not inside"):
        conserve(np.ones(region.shape), region, COARSE)


def atmosphere(sigma, surface, lapse):
    """Air in balance whose temperature falls linearly with the logarithm of pressure."""
    pressure = sigma[:, None, None] * surface
    depth = np.log(surface / pressure)
    temperature = 290 - lapse * depth
    ground = GAS * 290 * np.log(1e5 / surface)
    height = ground + GAS * (290 * depth - lapse * depth**2 / 2)
    return {"t": temperature, "z": height, "u": depth}


def test_levels_between_layers_are_exact_for_air_in_balance():
    sigma = np.array([0.025, 0.095, 0.2, 0.34, 0.51, 0.685, 0.835, 0.95])
    surface = np.full((1, 2), 1e5)
    made = to_pressure(atmosphere(sigma, surface, 60.0), sigma, surface, (25000.0, 50000.0))
    for place, pressure in enumerate((25000.0, 50000.0)):
        depth = np.log(1e5 / pressure)
        assert made["t"][place] == pytest.approx(290 - 60 * depth)
        assert made["z"][place] == pytest.approx(GAS * (290 * depth - 30 * depth**2))


def test_below_ground_air_keeps_wind_and_balance():
    sigma = np.array([0.2, 0.5, 0.95])
    surface = np.array([[6e4, 7e4]])
    air = atmosphere(sigma, surface, 60.0)
    steps = np.linspace(0.9 * surface.max(), 8.5e4, 400)
    made = to_pressure(air, sigma, surface, tuple(steps))
    below = steps > 0.95 * surface.max()
    assert np.allclose(made["u"][below], air["u"][-1])
    fall = np.diff(made["z"][below], axis=0)
    middle = (made["t"][below][1:] + made["t"][below][:-1]) / 2
    assert np.allclose(
        fall, -GAS * middle * np.diff(np.log(steps[below]))[:, None, None], rtol=1e-4
    )
    slope = np.diff(made["t"][below], axis=0) / (fall / GRAVITY)
    assert np.allclose(slope, -0.0065, rtol=1e-3)


def test_sunlight_has_the_mean_and_the_nights_it_must():
    year = np.arange("2001-01-01", "2002-01-01", dtype="datetime64[D]").astype("datetime64[s]")
    light = insolation(year, COARSE.lat)
    assert (light * COARSE.weight).mean() == pytest.approx(SOLAR_CONSTANT / 4, rel=2e-3)
    assert light[171, -1] == 0
    assert light[171, 0] > light[171, 16]
    equinox = insolation(np.array(["2001-03-20T12"], "datetime64[s]"), np.array([60.0, -60.0]))
    assert equinox[0, 0] == pytest.approx(equinox[0, 1], rel=0.05)


def test_the_mean_of_the_zenith_over_a_day_is_the_insolation():
    day = np.datetime64("2001-06-01", "s") + np.arange(96) * np.timedelta64(15, "m")
    cosine = zenith(day, COARSE.lat, COARSE.lon)
    distance = (1 - 0.0167 * np.cos(2 * np.pi * (151 - 3) / 365)) ** 2
    known = insolation(day[48:49], COARSE.lat)[0] * distance / SOLAR_CONSTANT
    assert cosine.mean((0, 2)) == pytest.approx(known, abs=2e-3)


def test_the_year_has_its_own_length():
    ends = np.array(["2000-12-31", "2001-12-31"], "datetime64[s]")
    assert year_fraction(ends) == pytest.approx([365 / 366, 364 / 365])
