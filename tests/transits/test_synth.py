"""The simulator: physics of what it draws, noise as stated, the same seed the same light."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from science.core.errors import UserError
from science.transits import instrument
from science.transits.instrument import SCHEDULES, cadences, cdpp, point_noise
from science.transits.lightcurve import Star
from science.transits.population import (
    Binary,
    Planet,
    density,
    draw_binary,
    draw_planet,
    draw_star,
    equilibrium,
)
from science.transits.synth import KINDS, LABELS, simulate
from science.transits.synth_views import SCALARS, SHARES, simulate_views
from science.transits.transit_model import Orbit, scaled_axis
from science.transits.variability import pulsation, residual, stellar
from science.transits.views import views

SUN = Star(5772.0, 4.438, 1.0, 1.0, 12.0)
LIMB = (0.49, 0.18)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_a_light_curve(kind):
    one, again, other = (simulate(s, kind, baseline=60, activity=0) for s in (5, 5, 6))
    assert np.array_equal(one.lightcurve.flux, again.lightcurve.flux)
    assert one.truth.values == again.truth.values
    assert not np.array_equal(one.lightcurve.flux[:100], other.lightcurve.flux[:100])
    assert one.truth.label == LABELS[kind]
    lc = one.lightcurve
    assert np.isfinite(lc.flux).all()
    assert np.all(np.diff(lc.time) > 0)


def test_an_unknown_kind_is_refused():
    with pytest.raises(UserError, match="planet, eb, blend"):
        simulate(1, "moon")


def test_a_given_planet_is_in_the_light_curve():
    planet = Planet(Orbit(5.0, 133.0, 12.0, 0.2), 0.1, LIMB)
    lc = simulate(1, "planet", body=planet, star=SUN, baseline=90, activity=0).lightcurve
    truth = simulate(1, "planet", body=planet, star=SUN, baseline=90, activity=0).truth
    assert truth.body == planet
    inside = truth.ephemeris.in_event(lc.time, 0.3)
    around = truth.ephemeris.in_event(lc.time, 3) & ~truth.ephemeris.in_event(lc.time, 1.2)
    depth = np.median(lc.flux[around]) - np.median(lc.flux[inside])
    assert depth == pytest.approx(truth.ephemeris.depth, rel=0.05)
    assert depth > 0.1**2


@pytest.mark.parametrize("mission", ["Kepler", "TESS"])
def test_noise_over_six_hours_is_the_cdpp_of_the_magnitude(mission):
    star = replace(SUN, magnitude=13.0)
    lc = simulate(2, "noise", star=star, mission=mission, baseline=180, activity=0).lightcurve
    steps = np.diff(lc.flux)
    scatter = 1.4826 * np.median(np.abs(steps)) / 2**0.5
    per_bin = round(6 / 24 / lc.exposure)
    assert scatter / np.sqrt(per_bin) == pytest.approx(cdpp(13.0, mission), rel=0.06)


def test_cdpp_is_near_what_kepler_measured():
    # Photons, detector and quarters at magnitude 12: sqrt(16.8^2 + 10.8^2 + 7.8^2) = 21 ppm in
    # 6.5 hours (Gilliland et al. 2011).
    assert 1e6 * cdpp(12.0, hours=6.5) == pytest.approx(21, abs=2)
    faint = [cdpp(m) for m in range(9, 17)]
    assert np.all(np.diff(faint) > 0)
    assert cdpp(14.0, hours=24.0) == pytest.approx(0.5 * cdpp(14.0, hours=6.0))
    assert 1e6 * cdpp(10.0, "TESS", 1.0) == pytest.approx(209, abs=10)
    assert point_noise(2e-5, 6 / 24) == pytest.approx(2e-5)


@pytest.mark.parametrize("mission", ["Kepler", "TESS"])
def test_cadences_have_the_missions_rhythm(mission):
    time, segment = cadences(rng(), 200.0, mission)
    plan = SCHEDULES[mission]
    assert np.median(np.diff(time)) == pytest.approx(plan.cadence)
    assert len(np.unique(segment)) == int(np.ceil(200 / (plan.segment + plan.gap)))
    between = [time[segment == s + 1][0] - time[segment == s][-1] for s in range(segment[-1])]
    assert min(between) >= plan.gap
    gaps = np.diff(time)
    assert (gaps > 0.8).sum() > len(between)


def test_stars_are_physical():
    stars = [draw_star(rng(seed)) for seed in range(300)]
    for star in stars:
        assert star.logg == pytest.approx(4.438 + np.log10(star.mass / star.radius**2), abs=1e-9)
        assert 0.005 < density(star) < 20
    assert 5000 < np.median([star.teff for star in stars]) < 6000


def test_planets_obey_kepler_and_transit():
    for seed in range(200):
        star = draw_star(rng(seed))
        planet = draw_planet(rng(seed), star)
        orbit = planet.orbit
        assert orbit.axis >= scaled_axis(orbit.period, density(star)) * (1 - 1e-12)
        assert orbit.duration(planet.ratio) > 0
        assert planet.flux(np.array([orbit.epoch]), 0.0)[0] < 1


def test_the_earth_is_as_warm_as_textbooks_say():
    assert equilibrium(SUN, scaled_axis(365.25, 1.0)) == pytest.approx(255, abs=3)


def test_a_binary_dims_twice_by_the_light_it_hides():
    share = 0.2
    orbit = Orbit(4.0, 1.0, 9.0, 0.0)
    binary = Binary(orbit, 0.5, (0.0, 0.0), share)
    first, second, away = binary.flux(np.array([1.0, 3.0, 2.0]), 0.0)
    assert away == 1
    assert 1 - first == pytest.approx((1 - share) * 0.25)
    assert 1 - second == pytest.approx(share)


def test_dilution_scales_every_depth():
    binary = draw_binary(rng(3), SUN, period=2.0, epoch=0.5)
    time = np.linspace(0, 4, 500)
    whole = 1 - binary.flux(time, 0.0)
    tenth = 1 - replace(binary, dilution=0.1).flux(time, 0.0)
    assert whole.max() > 0.001
    assert np.allclose(tenth, 0.1 * whole, atol=1e-15)


def test_a_close_pair_is_brightest_at_quadrature():
    binary = Binary(Orbit(1.0, 0.0, 3.0, 2.0), 0.3, LIMB, 0.1, tide=0.01)
    flux = binary.flux(np.array([0.0, 0.25, 0.5, 0.75]), 0.0)
    assert flux[1] == pytest.approx(1.02)
    assert flux[1] == pytest.approx(flux[3])
    assert flux[0] < flux[1]


def test_a_binary_taken_at_half_its_period_differs_from_odd_to_even():
    binary = Binary(Orbit(6.0, 133.0, 12.0, 0.1), 0.4, LIMB, 0.05)
    out = simulate(4, "eb", body=binary, star=SUN, baseline=120, activity=0)
    lc = out.lightcurve
    lc = lc.with_flux(lc.flux / np.median(lc.flux))
    half = replace(out.truth.ephemeris, period=3.0)
    seen = views(lc, half)
    odd, even = seen.odd_view[28:33].mean(), seen.even_view[28:33].mean()
    secondary = 0.05 / (0.95 * (1 - binary.flux(np.array([133.0]), 0.0)[0]) / 0.95)
    assert odd / even == pytest.approx(secondary, rel=0.15)
    full = views(lc, out.truth.ephemeris)
    assert abs(full.secondary_phase) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("kind", ["drop", "ramp", "flare", "band", "outlier"])
def test_artefacts_are_local_and_as_high_as_asked(kind):
    time = np.arange(0, 60, 0.0204)
    shape = instrument.artefact(rng(1), time, kind, 30.0, 0.01)
    assert np.abs(shape[time < 10]).max() < 1e-4
    assert np.abs(shape).max() == pytest.approx(0.01, rel=0.15)
    assert (shape > 0).any() == (kind in ("flare", "band"))


def test_red_noise_has_its_deviation_and_its_memory():
    time = np.arange(0, 400, 0.0204)
    noise = residual(rng(), time, 3e-4, 0.5)
    assert noise.std() == pytest.approx(3e-4, rel=0.1)
    step = int(0.1 / 0.0204)
    assert np.corrcoef(noise[:-step], noise[step:])[0, 1] > 0.8
    far = int(2 / 0.0204)
    assert abs(np.corrcoef(noise[:-far], noise[far:])[0, 1]) < 0.15


def test_stellar_noise_has_its_deviation():
    pytest.importorskip("celerite2")
    time = np.arange(0, 200, 0.05)
    flux = stellar(rng(1), time, granulation=2e-4, spots=0.0, rotation=10.0, turnover=0.1)
    assert flux.std() == pytest.approx(2e-4, rel=0.1)
    again = stellar(rng(1), time, granulation=2e-4, spots=0.0, rotation=10.0, turnover=0.1)
    assert np.array_equal(flux, again)


def test_missing_celerite_names_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "celerite2", None)
    with pytest.raises(UserError, match=r"fifth-paradigm\[transits\]"):
        simulate(1, "noise", baseline=30)
    assert len(simulate(1, "noise", baseline=30, activity=0).lightcurve)


def test_pulsation_is_periodic():
    time = np.linspace(0, 3, 100)
    assert np.allclose(pulsation(rng(2), time, 0.5, 1e-3), pulsation(rng(2), time + 0.5, 0.5, 1e-3))


@pytest.fixture(scope="module")
def made():
    return simulate_views(120, 7)


def test_view_sets_are_whole_labelled_and_repeatable(made):
    for part in made.views:
        assert np.isfinite(part).all()
    assert made.views.global_view.shape == (120, 201)
    assert set(made.scalars) == set(SCALARS)
    for values in made.scalars.values():
        assert np.isfinite(values).all()
    assert all(LABELS[kind] == label for kind, label in zip(made.kind, made.label, strict=True))
    assert set(made.kind) == set(SHARES)
    fewer = simulate_views(20, 7)
    assert np.array_equal(fewer.views.local_view, made.views.local_view[:20])


def test_simulated_planets_look_like_transits_and_noise_does_not(made):
    lowest = np.abs(made.views.local_view.argmin(1) - 30)
    planets = made.label == "PC"
    assert (lowest[planets] < 10).mean() > 0.9
    noise = made.views.global_view[:, :80].std(1)
    assert np.median(noise[planets]) < 0.5 * np.median(noise[made.label == "NTP"])


def test_only_the_asked_kinds_are_made():
    only = simulate_views(8, 1, {"planet": 1.0})
    assert set(only.kind) == {"planet"}
    assert (only.scalars["tce_period"] > 0.4).all()


def test_detected_signals_are_above_the_threshold(made):
    snr = made.scalars["tce_model_snr"][made.label == "PC"]
    assert np.median(snr) > 10
    assert (snr > 4).mean() > 0.9


def test_clean_views_are_not_clipped():
    clean, clipped = (simulate_views(12, 3, {"eb": 1.0}, style=s) for s in ("clean", "mirrored"))
    assert clean.views.empty[:, 1].sum() < clipped.views.empty[:, 1].sum()


@pytest.mark.mirror
def test_what_is_learnt_from_simulations_alone_holds_for_real_events(mirror):
    """Boosted trees that never saw a real event rank the 15,736 of DR24."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    made = simulate_views(1500, 0)
    names = [name for name in SCALARS if name not in ("tce_time0bk", "tce_impact")]
    with np.load(mirror / "transits/views/kepler_dr24_autovetter_g201_l61.npz") as real:
        seen = [real["local_view"], real["global_view"], *(real[name][:, None] for name in names)]
        is_planet = real["label"] == "PC"
    simulated = [made.views.local_view, made.views.global_view]
    simulated += [made.scalars[name][:, None] for name in names]
    trees = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    trees.fit(np.hstack(simulated), made.label == "PC")
    score = trees.predict_proba(np.hstack(seen).astype(np.float32))[:, 1]
    assert roc_auc_score(is_planet, score) > 0.92
