"""Shared figures: what they draw, and what they refuse."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from science.core import figures
from science.core.glossary import reached, term
from science.core.report import svg
from science.core.style import NIGHT, SERIES, plain


@pytest.fixture
def scored():
    rng = np.random.default_rng(5)
    labels = (rng.random(800) < 0.3).astype(int)
    return labels, 1 / (1 + np.exp(-(rng.normal(0, 1.2, 800) - 1 + 2.5 * labels)))


def test_style_leaves_no_trace():
    before = dict(mpl.rcParams)
    with figures.style():
        assert mpl.rcParams["svg.fonttype"] == "path"
    assert dict(mpl.rcParams) == before


def test_ranking_legend_states_the_areas(scored):
    figure = figures.roc_pr({"net": scored, "noise": (scored[0], np.zeros(800))})
    left, right = (ax.get_legend().get_texts()[0].get_text() for ax in figure.axes)
    assert left == f"net (AUC {roc_auc_score(*scored):.3f})"
    assert right == f"net (AP {average_precision_score(*scored):.3f})"


def test_reliability_of_honest_scores_lies_on_the_diagonal():
    rng = np.random.default_rng(1)
    scores = rng.random(20000)
    top = figures.reliability(rng.random(20000) < scores, scores).axes[0]
    stated, share = top.lines[1].get_data()
    assert np.abs(np.asarray(stated) - np.asarray(share)).max() < 0.04


def test_reliability_counts_every_example(scored):
    scores = np.concatenate([scored[1][:-2], [0.0, 1.0]])
    bottom = figures.reliability(scored[0], scores).axes[1]
    assert sum(bar.get_height() for bar in bottom.patches) == 800


def test_wilson_interval_matches_a_known_case():
    low, high = figures._wilson(np.array([0.9]), np.array([10]))
    assert (low[0], high[0]) == pytest.approx((0.5958, 0.9821), abs=1e-3)


@pytest.mark.parametrize(
    ("labels", "scores", "problem"),
    [
        ([0, 1], [0.1], "2 labels but 1"),
        ([], [], "no labelled"),
        ([0, 1], [np.nan, np.nan], "no labelled"),
        ([0, 2], [0.1, 0.2], "0 or 1"),
        ([1, 1], [0.1, 0.2], "only one class"),
    ],
)
def test_what_cannot_be_ranked_is_refused(labels, scores, problem):
    with pytest.raises(ValueError, match=problem):
        figures.roc_pr({"net": (labels, scores)})


def test_learning_curves_read_both_forms():
    long = pd.DataFrame(
        [
            (m, e, f"{s}/{q}", 1.0 / (e + 1))
            for m in range(2)
            for e in range(3)
            for s in ("train", "val")
            for q in ("loss", "auc")
        ],
        columns=["member", "epoch", "name", "value"],
    )
    wide = pd.DataFrame({"epoch": [0, 1], "train_loss": [1.0, 0.5], "val_loss": [1.1, np.nan]})
    titles = [ax.get_title("left") for ax in figures.learning_curves(long).axes]
    assert titles == ["Loss", "AUC"]
    panel = figures.learning_curves(wide).axes[0]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["train", "validation"]


@pytest.mark.parametrize(
    "history",
    [
        pd.DataFrame({"epoch": [0], "train/loss": [np.nan]}),
        pd.DataFrame({"member": [], "epoch": [], "name": [], "value": []}),
        pd.DataFrame({"epoch": [0], "name": ["a"], "value": ["no number"]}),
    ],
)
def test_history_without_a_number_is_refused(history):
    with pytest.raises(ValueError, match="no finite value"):
        figures.learning_curves(history)


def _rows():
    def cell(value):
        return {"value": value, "low": value - 0.01, "high": value + 0.01}

    return [
        {"model": "ours", "metrics": {"auc": cell(0.99), "ece": cell(0.01)}},
        {"model": "$bad$ _name", "metrics": {"auc": cell(0.98), "ece": {"value": None}}},
        {"model": "_hopeless", "metrics": {"auc": cell(0.50)}},
    ]


def test_forest_draws_goals_and_keeps_the_scale_readable():
    figure = figures.forest(_rows(), {"auc": {"goal": 0.992, "published": 0.988}})
    (ax,) = figure.axes
    low, high = ax.get_xlim()
    assert 0.9 < low < 0.97 < 0.992 < high
    assert "◂ 0.5" in [text.get_text() for text in ax.texts]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["ours", r"\$bad\$ _name", " _hopeless", "published best"]
    svg(figure)


def test_forest_without_goals_draws_what_there_is():
    assert len(figures.forest(_rows()).axes) == 2
    with pytest.raises(ValueError, match="no measure"):
        figures.forest([{"model": "x", "metrics": {}}])


@pytest.mark.parametrize(
    "text", ["$x", "$$", "a\nb\u202e", "_x", "很" * 90, r"\frac{$1$}{", "\x00"], ids=range(7)
)
def test_any_label_can_be_drawn(text, scored):
    svg(figures.roc_pr({text: scored}))
    svg(figures.score_histogram(*scored, classes=(text, "other")))
    assert len(plain(text)) <= 60


def test_every_colour_has_a_twin_for_the_night():
    assert set(SERIES) <= set(NIGHT)


def test_terms_know_their_better_direction():
    assert reached("auc", 0.993, 0.992)
    assert reached("vetting/ece", 0.01, 0.02)
    assert not reached("val_loss", 0.3, 0.2)
    assert term("vetting/average_precision").label == "vetting: Average precision"
    assert term("depth_bias").label == "depth bias"
