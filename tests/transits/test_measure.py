"""Measuring an ephemeris: limits that follow from the noise, and doubts that must be flagged."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from science.core.errors import UserError
from science.transits.events import events, late_events, noise, punctual
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.measure import (
    HALF,
    MULTIPLE,
    NO_TRANSIT,
    ODD_EVEN,
    ONE_TRANSIT,
    SECONDARY,
    WHOLE,
    chance,
    measure,
)

PLANET = Ephemeris(5.0, 2.0, 0.25)
SIGMA = 2e-4


def curve(signal=None, sigma=SIGMA, days=90.0, seed=1, cadence=0.0204):
    time = np.arange(0, days, cadence)
    flux = 1 + sigma * np.random.default_rng(seed).standard_normal(len(time))
    if signal is not None:
        flux = flux - signal(time)
    return LightCurve(time, flux, np.full(len(time), np.nan), np.zeros(len(time), dtype=np.int64))


def box(depth, ephemeris=PLANET):
    return lambda time: depth * ephemeris.in_event(time)


def test_snr_of_a_box_in_white_noise():
    depth, ratios = 1e-3, []
    for seed in range(12):
        lc = curve(box(depth), seed=seed)
        found = measure(lc, PLANET)
        expected = depth * math.sqrt(PLANET.in_event(lc.time).sum()) / SIGMA
        ratios.append((found.snr / expected, found.white_snr / expected))
    pink, white = np.mean(ratios, axis=0)
    assert white == pytest.approx(1.0, abs=0.02)
    assert pink == pytest.approx(1.0, abs=0.05)  # red noise is estimated, never below zero


def test_no_transit_gives_no_depth():
    depths = [measure(curve(seed=s), PLANET) for s in range(60)]
    pulls = np.array([m.depth / m.error for m in depths])
    assert abs(pulls.mean()) < 4 / math.sqrt(60)
    assert pulls.std() == pytest.approx(1.0, abs=0.3)
    assert np.mean([m.fap for m in depths]) > 0.3


def test_red_noise_lowers_snr_but_not_white_snr():
    rng = np.random.default_rng(3)
    lc = curve(box(1e-3))
    slow = np.repeat(rng.standard_normal(len(lc) // 12 + 1), 12)[: len(lc)] * SIGMA
    red = measure(lc.with_flux(lc.flux + slow), PLANET)
    assert red.snr < 0.6 * red.white_snr
    assert noise(lc.with_flux(lc.flux + slow), 0.25).red == pytest.approx(0.8 * SIGMA, rel=0.3)
    assert noise(curve(), 0.25).red < 0.25 * SIGMA


def test_alternating_depths_are_exact():
    def signal(time):
        odd = PLANET.number(time) % 2 == 1
        return PLANET.in_event(time) * np.where(odd, 3e-3, 1e-3)

    found = measure(curve(signal, sigma=1e-9), PLANET)
    assert found.odd == pytest.approx(3e-3, rel=1e-5)
    assert found.even == pytest.approx(1e-3, rel=1e-5)
    assert found.odd_even > 100
    assert ODD_EVEN in found.flags
    same = measure(curve(box(1e-3)), PLANET)
    assert same.odd_even < 3
    assert ODD_EVEN not in same.flags


@pytest.mark.parametrize("phase", [0.5, 0.31, 0.8])
def test_secondary_is_found_where_it_is(phase):
    second = replace(PLANET, epoch=PLANET.epoch + phase * PLANET.period)
    lc = curve(lambda t: box(2e-3)(t) + box(5e-4, second)(t))
    found = measure(lc, PLANET)
    assert found.secondary.phase == pytest.approx(phase, abs=0.02)
    assert found.secondary.depth == pytest.approx(5e-4, rel=0.3)
    assert SECONDARY in found.flags


def test_pure_noise_has_no_secondary():
    assert all(measure(curve(seed=s), PLANET).secondary.snr < 4.5 for s in range(10))


def test_one_glitch_has_a_high_snr_but_no_steady_one():
    lc = curve()
    glitch = (np.abs(lc.time - 12.0) < 0.125) * 5e-3
    found = measure(lc.with_flux(lc.flux - glitch), PLANET)
    assert found.snr > 6
    assert found.steady_snr < 3
    planet = measure(curve(box(1e-3)), PLANET)
    assert planet.steady_snr > 0.85 * planet.snr


def test_ephemeris_between_the_data_is_flagged():
    lc = curve()
    lc = lc.select(~PLANET.in_event(lc.time, 1.5))
    found = measure(lc, PLANET)
    assert NO_TRANSIT in found.flags
    assert (found.transits, found.points, found.snr, found.fap) == (0, 0, 0.0, 1.0)
    assert math.isnan(found.depth)
    far = measure(curve(), Ephemeris(5000.0, 4000.0, 0.3))
    assert {NO_TRANSIT, WHOLE} <= set(far.flags)


def test_few_transits_are_flagged():
    assert HALF in measure(curve(), Ephemeris(50.0, 20.0, 0.3)).flags
    single = measure(curve(), Ephemeris(120.0, 20.0, 0.3))
    assert {WHOLE, ONE_TRANSIT} <= set(single.flags)
    assert math.isnan(single.odd_even)
    assert measure(curve(), PLANET).flags == ()


def test_gaps_that_hide_every_second_transit_are_named():
    lc = curve(box(1e-3))
    cut = lc.select((PLANET.number(lc.time) % 2 == 0) | ~PLANET.in_event(lc.time, 2))
    assert measure(cut, PLANET).flags == (f"{MULTIPLE}: 2",)


@pytest.mark.parametrize(
    "wrong",
    [
        Ephemeris(0.0, 1.0, 0.1),
        Ephemeris(5.0, math.nan, 0.1),
        Ephemeris(5.0, 1.0, 6.0),
        Ephemeris(5.0, 1.0, 0.0),
    ],
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(UserError, match="is no ephemeris"):
        measure(curve(), wrong)


def test_half_an_event_beside_a_gap_does_not_count():
    lc = curve(box(1e-3))
    cut = lc.select(~((lc.time > 6.93) & (lc.time < 7.5)))
    assert 1 not in events(cut, PLANET).number
    assert 1 in events(lc, PLANET).number


def test_late_transit_is_found_where_it_is():
    late = 0.4

    def signal(time):
        shifted = np.where(PLANET.number(time) == 3, time - late, time)
        return 3e-3 * PLANET.in_event(shifted)

    moved = late_events(curve(signal), PLANET)
    assert [round(m.epoch - 17.0, 1) for m in moved] == [late]
    rest, count = punctual(curve(signal), PLANET)
    assert count == 1
    assert events(rest, PLANET).depth == pytest.approx(3e-3, rel=0.1)
    assert measure(rest, PLANET).secondary.snr < 4.5 < measure(curve(signal), PLANET).secondary.snr
    assert late_events(curve(box(3e-3)), PLANET) == []
    assert late_events(curve(), PLANET) == []


def test_chance_is_bonferroni_for_rare_and_one_for_certain():
    assert chance(5.0, 1e3) == pytest.approx(1e3 * 2.8665e-7, rel=1e-3)
    assert chance(0.0, 1e6) == 1.0
    assert 0 < chance(12.0, 1e6) < 1e-20
