"""The transit fit: middle, duration and depth come back, with honest errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from science.transits.fit import bounds, fit
from science.transits.lightcurve import Ephemeris, LightCurve, Star
from science.transits.search import search
from science.transits.transit_model import Orbit, limb_darkening, scaled_axis, transit

EXPOSURE = 29.4 / 1440
TIME = np.arange(0, 200, 1 / 48)
EPOCH = 3.2


def orbit_of(period=7.3, impact=0.3):
    return Orbit(period, EPOCH, scaled_axis(period, 1.0), impact)


def curve(orbit, ratio, sigma=1e-4, seed=1):
    flux = transit(TIME, orbit, ratio, limb_darkening(5772.0), EXPOSURE)
    flux = flux + sigma * np.random.default_rng(seed).standard_normal(len(TIME))
    error = np.full(len(TIME), sigma)
    return LightCurve(TIME, flux, error, np.zeros(len(TIME), np.int64), exposure=EXPOSURE)


def late(found, orbit):
    true = Ephemeris(orbit.period, orbit.epoch, 0.1)
    return float(true.phase(np.array([found.epoch]))[0])


@pytest.mark.parametrize("impact", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("start", [0.5, 1.0, 2.0])
def test_comes_back_from_half_and_twice_the_duration(impact, start):
    orbit = orbit_of(impact=impact)
    true = orbit.duration(0.03)
    found = fit(curve(orbit, 0.03), Ephemeris(7.3, EPOCH + 0.2 * true, start * true))
    assert found is not None
    assert found.sound
    assert found.ephemeris.duration == pytest.approx(true, rel=0.05)
    assert abs(late(found.ephemeris, orbit)) < 0.02 * true
    deepest = 1 - transit(np.array([EPOCH]), orbit, 0.03, limb_darkening(5772.0))[0]
    assert found.ephemeris.depth == pytest.approx(deepest, rel=0.03)
    assert found.chi2 < found.before


def test_errors_are_those_of_many_noises():
    orbit = orbit_of(14.4)
    true, pulls = orbit.duration(0.012), []
    for seed in range(12):
        found = fit(curve(orbit, 0.012, seed=seed), Ephemeris(14.4, EPOCH, 0.8 * true))
        assert found is not None
        middle, length = late(found.ephemeris, orbit), found.ephemeris.duration - true
        pulls.append((middle / found.epoch_error, length / found.duration_error))
    spread = np.sqrt(np.mean(np.square(pulls), axis=0))
    assert np.all((spread > 0.4) & (spread < 1.7)), spread


def test_errors_grow_with_the_noise():
    orbit = orbit_of()
    start = Ephemeris(7.3, EPOCH, orbit.duration(0.03))
    quiet, loud = (fit(curve(orbit, 0.03, sigma), start) for sigma in (5e-5, 2e-4))
    assert quiet is not None
    assert loud is not None
    for name in ("epoch_error", "duration_error", "depth_error", "period_error"):
        assert getattr(loud, name) > 1.5 * getattr(quiet, name)
    assert quiet.snr > 2 * loud.snr


def test_a_period_slightly_off_is_put_right_and_does_not_lengthen_the_transit():
    orbit = orbit_of()
    true = orbit.duration(0.05)
    wrong = Ephemeris(7.3 + 0.4 * true / 27, EPOCH, true)  # the last event comes 0.4 late
    found = fit(curve(orbit, 0.05), wrong)
    assert found is not None
    assert abs(found.ephemeris.period - 7.3) < 0.1 * abs(wrong.period - 7.3)
    assert found.ephemeris.duration == pytest.approx(true, rel=0.05)


def test_late_events_do_not_lengthen_the_transit():
    orbit = orbit_of(21.3)
    true, lc = orbit.duration(0.05), curve(orbit, 0.05)
    number = Ephemeris(21.3, EPOCH, true).number(TIME)
    late_by = np.array([0.0, 0.3, -0.3, 0.25, 0.0, -0.25, 0.3, -0.3, 0.2, 0.0])
    uneven = replace(lc, time=lc.time + true * late_by[np.clip(number, 0, 9)])
    uneven = uneven.select(np.argsort(uneven.time))
    found = fit(uneven, Ephemeris(21.3, EPOCH, 1.4 * true))
    assert found is not None
    assert found.ephemeris.duration == pytest.approx(true, rel=0.05)


def test_noise_and_brightenings_are_no_sound_fit():
    lc = curve(orbit_of(), 1e-6)
    for flux in (lc.flux, 2 - curve(orbit_of(), 0.03).flux):
        found = fit(lc.with_flux(flux), Ephemeris(7.3, EPOCH, 0.12))
        assert found is None or not found.sound


def test_too_few_points_fit_nothing():
    lc = curve(orbit_of(), 0.03)
    assert fit(lc.select(np.abs(lc.time - 100) < 0.1), Ephemeris(7.3, EPOCH, 0.12)) is None


def test_bounds_are_two_cadences_and_what_the_star_allows():
    lc = curve(orbit_of(), 0.03)
    low, high = bounds(lc, Ephemeris(365.25, EPOCH, 0.5, 1e-4))
    assert low == pytest.approx(2 / 48)
    known = replace(lc, star=Star(radius=1.0, mass=1.0))
    short = bounds(known, Ephemeris(365.25, EPOCH, 0.5, 1e-4))[1]
    assert 24 * short == pytest.approx(1.3 * 13.0, rel=0.03)
    assert short < high
    assert bounds(lc, Ephemeris(0.5, EPOCH, 0.1))[1] == pytest.approx(0.125)


def test_search_hands_over_the_fitted_duration():
    orbit = orbit_of(impact=0.5)
    lc = curve(orbit, 0.03)
    (signal,) = search(lc, "bls", threads=1, periods=(6.0, 9.0))
    assert signal.fit is not None
    assert signal.ephemeris.duration == signal.fit.ephemeris.duration
    assert signal.ephemeris.duration == pytest.approx(orbit.duration(0.03), rel=0.06)
    assert signal.ephemeris.depth == signal.measurement.depth
