from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.transits.lightcurve import LightCurve
from science.transits.noise import cdpp, pieces, scatter, spread
from science.transits.read import read_star


def curve(flux, time, segment=None):
    size = len(time)
    segment = np.zeros(size, dtype=np.int64) if segment is None else segment
    return LightCurve(time, flux, np.full(size, np.nan), segment)


@pytest.mark.parametrize("sigma", [2e-5, 3e-4, 5e-3])
def test_white_noise_averages_down_as_the_root_of_the_points(sigma):
    time = np.arange(0, 400, 1 / 48)
    flux = 1 + sigma * np.random.default_rng(1).normal(size=len(time))
    for hours in (1, 3, 6, 12):
        expected = 1e6 * sigma / np.sqrt(2 * hours)
        assert cdpp(curve(flux, time), hours) == pytest.approx(expected, rel=0.06)


def test_cdpp_is_blind_to_slow_trends_flares_and_gaps():
    rng = np.random.default_rng(2)
    time = np.arange(0, 90, 1 / 48)
    time = time[(time < 30) | (time > 33)]
    flux = 1 + 1e-4 * rng.normal(size=len(time))
    quiet = cdpp(curve(flux, time))
    loud = flux + 5e-3 * np.sin(time / 3)
    loud[::500] += 0.05
    assert cdpp(curve(loud, time)) == pytest.approx(quiet, rel=0.06)


def test_scatter_ignores_a_trend_that_spread_sees():
    x = np.linspace(0, 1, 5000)
    noisy = x + 1e-3 * np.random.default_rng(3).normal(size=5000)
    assert scatter(noisy) == pytest.approx(1e-3, rel=0.05)
    assert spread(noisy) > 0.3
    assert scatter(np.ones(1)) == 0.0
    assert spread(np.array([])) == 0.0


def test_pieces_break_at_gaps_and_segments():
    time = np.array([0.0, 0.5, 1.0, 3.0, 3.5, 4.0])
    segment = np.array([1, 1, 1, 1, 1, 2])
    assert pieces(time, segment) == [slice(0, 3), slice(3, 5), slice(5, 6)]


def test_a_curve_too_short_says_so():
    time = np.arange(0, 1, 1 / 48)
    with pytest.raises(UserError, match="no stretch"):
        cdpp(curve(np.ones(len(time)), time))


@pytest.mark.mirror
def test_kepler_90_is_as_quiet_as_its_magnitude(mirror):
    lc = read_star(mirror / "transits/fits/kepler/011442793")
    # Kp = 13.8: Gilliland et al. (2011), figure 4, has 30 to 100 ppm in 6 h for such dwarfs.
    assert 30 < cdpp(lc) < 100
