"""Scores against xskillscore, closed forms, and what they must not be fooled by."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import xskillscore as xs

from science.weather import metrics

LATS = np.polynomial.legendre.leggauss(16)
LATITUDE = np.rad2deg(np.arcsin(LATS[0]))[::-1]
WEIGHT = LATS[1][::-1] / LATS[1].mean()
DIMS = ("case", "lat", "lon")


def draw(seed=0):
    return np.random.default_rng(seed)


def fields(*shape, seed=0):
    return draw(seed).normal(size=(*shape, 16, 32))


def arrays(*given):
    return [
        xr.DataArray(g, dims=DIMS[-g.ndim :] if g.ndim < 4 else ("member", *DIMS)) for g in given
    ]


WEIGHTS = xr.DataArray(np.broadcast_to(WEIGHT[:, None], (16, 32)), dims=DIMS[1:])


def test_rmse_is_that_of_xskillscore():
    ours, truth = fields(5), fields(5, seed=1)
    a, b = arrays(ours, truth)
    weights = WEIGHTS.expand_dims(case=5)
    known = xs.rmse(a, b, dim=list(DIMS), weights=weights)
    found = np.sqrt(metrics.squared_error(ours, truth, WEIGHT).mean())
    assert found == pytest.approx(float(known), rel=1e-12)


def test_anomaly_correlation_is_a_weighted_cosine():
    ours, truth, climate = fields(3), fields(3, seed=1), fields(3, seed=2)
    a, b = ours - climate, truth - climate
    by = WEIGHT[:, None]
    known = (by * a * b).sum((1, 2)) / np.sqrt((by * a**2).sum((1, 2)) * (by * b**2).sum((1, 2)))
    assert metrics.acc(ours, truth, climate, WEIGHT) == pytest.approx(known)
    assert metrics.acc(truth, truth, climate, WEIGHT) == pytest.approx(1)
    assert metrics.acc(2 * climate - truth, truth, climate, WEIGHT) == pytest.approx(-1)


def test_crps_is_that_of_xskillscore_and_fair_when_asked():
    members, truth = fields(6, 3), fields(3, seed=1)
    a, b = arrays(members, truth)
    known = xs.crps_ensemble(b, a, dim=[]).values
    np.testing.assert_allclose(metrics.crps(members, truth, fair=False), known, atol=1e-12)
    pairs = np.abs(members[:, None] - members[None]).sum((0, 1)) / 2
    fair = np.abs(members - truth).mean(0) - pairs / 30
    np.testing.assert_allclose(metrics.crps(members, truth), fair, atol=1e-12)
    assert metrics.crps(truth[None], truth).max() == 0


def test_an_ensemble_that_the_truth_belongs_to_is_calibrated():
    members, truth = fields(9, 400), fields(400, seed=1)
    square = metrics.squared_error(members.mean(0), truth, WEIGHT)
    ratio = metrics.spread_skill(metrics.spread(members, WEIGHT), square, 9)
    assert ratio == pytest.approx(1, abs=0.01)
    share = metrics.ranks(members, truth, WEIGHT, draw(2))
    assert share == pytest.approx(np.full(10, 0.1), abs=0.004)
    narrow = metrics.ranks(0.3 * members, truth, WEIGHT, draw(2))
    assert narrow[0] + narrow[-1] > 0.5


def test_ranks_of_dry_days_are_drawn_by_lot():
    dry = np.zeros((4, 300, 16, 32))
    share = metrics.ranks(dry, dry[0], WEIGHT, draw())
    assert share == pytest.approx(np.full(5, 0.2), abs=0.01)


def test_brier_is_that_of_xskillscore():
    members, truth = fields(8, 5), fields(5, seed=1)
    a, b = arrays(members, truth)
    known = xs.brier_score(
        b > 1.0, (a > 1.0).mean("member"), dim=list(DIMS), weights=WEIGHTS.expand_dims(case=5)
    )
    found = metrics.brier(members, truth, np.full((16, 32), 1.0), WEIGHT)
    assert found.mean() == pytest.approx(float(known), rel=1e-12)
    assert metrics.brier_skill(found, found) == 0
    assert metrics.brier_skill(np.zeros(3), found[:3]) == 1


def test_a_wave_has_its_energy_at_its_own_wavenumber():
    lon = np.arange(32) * 2 * np.pi / 32
    field = np.broadcast_to(3 * np.cos(5 * lon) + 2, (16, 32))
    energy = metrics.zonal_spectrum(field, LATITUDE)
    circle = 2 * np.pi * 6.371e6 * np.cos(np.deg2rad(LATITUDE))
    np.testing.assert_allclose(energy[:, 5], circle * 9 / 2, rtol=1e-12)
    np.testing.assert_allclose(energy[:, 0], circle * 4, rtol=1e-12)
    np.testing.assert_allclose(energy.sum(-1), circle * (field**2).mean(-1), rtol=1e-12)


def test_parseval_holds_at_the_last_wavenumber_too():
    field = fields()
    total = metrics.zonal_spectrum(field, LATITUDE).sum(-1)
    circle = 2 * np.pi * 6.371e6 * np.cos(np.deg2rad(LATITUDE))
    np.testing.assert_allclose(total, circle * (field**2).mean(-1), rtol=1e-10)


def test_spherical_power_of_a_harmonic_stays_in_its_degree():
    sine = np.sin(np.deg2rad(LATITUDE))[:, None]
    field = np.broadcast_to((3 * sine**2 - 1) / 2, (16, 32))
    power = metrics.spherical_spectrum(field)
    assert power[2] == pytest.approx(metrics.area_mean(field**2, WEIGHT))
    assert np.delete(power, 2) == pytest.approx(0, abs=1e-12)


def test_resamples_draw_whole_groups():
    groups = np.repeat(np.arange(6), 10)
    means = metrics.resampled(groups[:, None].astype(float), groups, draw(), 400)
    assert means.shape == (400, 1)
    assert means.mean() == pytest.approx(2.5, abs=0.15)
    assert means.std() == pytest.approx(np.arange(6).std() / np.sqrt(6), rel=0.15)
