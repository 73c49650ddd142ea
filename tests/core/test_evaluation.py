"""Metrics against other people's arithmetic, and intervals against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from science.core.errors import UserError
from science.core.evaluation import Binary, calibration_error, recall_at_precision


def sample(n=400, seed=0, share=0.3):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < share
    return truth, np.clip(0.3 * truth + 0.6 * rng.random(n), 0, 1), np.arange(n)


class Auc(Binary):
    """One metric alone, to save the others' time."""

    def metrics(self, calibrated=True):
        return {"auc": super().metrics(calibrated)["auc"]}


def values(truth, score, group=None, **how):
    found = Binary(resamples=0).measure(
        truth, score, np.arange(len(truth)) if group is None else group, **how
    )
    return {name: measured.value for name, measured in found.items()}


def test_metrics_agree_with_scikit_learn():
    truth, score, _ = sample()
    found = values(truth, score)
    assert found["auc"] == pytest.approx(sk.roc_auc_score(truth, score))
    assert found["ap"] == pytest.approx(sk.average_precision_score(truth, score))
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, score > 0.5))
    assert found["brier"] == pytest.approx(sk.brier_score_loss(truth, score))


def test_auc_by_counting_pairs():
    truth = np.array([1, 1, 0, 0, 1], bool)
    score = np.array([0.9, 0.4, 0.4, 0.1, 0.2])
    pairs = [(p, n) for p in score[truth] for n in score[~truth]]
    by_hand = np.mean([(p > n) + 0.5 * (p == n) for p, n in pairs])
    assert values(truth, score)["auc"] == pytest.approx(by_hand)


def test_calibration_error_by_hand():
    """Four at 0.9 of which one is wrong, two at 0.1 of which one is right."""
    truth = np.array([1, 1, 1, 0, 0, 1], bool)
    score = np.array([0.9] * 4 + [0.1] * 2)
    by_hand = (4 * abs(0.9 - 0.75) + 2 * abs(0.1 - 0.5)) / 6
    assert calibration_error(truth, score, np.ones(6)) == pytest.approx(by_hand)
    twice = calibration_error(np.tile(truth, 2), np.tile(score, 2), np.ones(12))
    weighted = calibration_error(truth, score, np.full(6, 2.0))
    assert twice == pytest.approx(by_hand)
    assert weighted == pytest.approx(by_hand)


def test_scores_of_nought_and_one_have_bins():
    truth = np.array([False, True])
    assert calibration_error(truth, np.array([0.0, 1.0]), np.ones(2)) == 0
    assert calibration_error(truth, np.array([1.0, 0.0]), np.ones(2)) == 1


def test_recall_at_precision_by_hand():
    truth = np.array([1, 1, 0, 1, 0], bool)
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    ones = np.ones(5)
    assert recall_at_precision(truth, score, ones, 0.99) == pytest.approx(2 / 3)
    assert recall_at_precision(truth, score, ones, 0.75) == 1
    assert recall_at_precision(~truth, score, ones, 0.99) == 0


def test_uncalibrated_scores_are_judged_by_order_alone():
    truth, score, group = sample()
    found = Binary(resamples=0).measure(truth, 100 * score - 7, group, calibrated=False)
    assert set(found) == {"auc", "ap", "recall_at_p99"}
    assert found["auc"].value == pytest.approx(sk.roc_auc_score(truth, score))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 5))
def test_order_metrics_do_not_feel_a_monotone_change(seed, power):
    truth, score, _ = sample(60, seed)
    score = np.round(score, 3)
    if truth.all() or not truth.any():
        return
    before, after = values(truth, score), values(truth, score**power)
    for name in ("auc", "ap", "recall_at_p99"):
        assert before[name] == pytest.approx(after[name])


def test_intervals_hold_the_truth_as_often_as_they_say():
    """95 % intervals of the AUC of two Gaussians one sigma apart, whose AUC is Phi(1 / sqrt 2)."""
    from scipy.stats import norm

    known, inside = norm.cdf(1 / np.sqrt(2)), 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = np.arange(160) < 60
        score = rng.normal(truth.astype(float), 1)
        judge = Auc(resamples=60)
        found = judge.measure(truth, score, np.arange(160), calibrated=False, seed=seed)["auc"]
        inside += found.low <= known <= found.high
    assert 33 <= inside <= 40


def test_samples_of_one_group_are_not_counted_as_many():
    """Ten copies of each sample carry no more information than one, if they share a group."""
    truth, score, group = sample(120)
    judge = Auc(resamples=200)

    def width(repeat, grouped):
        groups = np.repeat(group, repeat) if grouped else np.arange(120 * repeat)
        found = judge.measure(np.repeat(truth, repeat), np.repeat(score, repeat), groups)["auc"]
        return found.high - found.low

    assert width(10, grouped=True) == pytest.approx(width(1, grouped=True), rel=0.25)
    assert width(10, grouped=False) < 0.5 * width(1, grouped=True)


def test_names_of_groups_do_not_matter():
    truth, score, group = sample(80)
    judge = Binary(resamples=30)
    assert judge.measure(truth, score, group) == judge.measure(
        truth, score, np.array([f"star-{g:04d}" for g in group])
    )


def test_the_same_seed_gives_the_same_interval():
    truth, score, group = sample(100)
    judge = Binary(resamples=30)
    assert judge.measure(truth, score, group, seed=1) == judge.measure(truth, score, group, seed=1)
    assert judge.measure(truth, score, group, seed=1) != judge.measure(truth, score, group, seed=2)


def test_no_resamples_no_interval():
    found = Binary(resamples=0).measure(*sample())["auc"]
    assert (found.low, found.high, found.n) == (None, None, 400)


def test_one_class_or_no_number_is_refused():
    _, score, group = sample(10)
    with pytest.raises(UserError, match="one class"):
        Binary().measure(np.ones(10, bool), score, group)
    score[3] = np.nan
    with pytest.raises(UserError, match="1 scores"):
        Binary().measure(np.arange(10) < 5, score, group)
