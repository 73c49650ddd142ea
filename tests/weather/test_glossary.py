"""Measures of forecasts have names that people read, wherever the shared pages show them."""

from __future__ import annotations

import pytest

from science.core.glossary import term
from science.weather import glossary


@pytest.mark.parametrize(
    ("name", "label", "lower"),
    [
        ("z500_rmse_3d", "z500: RMSE, day\u00a03", True),
        ("t_low_acc_1d", "t low: anomaly correlation, day\u00a01", False),
        ("z500_ratio_7d", "z500: spread over error, day\u00a07", False),
        ("climate_t850_rmse", "t850: climate error", True),
        ("held_t850_rmse", "t850: climate error, held", True),
        ("member0/t850_crps_5d", "member0: t850: CRPS, day\u00a05", True),
    ],
)
def test_a_measure_is_named_and_has_a_direction(name, label, lower):
    assert term(name).label == label
    assert term(name).lower_is_better is lower


def test_what_is_no_forecast_is_left_to_others():
    assert glossary.term("rmse") is None
    assert glossary.term("match_rate@20") is None
