"""Calibration finds the temperature that was put in, and never changes an order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from science.core.calibration import Temperature, fit_temperature
from science.core.evaluation import calibration_error


def drawn(temperature, shift, n=20_000, seed=0):
    """Truth of true probability expit(odds), and scores as a badly calibrated model gives them."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-0.5, 2, n)
    return rng.random(n) < expit(odds), expit((odds - shift) * temperature)


@pytest.mark.parametrize(("temperature", "shift"), [(1, 0), (3, 0), (0.4, 0), (2, 1.5), (2, -1)])
def test_a_known_temperature_is_recovered(temperature, shift):
    truth, score = drawn(temperature, shift)
    found = fit_temperature(truth, score)
    assert found.temperature == pytest.approx(temperature, rel=0.05)
    assert found.shift == pytest.approx(shift, abs=0.06)
    assert calibration_error(truth, found(score), np.ones(len(score))) < 0.012


def test_it_undoes_what_it_should_by_formula():
    found = Temperature(2.0, 0.5)
    np.testing.assert_allclose(found(np.array([0.9])), expit(logit(0.9) / 2 + 0.5))
    np.testing.assert_allclose(Temperature()(np.array([0.2, 0.7])), [0.2, 0.7])


@given(
    st.floats(0.05, 20),
    st.floats(-3, 3),
    st.lists(st.floats(0, 1), min_size=2, max_size=20, unique=True),
)
def test_the_order_stays(temperature, shift, scores):
    calibrated = Temperature(temperature, shift)(np.sort(np.array(scores)))
    assert (np.diff(calibrated) >= 0).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()


def test_perfect_separation_and_certain_scores_stay_finite():
    truth = np.array([0, 0, 1, 1], bool)
    found = fit_temperature(truth, np.array([0.0, 0.0, 1.0, 1.0]))
    assert np.isfinite([found.temperature, found.shift]).all()
    assert found.temperature > 0
    assert np.isfinite(found(np.array([0.0, 0.5, 1.0]))).all()


def test_it_reads_back_what_it_wrote():
    found = Temperature(1.7, -0.2)
    assert Temperature(**found.as_dict()) == found
