from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.core.errors import UserError
from science.transits.clean import MIN_POINTS, clean
from science.transits.lightcurve import LightCurve

TIME = np.arange(200) * 0.02
FLUX = 1000.0 + np.random.default_rng(0).normal(size=200)


def test_each_segment_is_divided_by_its_own_median():
    segment = np.repeat([3, 7], 100)
    lc = clean(TIME, np.where(segment == 3, FLUX, 5 * FLUX), np.ones(200), segment)
    assert np.median(lc.flux[lc.segment == 3]) == pytest.approx(1)
    assert np.median(lc.flux[lc.segment == 7]) == pytest.approx(1)
    assert lc.error[0] == pytest.approx(1e-3, rel=0.01)
    assert lc.error[-1] == pytest.approx(2e-4, rel=0.01)
    assert lc.exposure == pytest.approx(0.02)


def test_what_cannot_be_used_goes_and_is_told():
    flux, time = FLUX.copy(), TIME.copy()
    flux[5], time[9], flux[11] = np.nan, np.inf, -np.inf
    lc = clean(time, flux)
    assert len(lc) == 197
    assert any("3 of 200" in note for note in lc.notes)


def test_disorder_is_sorted_and_duplicates_become_their_median():
    shuffled = np.random.default_rng(1).permutation(200)
    lc = clean(TIME[shuffled], FLUX[shuffled])
    assert np.array_equal(lc.flux, clean(TIME, FLUX).flux)
    assert "sorted" in lc.notes[0]
    double = clean(np.r_[TIME, TIME[7], TIME[7]], np.r_[FLUX, 0.0, FLUX[7]])
    assert np.all(np.diff(double.time) > 0)
    assert double.flux[7] == pytest.approx(FLUX[7] / np.median(FLUX), rel=1e-3)
    assert any("2 points of duplicated times" in note for note in double.notes)


def test_errors_that_are_none_are_unknown():
    error = np.ones(200)
    error[:3] = [0.0, -1.0, np.inf]
    assert np.isnan(clean(TIME, FLUX, error).error[:3]).all()


@pytest.mark.parametrize(
    ("time", "flux", "says"),
    [
        (TIME[:1], FLUX[:1], "1 of 1"),
        (TIME, FLUX * np.nan, "0 of 200"),
        (np.zeros(200), FLUX, "1 of 200"),
        (TIME * 86400, FLUX, "cannot be days"),
        (TIME / 1e6, FLUX, "if they are days"),
        (TIME, FLUX - 1000, "centred on zero"),
        (TIME, -FLUX, "centred on zero"),
        (TIME, FLUX[:-1], "differ in length"),
        (TIME, np.ones((200, 2)), "2 dimensions"),
        (TIME, ["bright"] * 200, "not numeric"),
        ([], [], "0 of 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(time, flux, says):
    with pytest.raises(UserError, match=says) as caught:
        clean(time, flux, target="KIC-1")
    assert "KIC-1" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.cure


def test_a_dead_segment_does_not_take_the_others_along():
    segment = np.repeat([1, 2], 100)
    lc = clean(TIME, np.where(segment == 2, -1.0, FLUX), None, segment)
    assert set(lc.segment) == {1}
    assert any("segment 2" in note for note in lc.notes)


def test_from_arrays_keeps_what_is_known():
    lc = LightCurve.from_arrays(TIME, FLUX, target="X", mission="TESS", epoch_zero=2457000.0)
    assert (lc.target, lc.mission, lc.epoch_zero) == ("X", "TESS", 2457000.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(width=64), st.floats(width=64)), min_size=0, max_size=80))
def test_any_numbers_give_a_valid_curve_or_a_user_error(points):
    time, flux = zip(*points, strict=True) if points else ((), ())
    try:
        lc = clean(np.array(time), np.array(flux))
    except UserError:
        return
    assert len(lc) >= MIN_POINTS
    assert np.isfinite(lc.flux).all()
    assert np.all(np.diff(lc.time) > 0)
