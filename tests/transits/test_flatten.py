from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.transits.clean import clean
from science.transits.flatten import flatten, trend_of
from science.transits.lightcurve import Ephemeris
from science.transits.noise import spread

NOISE = 6e-5
WINDOW = 1.625
TIME = np.arange(0, 80, 0.0204334)


def star(seed=0, amplitude=5e-4, rotation=20.0):
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, 3)
    waves = [a * np.sin(2 * np.pi * k * TIME / rotation + p)
             for k, a, p in zip((1, 2, 3), (1, 0.5, 0.2), phases, strict=True)]  # fmt: skip
    return 1 + amplitude / 1.7 * np.sum(waves, axis=0)


def noise(seed=0):
    return NOISE * np.random.default_rng(seed + 100).normal(size=len(TIME))


def dip(event):
    edge = (0.5 * event.duration - np.abs(event.phase(TIME))) / (0.1 * event.duration)
    return 1 - event.depth * np.clip(edge, 0, 1)


def kept(hours, depth, masked, seeds=3):
    """Share of the injected depth, against the surroundings, that is left after flattening.

    The same curve without the transit is divided out, so that only what flattening does remains.
    """
    event = Ephemeris(9.3, 4.1, hours / 24, depth)
    shares = []
    for seed in range(seeds):
        without = star(seed) + noise(seed)
        curves = [clean(TIME, star(seed) * dip(event) + noise(seed)), clean(TIME, without)]
        hidden = event.in_event(TIME, 1.2) & masked
        flat = [c.flux / trend_of(c, hidden, WINDOW) for c in curves]
        lost = flat[0] / flat[1]
        phase = np.abs(event.phase(TIME)) / event.duration
        inside, outside = phase < 0.35, (phase > 0.6) & (phase < 1.5)
        shares.append((lost[outside].mean() - lost[inside].mean()) / depth)
    return np.mean(shares)


@pytest.mark.parametrize("hours", [2, 6, 13])
@pytest.mark.parametrize("depth", [1e-4, 1e-3, 1e-2])
def test_transits_keep_their_depth(hours, depth):
    assert kept(hours, depth, masked=True) > 0.99
    assert kept(hours, depth, masked=False) > 0.90


def test_the_star_goes_and_the_noise_stays():
    lc = clean(TIME, star(1, 3e-3, 14.0) + noise(1))
    flat = flatten(lc)
    assert spread(lc.flux) > 1e-3
    assert spread(flat.flux) == pytest.approx(NOISE, rel=0.25)


def test_edges_and_gaps_do_not_ring():
    time = TIME[(TIME < 30) | (TIME > 33)]
    inside = np.isin(TIME, time)
    truth = star(2, 3e-3, 14.0)[inside]
    flux = truth + noise(2)[inside]
    trend = trend_of(clean(time, flux), np.zeros(len(time), bool), WINDOW) * np.median(flux)
    error = trend / truth - 1
    near = (np.abs(time - 30) < 0.3) | (np.abs(time - 33) < 0.3) | (time < 0.3)
    assert np.sqrt(np.mean(error[near] ** 2)) < 2 * NOISE


def test_only_upward_outliers_are_clipped():
    flux = star() + noise()
    flux[500], flux[900] = 1.02, 0.9
    flat = flatten(clean(TIME, flux))
    assert TIME[500] not in flat.time
    assert TIME[900] in flat.time
    assert flat.flux.min() < 0.91
    assert any("dropped" in note for note in flat.notes)


def test_a_fine_cadence_has_the_same_trend_as_a_coarse_one():
    fine_time = np.arange(0, 10, 2 / 1440)
    wave = 1 + 1e-3 * np.sin(fine_time)
    lc = clean(fine_time, wave + 1e-3 * np.random.default_rng(5).normal(size=len(wave)))
    trend = trend_of(lc, np.zeros(len(lc), bool), WINDOW)
    assert np.abs(trend / wave * np.median(wave) - 1).max() < 3e-4


def test_the_window_widens_for_long_events():
    lc = clean(TIME, star() + noise())
    assert any("1.62 d window" in note for note in flatten(lc).notes)
    assert any("3 d window" in note for note in flatten(lc, (Ephemeris(30.0, 5.0, 1.0),)).notes)


def test_a_lonely_or_wholly_masked_stretch_is_left_out():
    time = np.r_[TIME[:1000], TIME[1000] + 5 + np.arange(3) * 0.02]
    lc = clean(time, np.ones(len(time)) + NOISE * np.random.default_rng(1).normal(size=len(time)))
    assert len(flatten(lc)) <= 1000
    everything = Ephemeris(1.0, 0.0, 1.0)
    assert len(flatten(lc, (everything,), WINDOW)) == 0


@pytest.mark.parametrize("method", ["biweight", "cosine", "median"])
def test_every_method_flattens(method):
    flat = flatten(clean(TIME, star(1, 3e-3, 14.0) + noise()), method=method)
    assert spread(flat.flux) < 2 * NOISE


def test_bad_arguments_are_named():
    lc = clean(TIME, star())
    with pytest.raises(UserError, match="method"):
        flatten(lc, method="magic")
    with pytest.raises(UserError, match="window"):
        flatten(lc, window=-1.0)
