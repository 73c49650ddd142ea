"""Views: against a slow reference, the published Kepler-90 view, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.mirrored import clip, flatten_mirrored, mirrored
from science.transits.views import ASTRONET, KEPLER, deepest, stack, view_batch, views


def curve(time, flux):
    count = len(time)
    return LightCurve(time, flux, np.full(count, np.nan), np.zeros(count, np.int64))


def boxes(ephemeris, baseline=90.0, noise=1e-4, seed=0, odd=None):
    time = np.arange(0, baseline, 0.0204)
    flux = 1 + noise * np.random.default_rng(seed).standard_normal(len(time))
    inside = ephemeris.in_event(time)
    depth = np.full(len(time), ephemeris.depth)
    if odd is not None:
        depth[ephemeris.number(time) % 2 == 1] = odd
    return curve(time, flux - np.where(inside, depth, 0))


def reference(x, flux, reach, width, bins, fill):
    """Bin by bin, as the recipe reads."""
    step = (2 * reach - width) / (bins - 1)
    seen = np.full(bins, np.nan)
    for index in range(bins):
        low = -reach + index * step
        inside = (x >= low) & (x < low + width) & (np.abs(x) <= reach)
        if inside.any():
            seen[index] = np.median(flux[inside])
    empty = np.isnan(seen)
    if fill == "linear":
        seen[empty] = np.interp(np.flatnonzero(empty), np.flatnonzero(~empty), seen[~empty])
    else:
        seen[empty] = np.median(flux)
    seen -= np.median(seen)
    return seen / abs(seen.min()), int(empty.sum())


@pytest.mark.parametrize("recipe", [KEPLER, ASTRONET])
@pytest.mark.parametrize(("period", "duration"), [(3.21, 0.11), (27.0, 0.3), (0.61, 0.08)])
def test_fast_views_equal_the_slow_reference(recipe, period, duration):
    signal = Ephemeris(period, 1.234567, duration, 1e-3)
    lc = boxes(signal)
    seen = views(lc, signal, recipe)
    x = signal.phase(lc.time)
    width = recipe.global_width * period / recipe.global_bins
    whole, empty = reference(x, lc.flux, period / 2, width, recipe.global_bins, recipe.fill)
    assert np.allclose(seen.global_view, whole, atol=2e-6)
    assert seen.empty[0] == empty
    reach = min(recipe.durations * duration, period / 2)
    width = recipe.local_width * duration
    local, empty = reference(x, lc.flux, reach, width, recipe.local_bins, recipe.fill)
    assert np.allclose(seen.local_view, local, atol=2e-6)
    assert seen.empty[1] == empty


def test_views_have_median_zero_and_minimum_minus_one():
    signal = Ephemeris(3.7, 1.0, 0.12, 1e-3)
    seen = views(boxes(signal), signal)
    for view in (seen.global_view, seen.local_view):
        assert np.median(view) == pytest.approx(0, abs=1e-6)
        assert view.min() == pytest.approx(-1, abs=1e-6)
        assert view.dtype == np.float32
    assert seen.depth == pytest.approx(1e-3, rel=0.15)
    assert [len(view) for view in seen[:7]] == [201, 61, 61, 61, 61, 201, 61]
    middle = seen.local_view[27:34].mean()
    assert middle < -0.8


def test_the_transit_fills_a_fifth_of_the_local_view():
    signal = Ephemeris(9.0, 2.0, 0.4, 1e-2)
    local = views(boxes(signal), signal).local_view
    assert (local < -0.5).sum() == pytest.approx(61 / 5, abs=1.5)


def test_odd_and_even_depths_keep_their_ratio():
    signal = Ephemeris(3.0, 1.0, 0.15, 2e-3)
    seen = views(boxes(signal, odd=1e-3), signal)
    odd, even = seen.odd_view[28:33].mean(), seen.even_view[28:33].mean()
    assert odd / even == pytest.approx(0.5, abs=0.1)


def test_the_secondary_is_found_and_kept_in_scale():
    signal = Ephemeris(5.0, 1.0, 0.2, 2e-3)
    lc = boxes(signal)
    other = Ephemeris(5.0, 1.0 + 0.37 * 5.0, 0.2)
    lc = lc.with_flux(lc.flux - np.where(other.in_event(lc.time), 8e-4, 0))
    seen = views(lc, signal)
    assert seen.secondary_phase == pytest.approx(0.37, abs=0.012)
    assert seen.secondary_view[28:33].mean() == pytest.approx(-0.4, abs=0.1)
    assert deepest(lc, signal, exclude=0.0) == pytest.approx(0.0, abs=0.06)


def test_scatter_is_the_standard_error_of_the_mean():
    signal = Ephemeris(2.0, 0.5, 0.2, 5e-3)
    seen = views(boxes(signal, noise=5e-4, baseline=400), signal, global_width=1.0)
    points = 400 / 0.0204 / 201
    expected = 5e-4 / np.sqrt(points) / float(seen.global_depth)
    assert np.median(seen.global_scatter) == pytest.approx(expected, rel=0.1)


def test_many_at_once_equal_one_by_one():
    signals = [Ephemeris(p, 0.3 * p, 0.1, 1e-3) for p in (1.3, 4.4, 12.0)]
    lc = boxes(signals[1])
    together = view_batch(lc, signals)
    for index, signal in enumerate(signals):
        for many, one in zip(together, views(lc, signal), strict=True):
            assert np.array_equal(many[index], one)
    assert together.usable.tolist() == [True, True, True]
    assert view_batch(lc, []).global_view.shape == (0, 201)
    assert stack([], ASTRONET).local_view.shape == (0, 201)


def test_order_of_points_does_not_matter():
    signal = Ephemeris(3.7, 1.0, 0.12, 1e-3)
    lc = boxes(signal)
    shuffled = lc.select(np.random.default_rng(1).permutation(len(lc)))
    for one, other in zip(views(lc, signal), views(shuffled, signal), strict=True):
        assert np.allclose(one, other, atol=1e-6)


def test_no_data_in_transit_is_told_and_never_nan():
    time = np.arange(0, 27, 0.0204)
    lc = curve(time, np.ones(len(time)))
    seen = views(lc, Ephemeris(400.0, 200.0, 0.2))
    assert not seen.usable
    assert seen.empty[1] == 61
    assert seen.depth == 0
    for part in seen:
        assert np.isfinite(part).all()


@pytest.mark.parametrize("points", [0, 1, 2])
def test_hardly_any_points(points):
    lc = curve(np.arange(points) * 1.0, np.ones(points))
    for part in views(lc, Ephemeris(3.0, 0.0, 0.2)):
        assert np.isfinite(part).all()


@settings(max_examples=60, deadline=None)
@given(
    period=st.floats(0.05, 2000),
    share=st.floats(1e-4, 2.0),
    epoch=st.floats(-1e4, 1e4),
    seed=st.integers(0, 99),
)
def test_any_ephemeris_gives_finite_views(period, share, epoch, seed):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 60, 500))
    lc = curve(time, 1 + 1e-3 * rng.standard_normal(500))
    for part in views(lc, Ephemeris(period, epoch, share * period)):
        assert np.isfinite(part).all()


def test_clipping_cuts_the_floor_out_of_a_deep_transit():
    signal = Ephemeris(6.0, 1.0, 0.2, 0.02)
    lc = boxes(signal, baseline=300)
    assert views(lc, signal).empty[1] == 0
    assert views(clip(lc), signal).empty[1] > 8
    assert np.isfinite(mirrored(lc, signal).local_view).all()


def test_the_mirrored_trend_spares_the_events():
    signal = Ephemeris(7.0, 1.0, 0.25, 1e-3)
    lc = boxes(signal, noise=1e-5)
    wave = 1 + 5e-3 * np.sin(2 * np.pi * lc.time / 12)
    flat = flatten_mirrored(lc.with_flux(lc.flux * wave), [signal])
    inside = signal.in_event(lc.time, 0.8)
    assert np.median(flat.flux[inside]) == pytest.approx(1 - 1e-3, abs=1.5e-4)
    assert np.std(flat.flux[~signal.in_event(lc.time, 1.5)]) < 5e-5


@pytest.mark.mirror
def test_our_kepler_90_view_is_the_published_one(mirror):
    """KOI-351.01: the local view to the last stored bit, the global one but for a few bins."""
    from science.transits.read import read_star

    with np.load(mirror / "transits/views/kepler_dr24_autovetter_g201_l61.npz") as table:
        row = np.flatnonzero((table["kepid"] == 11442793) & (table["tce_plnt_num"] == 1))[0]
        keys = ("tce_period", "tce_time0bk", "tce_duration")
        period, epoch, hours = (float(table[key][row]) for key in keys)
        local, whole = (table[key][row].astype(float) for key in ("local_view", "global_view"))
    files = sorted((mirror / "transits/fits/kepler/011442793").glob("*.fits"))
    seen = mirrored(read_star(files), Ephemeris(period, epoch, hours / 24))
    assert np.sqrt(np.mean((seen.local_view - local) ** 2)) < 1e-3
    assert np.corrcoef(seen.local_view, local)[0, 1] > 0.9999
    assert np.median(np.abs(seen.global_view - whole)) < 3e-3
    assert np.corrcoef(seen.global_view, whole)[0, 1] > 0.97
