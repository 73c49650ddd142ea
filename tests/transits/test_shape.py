"""Views of known shape have the numbers that the shape says."""

from __future__ import annotations

import numpy as np
import pytest

from science.transits.shape import SECONDARY, SHAPE, secondary_shape, shape

PHASE = (np.arange(201) - 100) / 201
X = np.arange(-30, 31)


def view(*dips, noise=0.0, seed=0):
    """(1, 201) with boxes of (phase, half width, depth)."""
    flux = noise * np.random.default_rng(seed).standard_normal(201)
    for centre, half, depth in dips:
        flux -= depth * (np.abs(PHASE - centre) <= half)
    return flux[None].astype(np.float32)


def local(profile):
    return np.asarray(profile, np.float32)[None]


TRANSIT = local(-1.0 * (np.abs(X) <= 6))
V = local(-np.clip(1 - np.abs(X) / 12, 0, None))


def measured(whole, near=TRANSIT, share=0.05):
    found = shape(whole, near, np.full(len(whole), share))
    assert tuple(found) == SHAPE
    return {name: values[0] for name, values in found.items()}


def test_a_secondary_eclipse_shows_with_its_depth_and_phase():
    found = measured(view((0, 0.02, 1), (0.35, 0.04, 0.4)))
    assert found["dip"] == pytest.approx(-0.4, abs=1e-3)
    assert found["dip_phase"] == pytest.approx(0.35, abs=0.02)
    assert found["dip_significance"] < -100
    assert found["opposite"] == pytest.approx(0, abs=1e-6)


def test_the_event_itself_is_not_another_dip():
    assert measured(view((0, 0.02, 1)))["dip"] == pytest.approx(0, abs=1e-6)


def test_scatter_is_that_of_the_noise_averaged_over_a_duration():
    many = np.concatenate([view((0, 0.02, 1), noise=0.1, seed=s) for s in range(300)])
    found = shape(many, np.repeat(TRANSIT, 300, 0), np.full(300, 9 / 201))
    assert np.mean(found["scatter"]) == pytest.approx(0.1 / 3, rel=0.1)
    assert np.mean(found["roughness"]) == pytest.approx(
        np.sqrt(0.02 + 2 / 200), rel=0.05
    )  # noise of two bins and the two walls of the box
    assert np.median(found["dip_significance"]) < -1.5 < 1.5 < np.median(found["rise_significance"])


def test_waves_show_at_their_own_frequency():
    for order in (1, 2, 3, 4):
        wave = (0.3 * np.cos(2 * np.pi * order * PHASE))[None].astype(np.float32)
        found = measured(wave)
        for other in (1, 2, 3, 4):
            size = 0.15 if other == order else 0.0
            assert found[f"fourier_{other}"] == pytest.approx(size, abs=1e-3)


def test_a_box_and_a_v_differ_in_centre_bottom_and_wings():
    box, wedge = measured(view(), TRANSIT), measured(view(), V)
    assert box["centre"] == pytest.approx(-1)
    assert box["half_width"] == box["quarter_width"] == 13
    assert box["wings"] == 0
    assert wedge["wings"] > 4
    assert wedge["centre"] > box["centre"]
    assert box["asymmetry"] == wedge["asymmetry"] == 0
    assert box["deepest_bin"] == 24
    assert wedge["deepest_bin"] == 30


def test_a_slope_and_a_lopsided_dip_show():
    ramp = measured(view(), local(0.01 * X))
    assert ramp["slope"] == pytest.approx(0.01, rel=1e-5)
    lopsided = measured(view(), local(-1.0 * ((X >= -12) & (X <= 0))))
    assert lopsided["asymmetry"] > 0.5
    assert measured(view(), local(0.01 * X[::-1]))["slope"] == pytest.approx(-0.01, rel=1e-5)


def test_an_event_as_long_as_its_period_leaves_nothing_outside():
    for share in (0.6, np.nan):
        found = measured(view((0, 0.3, 1)), share=share)
        outside = {"dip", "dip_phase", "rise", "scatter", "outside_deviation", "opposite"}
        outside |= {"dip_significance", "rise_significance"}
        assert {name for name, value in found.items() if np.isnan(value)} == outside


def test_flat_views_give_finite_numbers():
    found = measured(np.zeros((1, 201), np.float32), np.zeros((1, 61), np.float32))
    assert all(np.isfinite(value) for value in found.values())
    second = secondary_shape(np.zeros((1, 61), np.float32), TRANSIT)
    assert tuple(second) == SECONDARY
    assert all(np.isfinite(values).all() for values in second.values())


def test_each_row_stands_alone():
    rng = np.random.default_rng(2)
    whole = rng.normal(size=(40, 201)).astype(np.float32)
    near = rng.normal(size=(40, 61)).astype(np.float32)
    share = rng.uniform(0, 0.6, 40)
    together = shape(whole, near, share)
    for row in (0, 17, 39):
        alone = shape(whole[[row]], near[[row]], share[[row]])
        for name in SHAPE:
            np.testing.assert_allclose(alone[name][0], together[name][row], rtol=1e-12)


def test_two_eclipses_look_alike_and_noise_does_not():
    noise = np.random.default_rng(5).normal(0, 0.1, (1, 61)).astype(np.float32)
    alike, unlike = secondary_shape(0.3 * V, V), secondary_shape(noise, V)
    assert alike["secondary_likeness"][0] == pytest.approx(1)
    assert abs(unlike["secondary_likeness"][0]) < 0.4
    assert alike["secondary_significance"][0] < -10 < unlike["secondary_significance"][0]
