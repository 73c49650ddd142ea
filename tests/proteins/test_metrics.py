"""Precision of contact maps is what CASP and the papers mean by it."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.proteins.contacts import SEPARATION, distances, in_contact, pairs, separated
from science.proteins.metrics import averaged, curve, ece, precision, precisions

L = 40
RNG = np.random.default_rng(1)


@pytest.fixture
def truth():
    distance = distances(np.random.default_rng(5).normal(0, 6, (L, 3)))
    assert 10 < in_contact(distance)[pairs(L, "long")].sum() < L
    return distance


def perfect(distance):
    return -np.nan_to_num(distance, nan=99.0)


def test_the_ranges_are_those_of_casp():
    assert SEPARATION == {"short": (6, 11), "medium": (12, 23), "long": (24, None)}
    i, j = separated(L)
    both = np.concatenate([np.stack(pairs(L, name), 1) for name in SEPARATION])
    assert sorted(map(tuple, both)) == sorted(zip(i, j, strict=True))
    assert (j - i).min() == 6


def test_eight_angstrom_is_no_contact_and_a_little_less_is():
    at = np.zeros((3, 3), np.float32)
    at[1, 0], at[2, 0] = 8.0, -7.99
    assert in_contact(distances(at))[0].tolist() == [True, False, True]
    at[2] = np.nan
    assert not in_contact(distances(at))[2].any()


def test_precision_counts_the_best_pairs_of_one_range(truth):
    score = RNG.normal(size=(L, L))
    score = score + score.T
    i, j = pairs(L, "long")
    order = np.argsort(-score[i, j])
    hits = (truth[i, j] < 8)[order]
    for divisor in (1, 2, 5):
        expected = hits[: L // divisor].mean()
        assert precision(score, truth, "long", divisor) == pytest.approx(expected)
    assert curve(score, truth)[L // 5 - 1] == pytest.approx(hits[: L // 5].mean())
    assert len(precisions(score, truth)) == 9


def test_a_perfect_map_reaches_what_there_is_and_its_reverse_nothing(truth):
    there = int(in_contact(truth)[pairs(L, "long")].sum())
    assert precision(perfect(truth), truth, "long", 5) == 1
    assert precision(perfect(truth), truth, "long", 1) == pytest.approx(there / L)
    assert precision(-perfect(truth), truth, "long", 1) == 0


def test_pairs_of_equal_score_count_as_a_random_order_would(truth):
    share = in_contact(truth)[pairs(L, "medium")].mean()
    for divisor in (1, 5):
        assert precision(np.zeros((L, L)), truth, "medium", divisor) == pytest.approx(share)
    score = np.zeros((L, L))
    i, j = pairs(L, "long")
    best = np.flatnonzero(in_contact(truth)[i, j])[:3]
    score[i[best], j[best]] = 1
    rest = (in_contact(truth)[i, j].sum() - 3) / (len(i) - 3)
    assert precision(score, truth, "long", 5) == pytest.approx((3 + 5 * rest) / 8)


def test_unknown_pairs_take_no_part(truth):
    holes = truth.copy()
    holes[:10] = holes[:, :10] = np.nan
    i, j = pairs(L, "long")
    known = np.isfinite(holes[i, j])
    score = RNG.normal(size=(L, L))
    order = np.argsort(-score[i, j][known])[:L]
    assert precision(score, holes) == pytest.approx((truth[i, j][known][order] < 8).mean())


def test_short_proteins_are_judged_by_what_they_have():
    distance = distances(RNG.normal(0, 4, (26, 3)))
    i, j = pairs(26, "long")
    assert len(i) == 3
    share = in_contact(distance)[i, j].mean()
    assert precision(RNG.normal(size=(26, 26)), distance) == pytest.approx(share)
    none = precision(np.zeros((20, 20)), np.zeros((20, 20), np.float32))
    assert np.isnan(none)
    assert averaged([none, 0.5, 0.7], 0).value == pytest.approx(0.6)


def test_intervals_are_over_proteins():
    values = RNG.normal(0.4, 0.2, 100)
    got = averaged(list(values))
    spread = values.std() / 10
    assert got.n == 100
    assert got.value - got.low == pytest.approx(1.96 * spread, rel=0.15)
    assert averaged(list(values)) == got
    assert averaged([0.3]).low is None
    with pytest.raises(UserError, match="no protein"):
        averaged([float("nan")])


def test_a_probability_that_holds_has_no_calibration_error(truth):
    i, j = separated(L)
    share = in_contact(truth)[i, j].mean()
    assert ece([(np.full((L, L), share), truth)]) == pytest.approx(0, abs=1e-9)
    assert ece([(np.full((L, L), share + 0.2), truth)]) == pytest.approx(0.2)
    assert ece([(in_contact(truth) * 1.0, truth)]) == 0
    with pytest.raises(UserError, match="no probabilities"):
        ece([(np.full((L, L), 1.2), truth)])


def test_maps_of_another_size_and_scores_that_are_no_numbers_are_refused(truth):
    with pytest.raises(UserError, match="cannot be judged"):
        precision(np.zeros((5, 5)), truth)
    bad = np.zeros((L, L))
    bad[3, 30] = np.nan
    with pytest.raises(UserError, match="not numbers"):
        precision(bad, truth)
