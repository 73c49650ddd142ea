"""Measures have names that people read, and a better direction, whoever measured them."""

from __future__ import annotations

import pytest

from science.core.glossary import reached, term


@pytest.mark.parametrize(
    ("name", "label", "lower"),
    [
        ("auc", "AUC", False),
        ("vetting/auc", "vetting: AUC", False),
        ("recall_at_p99", "Recall at 99\u00a0% precision", False),
        ("long_L5", "Precision at L/5, long range", False),
        ("long_L_neff_over_200", "Precision at L, long range, Neff from 200", False),
        ("top_L_ece", "Calibration error of the best L", True),
        ("step_2", "Error of step 2", True),
        ("some_other", "some other", False),
        ("some_error", "some error", True),
    ],
)
def test_a_measure_is_named_and_has_a_direction(name, label, lower):
    assert term(name).label == label
    assert term(name).lower_is_better is lower


def test_a_goal_is_reached_on_its_better_side():
    assert reached("auc", 0.9, 0.9)
    assert not reached("auc", 0.8, 0.9)
    assert reached("some_error", 0.1, 0.2)
    assert not reached("some_error", 0.3, 0.2)
