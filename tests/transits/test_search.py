"""The search: planets found where they are, in order, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.transits.candidates import rank
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.refine import refine
from science.transits.search import condense, flat_around, search
from science.transits.signal import harmonics
from science.transits.sweep import sweep

BIG = Ephemeris(7.3131, 3.21, 0.16, 1.2e-3)
SMALL = Ephemeris(11.877, 5.4, 0.19, 6e-4)
METHODS = pytest.mark.parametrize("method", ["tls", "bls"])


def curve(*planets, sigma=1e-4, days=90.0, seed=5, wave=1e-3):
    """A slowly turning star in two segments with a gap; trapezoid transits."""
    time = np.arange(0, days, 1 / 48)
    time = time[np.abs(time - 47) > 1.0]
    flux = 1 + sigma * np.random.default_rng(seed).standard_normal(len(time))
    flux += wave * np.sin(2 * np.pi * time / 17)
    for planet in planets:
        edge = 1 - np.abs(planet.phase(time)) / (planet.duration / 2)
        flux -= planet.depth * np.clip(edge / 0.15, 0, 1)
    return LightCurve(time, flux, np.full(len(time), sigma), (time > 47).astype(np.int64))


def matches(signal, planet, late=0.1):
    found = signal.ephemeris
    offset = planet.phase(np.array([found.epoch]))[0]
    return (
        abs(found.period / planet.period - 1) < 1e-3
        and abs(offset) < late * planet.duration
        and 0.6 < found.duration / planet.duration < 1.5
    )


@METHODS
def test_period_epoch_and_depth_come_back(method):
    (signal,) = search(curve(BIG), method, threads=1)
    assert matches(signal, BIG)
    assert signal.method == method
    assert signal.depth_ppm == pytest.approx(1e6 * BIG.depth, rel=0.15)
    assert signal.transits == 11  # the twelfth falls into the gap
    assert signal.fap < 1e-9
    assert signal.sde > 10
    assert signal.flags == ()
    assert 0 <= signal.ephemeris.epoch < BIG.period


@METHODS
def test_two_planets_in_order_then_nothing(method):
    found = search(curve(BIG, SMALL), method, max_planets=5, threads=1)
    assert len(found) == 2
    assert matches(found[0], BIG)
    assert matches(found[1], SMALL)
    assert found[0].detection > found[1].detection


def test_known_planet_is_masked_and_not_returned():
    (signal,) = search(curve(BIG, SMALL), "bls", known=[BIG], threads=1)
    assert matches(signal, SMALL)


@METHODS
@pytest.mark.parametrize("ratio", [0.5, 2.0, 3.0])
def test_harmonics_have_a_lower_rank(method, ratio):
    flat = flat_around(curve(BIG), [BIG])
    trials = [Ephemeris(BIG.period * ratio, BIG.epoch, BIG.duration), BIG]
    refined = [refine(flat, trial, method) for trial in trials]
    assert rank(flat, refined, 2)[0][1].period == pytest.approx(BIG.period, rel=1e-3)


def test_a_period_shorter_than_tls_tries_stays_as_it_was():
    flat = flat_around(curve(BIG), [])
    within = Ephemeris(0.45, 0.2, 0.05)  # inside three radii of the Sun
    assert refine(flat, within, "tls") == within


@METHODS
@pytest.mark.parametrize("seed", [1, 2])
def test_constant_star_shows_nothing(method, seed):
    assert search(curve(seed=seed), method, max_planets=3, threads=1) == []


def test_same_twice_whatever_the_threads():
    lc = curve(BIG, seed=9)
    first, second = (search(lc, "bls", threads=n)[0] for n in (1, 2))
    assert first == second
    assert np.array_equal(first.power, second.power)


def test_every_number_is_finite_and_the_spectrum_is_thin():
    (signal,) = search(curve(BIG), "bls", threads=1)
    assert all(np.isfinite(v) for v in signal.row().values() if not isinstance(v, str))
    assert len(signal.periods) == len(signal.power) <= 3000
    assert np.isfinite(signal.power).all()
    assert signal.periods[np.argmax(signal.power)] == pytest.approx(BIG.period, rel=1e-2)


def test_one_glitch_is_no_planet():
    lc = curve()
    dip = 8e-3 * (np.abs(lc.time - 30.0) < 0.1)
    assert search(lc.with_flux(lc.flux - dip), "bls", threads=1) == []


def test_sweep_reaches_the_snr_of_a_box():
    planet = Ephemeris(7.3131, 3.21, 0.16, 1e-3)
    rng = np.random.default_rng(2)
    time = np.arange(0, 90, 1 / 48)
    flux = 1 + 1e-4 * rng.standard_normal(len(time)) - planet.depth * planet.in_event(time)
    lc = LightCurve(time, flux, np.full(len(time), 1e-4), np.zeros(len(time), dtype=np.int64))
    spectrum = sweep(lc, np.array([5.0, planet.period, 9.0]))
    expected = planet.depth * np.sqrt(planet.in_event(time).sum()) / 1e-4
    assert spectrum.snr[1] == pytest.approx(expected, rel=0.1)
    assert planet.phase(spectrum.epoch[1:2])[0] == pytest.approx(0, abs=0.02)
    assert spectrum.snr[[0, 2]].max() < 0.5 * spectrum.snr[1]


def test_long_light_curves_are_averaged_with_a_note():
    lc = curve(BIG)
    small = condense(lc, most=1000)
    assert len(small) <= 1200
    assert "points were averaged to" in small.notes[-1]
    assert small.flux.mean() == pytest.approx(lc.flux.mean(), abs=1e-5)
    for number in np.unique(small.segment):
        where = lc.segment == number
        inside = small.time[small.segment == number]
        assert lc.time[where].min() <= inside.min() <= inside.max() <= lc.time[where].max()
    assert condense(lc) is lc


def test_progress_reaches_the_end_of_each_step():
    seen: dict[str, float] = {}
    search(curve(BIG), "bls", threads=1, progress=lambda step, share: seen.update({step: share}))
    assert set(seen) == {"flatten", "search", "refine"}
    assert seen["search"] == seen["refine"] == 1.0


def test_harmonic_of_a_found_planet_is_named():
    assert harmonics(2 * BIG.period, [BIG]) == ["harmonic of 7.3131 d (2 of its period)"]
    assert harmonics(BIG.period / 2, [BIG]) == ["harmonic of 7.3131 d (1/2 of its period)"]
    assert harmonics(SMALL.period, [BIG]) == []


@pytest.mark.parametrize("points", [0, 1, 10])
def test_too_few_points(points):
    with pytest.raises(UserError, match="too few to search"):
        search(curve().select(np.arange(points)), "bls")


def test_unknown_method():
    with pytest.raises(UserError, match=r"'box' is unknown.*tls, bls"):
        search(curve(), "box")


def test_impossible_periods():
    with pytest.raises(UserError, match="cannot repeat in"):
        search(curve(), "bls", periods=(200, 300))


KEPLER_90 = [  # koi_period, koi_time0bk, koi_duration / 24, koi_depth of the seven known planets
    Ephemeris(331.5972732, 140.498929, 0.600167, 8.3221e-3),
    Ephemeris(210.6013843, 147.056867, 0.499675, 4.1593e-3),
    Ephemeris(59.7371443, 158.95974, 0.333358, 5.664e-4),
    Ephemeris(8.71980135, 139.52134, 0.156058, 1.604e-4),
    Ephemeris(7.00821787, 137.67164, 0.158833, 1.164e-4),
    Ephemeris(91.9401253, 134.3, 0.383125, 4.829e-4),
    Ephemeris(124.922516, 129.7295, 0.497583, 4.987e-4),
]


@pytest.mark.mirror
def test_kepler_90_i_is_the_next_planet(mirror):
    from science.transits.read import read_star

    files = sorted((mirror / "transits/fits/kepler/011442793").glob("*_llc.fits"))
    lc = read_star(files)
    (signal,) = search(lc, "tls", periods=(10, 60), known=KEPLER_90, threads=1)
    assert signal.ephemeris.period == pytest.approx(14.44912, rel=1e-4)
    assert signal.transits > 60
    assert signal.fap < 1e-3
