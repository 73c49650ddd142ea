"""The period grid: Ofir's spacing, Kepler's third law, and ranges that make sense."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.core.errors import UserError
from science.transits.grid import (
    WIDTHS,
    bin_widths,
    period_range,
    solar,
    transit_duration,
    trial_periods,
)
from science.transits.lightcurve import LightCurve, Star

SUN = Star(radius=1.0, mass=1.0)


def line(days: float, points: int = 500) -> LightCurve:
    time = np.linspace(0, days, points)
    return LightCurve(time, np.ones(points), np.full(points, np.nan), np.zeros(points, int))


def test_earth_crosses_the_sun_in_thirteen_hours():
    assert 24 * transit_duration(365.25, SUN) == pytest.approx(13.0, abs=0.1)


def test_duration_follows_the_cube_root_of_period_over_density():
    assert transit_duration(8.0, SUN) == pytest.approx(2 * transit_duration(1.0, SUN))
    dense = Star(radius=0.5, mass=1.0)
    assert transit_duration(8.0, dense) == pytest.approx(0.5 * transit_duration(8.0, SUN))


@pytest.mark.parametrize(("baseline", "low", "high"), [(90, 0.6, 45), (1460, 0.6, 730), (27, 1, 9)])
def test_step_drifts_a_third_of_a_transit_over_the_baseline(baseline, low, high):
    periods = trial_periods(baseline, low, high, SUN)
    assert np.all(np.diff(periods) > 0)
    drift = np.diff(periods) / periods[:-1] * baseline
    worst = drift / transit_duration(periods[:-1], SUN)
    # Ofir's A is for drifts of half the baseline either side of its middle.
    assert worst.max() < 1.0
    assert worst.min() > 0.1
    assert periods[0] < low < high < periods[-1]


def test_even_in_cube_root_of_frequency():
    root = trial_periods(1460, 0.6, 400, SUN) ** (-1 / 3)
    assert np.ptp(np.diff(root)) < 1e-9


def test_four_years_are_far_cheaper_than_a_grid_even_in_frequency():
    periods = trial_periods(1460, 0.6, 700, SUN)
    finest = np.min(np.diff(1 / periods[::-1]))
    assert len(periods) < 250_000
    assert len(periods) < 0.3 * (1 / 0.6 - 1 / 700) / finest


@given(st.floats(0.05, 5), st.floats(0.05, 3), st.floats(1, 5))
def test_grid_stays_finite_for_every_star(radius, mass, low):
    periods = trial_periods(30, low, 2 * low, Star(radius=radius, mass=mass))
    assert np.isfinite(periods).all()
    assert len(periods) >= 3


def test_unknown_star_is_the_sun():
    assert solar(Star()) == (1.0, 1.0)
    assert solar(Star(radius=-5.0, mass=math.inf)) == (1.0, 1.0)


def test_mass_from_gravity():
    assert solar(Star(radius=1.0, logg=4.438))[1] == pytest.approx(1.0, abs=0.01)


def test_bins_resolve_short_transits_and_leave_a_baseline():
    periods = np.geomspace(0.2, 400, 200)
    widths = bin_widths(periods, SUN, 0.02)
    assert np.all(widths * WIDTHS[-1] < 0.3 * periods)
    assert np.all(widths[periods > 5] >= 0.1 * transit_duration(periods[periods > 5], SUN) - 1e-12)


def test_default_range_needs_three_transits():
    low, high = period_range(line(90), None, 3)
    assert (low, high) == (0.6, pytest.approx(45))


@pytest.mark.parametrize("wrong", [(10, 5), (0, 5), (-1, 5), (1, math.nan), (1, math.inf), (5, 5)])
def test_impossible_range_is_refused_in_one_line(wrong):
    with pytest.raises(UserError, match="no range of periods") as error:
        period_range(line(90), wrong)
    assert "\n" not in str(error.value)


def test_periods_beyond_the_baseline_are_refused_or_cut():
    with pytest.raises(UserError, match=r"cannot repeat in 90 days.*add light curves"):
        period_range(line(90), (100, 200))
    assert period_range(line(90), (10, 200)) == (10, 90)
