"""Injection, inversion, scrambling, and the rates drawn from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from science.core.errors import UserError
from science.transits.inject import (
    Range,
    alarms,
    draw,
    expected_snr,
    inject,
    invert,
    matches,
    recovery,
    scramble,
)
from science.transits.lightcurve import Ephemeris, LightCurve, Star
from science.transits.population import EARTHS, Planet
from science.transits.rates import completeness, interval, reliability
from science.transits.synth import simulate
from science.transits.transit_model import Orbit

SUN = Star(5772.0, 4.438, 1.0, 1.0, 12.0)
LIMB = (0.49, 0.18)


@dataclass(frozen=True)
class Dip:
    ephemeris: Ephemeris
    snr: float


def star(seed=0, baseline=200.0):
    return simulate(seed, "noise", star=SUN, baseline=baseline, activity=0).lightcurve


def one_signal(lc):
    return [Dip(Ephemeris(3.3, lc.time[0], 0.1), 8.0)]


def refuses(lc):
    raise UserError("nothing to search", "give more points")


def judge(lc, signals):
    return [0.9 if lc.notes[-1] != "inverted" else 0.2 for _ in signals]


def test_injection_multiplies_and_leaves_the_rest_alone():
    lc = star()
    planet = Planet(Orbit(7.0, lc.time[0] + 2, 15.0, 0.3), 0.05, LIMB)
    with_planet = inject(lc, planet)
    away = ~Ephemeris(7.0, lc.time[0] + 2, planet.orbit.duration(0.05) + 0.05).in_event(lc.time)
    assert np.array_equal(with_planet.flux[away], lc.flux[away])
    assert np.array_equal(with_planet.time, lc.time)
    ratio = with_planet.flux / lc.flux
    assert 1 - ratio.min() == pytest.approx(0.05**2 * 1.2, rel=0.1)
    assert lc.notes == ("simulated",)


def test_depth_scales_with_the_square_of_the_radius():
    lc = star()
    orbit = Orbit(7.0, lc.time[0] + 2, 15.0, 0.3)
    shallow, deep = (
        1 - (inject(lc, Planet(orbit, ratio, LIMB)).flux / lc.flux).min() for ratio in (0.02, 0.04)
    )
    assert deep / shallow == pytest.approx(4.0, rel=0.02)


def test_inverting_twice_is_nothing():
    lc = star()
    assert np.allclose(invert(invert(lc)).flux, lc.flux, atol=1e-15)
    assert np.allclose(invert(lc).flux + lc.flux, 2)


def test_scrambling_moves_whole_segments():
    lc = star(baseline=370)
    mixed = scramble(lc, np.random.default_rng(0))
    assert np.all(np.diff(mixed.time) > 0)
    assert np.array_equal(np.sort(mixed.flux), np.sort(lc.flux))
    assert mixed.time[0] == lc.time[0]
    assert mixed.baseline == pytest.approx(lc.baseline, abs=1e-6)
    order = list(dict.fromkeys(mixed.segment.tolist()))
    assert sorted(order) == [0, 1, 2, 3]
    assert order != [0, 1, 2, 3]
    for number in order:
        before, after = lc.segment == number, mixed.segment == number
        assert np.array_equal(lc.flux[before], mixed.flux[after])
        assert np.allclose(np.diff(lc.time[before]), np.diff(mixed.time[after]), atol=1e-9)


def test_scrambling_destroys_a_long_period():
    lc = star(baseline=370)
    planet = Planet(Orbit(37.0, lc.time[0] + 5, 40.0), 0.1, LIMB)
    mixed = scramble(inject(lc, planet), np.random.default_rng(1))
    event = Ephemeris(37.0, lc.time[0] + 5, planet.orbit.duration(0.1))
    inside = event.in_event(mixed.time, 0.5)
    assert (mixed.flux[inside] < 0.995).mean() < 0.5


def test_one_segment_cannot_be_scrambled():
    with pytest.raises(UserError, match="several quarters"):
        scramble(star(baseline=30), np.random.default_rng(0))


def test_injected_planets_are_physical():
    lc = replace(star(), star=Star(5000.0, 4.6, 0.8, 0.85, 13.0))
    limits = Range(period=(1.0, 50.0), radius=(0.5, 15.0))
    for seed in range(50):
        planet = draw(np.random.default_rng(seed), lc, limits)
        radius = planet.ratio * 0.8 * EARTHS
        assert 0.5 <= radius <= 15.0
        assert 1.0 <= planet.orbit.period <= 50.0
        assert planet.orbit.duration(planet.ratio) > 0
        assert lc.time[0] <= planet.orbit.epoch < lc.time[0] + planet.orbit.period


def test_an_unknown_star_is_taken_for_the_sun():
    lc = replace(star(), star=Star())
    planet = draw(np.random.default_rng(0), lc)
    assert np.isfinite(planet.orbit.axis)
    assert np.isfinite(expected_snr(lc, planet))


def test_expected_snr_grows_with_depth_and_number_of_points():
    lc = star()
    orbit = Orbit(5.0, lc.time[0] + 2, 12.0, 0.2)
    one, two = (expected_snr(lc, Planet(orbit, ratio, LIMB)) for ratio in (0.02, 0.04))
    assert two / one == pytest.approx(4, rel=0.03)
    half = lc.select(lc.time < lc.time[0] + 0.5 * lc.baseline)
    ratio = expected_snr(half, Planet(orbit, 0.02, LIMB)) / one
    assert ratio == pytest.approx(2**-0.5, rel=0.1)


@pytest.mark.parametrize(
    ("period", "epoch", "same"),
    [(10.0, 3.0, True), (10.0005, 23.001, True), (10.0, 5.0, False), (5.0, 3.0, False),
     (10.1, 3.0, False), (10.0, 3.04, True)],
)  # fmt: skip
def test_a_match_needs_period_and_epoch(period, epoch, same):
    true = Ephemeris(10.0, 3.0, 0.2)
    assert matches(Ephemeris(period, epoch, 0.2), true, 200.0) is same


def test_recovery_counts_what_was_found(monkeypatch):
    lc = star()
    planets = {}

    def search(given):
        depth = 1 - (given.flux / lc.flux).min()
        planets[len(planets)] = depth
        return [Dip(current[0], 20.0)] if depth > 1e-3 else []

    current = []

    def vet(given, signals):
        return [0.9] * len(signals)

    original = inject

    def remember(curve, planet, supersample=7):
        orbit = planet.orbit
        current[:] = [Ephemeris(orbit.period, orbit.epoch, orbit.duration(planet.ratio))]
        return original(curve, planet, supersample)

    monkeypatch.setattr("science.transits.inject.inject", remember)
    told = []
    frame = recovery(
        [lc],
        search,
        vet,
        trials=30,
        seed=3,
        progress=lambda done, count: told.append((done, count)),
    )
    assert len(frame) == 30
    assert told[-1] == (30, 30)
    deep = np.array([planets[i] > 1e-3 for i in range(30)])
    assert np.array_equal(frame["found"].to_numpy(), deep)
    assert np.array_equal(frame["passed"].to_numpy(), deep)
    assert 3 < deep.sum() < 27
    assert (frame["problem"] == "").all()
    again = recovery([lc], lambda lc: [], trials=30, seed=3)
    assert np.array_equal(frame["period"], again["period"])
    assert not again["found"].any()


def test_a_failed_search_is_a_row_and_not_the_end():
    frame = recovery([star()], refuses, trials=2)
    assert frame["problem"].str.contains("nothing to search").all()
    assert not frame["passed"].any()


def test_alarms_and_reliability():
    frame = alarms([star(i) for i in range(3)], one_signal, judge)
    assert set(frame["kind"]) == {"observed", "inverted", "scrambled"}
    assert len(frame) == 9
    assert frame[frame.kind == "inverted"]["passed"].sum() == 0
    told = reliability(frame)
    assert told["effectiveness"] == pytest.approx(0.5)
    assert told["effectiveness_low"] < 0.5 < told["effectiveness_high"]


def test_alarms_of_single_segments_are_not_scrambled():
    frame = alarms([star(baseline=30)], one_signal)
    assert set(frame["kind"]) == {"observed", "inverted"}


def test_reliability_is_the_published_formula():
    kinds = ["observed"] * 100 + ["inverted"] * 1000
    passed = [True] * 60 + [False] * 40 + [True] * 10 + [False] * 990
    frame = pd.DataFrame({"kind": kinds, "passed": passed, "problem": ""})
    assert reliability(frame)["reliability"] == pytest.approx(1 - 40 / 60 * 0.01 / 0.99)
    nothing = frame[frame.kind == "inverted"]
    assert np.isnan(reliability(nothing)["reliability"])


def test_jeffreys_intervals():
    low, high = interval(50, 100, 0.68)
    assert high - low == pytest.approx(2 * 0.994 * 0.05, rel=0.02)
    assert interval(0, 10)[0] == 0
    assert interval(10, 10)[1] == 1
    assert interval(0, 0) == (0, 1)
    assert interval(0, 10)[1] < interval(0, 5)[1]


def test_jeffreys_intervals_cover_what_they_promise():
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.05, 0.95, 4000)
    hits = [
        low <= rate <= high
        for rate in rates
        for low, high in [interval(int(rng.binomial(40, rate)), 40, 0.68)]
    ]
    assert np.mean(hits) == pytest.approx(0.68, abs=0.03)


def test_completeness_by_period_and_radius():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"period": rng.uniform(1, 100, 2000), "radius": rng.uniform(1, 10, 2000)})
    frame["passed"] = frame["radius"] > 5
    edges = {"period": [1, 10, 100], "radius": [1, 5, 10]}
    cells = completeness(frame, bins=edges)
    assert len(cells) == 4
    assert cells["injections"].sum() == 2000
    assert cells[cells.radius_low == 1]["rate"].tolist() == [0, 0]
    assert cells[cells.radius_low == 5]["rate"].tolist() == [1, 1]
    assert (cells["low"] <= cells["rate"]).all()
    assert (cells["rate"] <= cells["high"]).all()
    assert completeness(frame, ("radius",), bins=4)["injections"].sum() == 2000
    empty = completeness(frame, bins={"period": [200, 300], "radius": [1, 2]})
    assert np.isnan(empty["rate"][0])


def _nothing(lc):
    return []


def test_workers_give_the_same_rows():
    curves = [star(i, 40.0) for i in range(2)]
    alone, shared = (recovery(curves, _nothing, trials=2, workers=n) for n in (1, 2))
    pd.testing.assert_frame_equal(alone, shared)


def test_a_light_curve_keeps_what_it_is():
    lc = star()
    for changed in (invert(lc), inject(lc, draw(np.random.default_rng(0), lc))):
        assert isinstance(changed, LightCurve)
        assert changed.star == lc.star
        assert changed.notes != lc.notes


@pytest.mark.mirror
def test_flattening_keeps_a_planet_injected_into_kepler_90(mirror):
    """Christiansen et al. 2013 (ApJS 207, 35) ask 0.997 of the pipeline's detrending."""
    from science.transits.flatten import flatten
    from science.transits.read import read_star

    files = sorted((mirror / "transits/fits/kepler/011442793").glob("*.fits"))[:3]
    lc = read_star(files)
    orbit = Orbit(6.3, lc.time[0] + 3, 14.0, 0.3)
    planet = Planet(orbit, 0.025, LIMB)
    event = Ephemeris(6.3, orbit.epoch, orbit.duration(0.025))
    with_planet = inject(lc, planet)

    def lost(before, after):
        _, i, j = np.intersect1d(before.time, after.time, return_indices=True)
        inside = event.in_event(before.time[i], 0.5)
        return np.mean(before.flux[i][inside] - after.flux[j][inside])

    kept = lost(flatten(lc, [event]), flatten(with_planet, [event])) / lost(lc, with_planet)
    assert kept == pytest.approx(1, abs=0.01)
