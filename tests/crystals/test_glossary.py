"""Measures of made crystals have names that people read, wherever the shared pages show them."""

from __future__ import annotations

import pytest

from science.core.glossary import reached, term


@pytest.mark.parametrize(
    ("name", "label", "lower"),
    [
        ("match_rate@20", "Match rate, k = 20", False),
        ("match_k1", "Match rate, k = 1", False),
        ("rmse_1", "RMSE of matches, k = 1", True),
        ("gated_match_20", "Match rate, k = 20, gated", False),
        ("metre", "METRe", False),
        ("wasserstein_density", "Wasserstein distance, density", True),
        ("w_density", "Wasserstein distance, density", True),
        ("e_hull", "Energy above hull", True),
        ("sun", "S.U.N.", False),
        ("templates/match_rate@20", "templates: Match rate, k = 20", False),
    ],
)
def test_a_measure_is_named_and_has_a_direction(name, label, lower):
    assert term(name).label == label
    assert term(name).lower_is_better is lower


def test_number_of_tries_keeps_meaning_and_direction():
    assert term("crmse@20").meaning == term("crmse").meaning
    assert reached("crmse@20", 0.1, 0.2)
    assert not reached("match_rate@20", 0.1, 0.2)
