"""Scores of forecasts, alone and beside another's on the same starts."""

from __future__ import annotations

import numpy as np
import pytest

from science.weather.grid import Grid
from science.weather.judge import Judge, Outlook

GRID = Grid.gaussian(4, 8)
STARTS = 60


@pytest.fixture(scope="module")
def outlook():
    """Two days of a channel after each of sixty starts ten days apart."""
    truth = np.random.default_rng(0).normal(size=(STARTS, 2, 1, *GRID.shape)).astype("f4")
    time = np.datetime64("2001-01-01", "s") + np.arange(STARTS) * np.timedelta64(10, "D")
    extreme = np.full((1, *GRID.shape), 1.6, "f4")
    return Outlook(("t850",), (24, 48), time, truth, 0 * truth, extreme, GRID)


def test_what_errs_half_as_much_on_every_start_gains_half_for_sure(outlook):
    hard = np.random.default_rng(1).uniform(0.5, 3, (STARTS, 1, 1, 1, 1)).astype("f4")
    made = {"ours": (outlook.truth + hard)[None], "theirs": (outlook.truth + 2 * hard)[None]}
    judge = Judge(["t850"], [24, 48], resamples=200, against="theirs")
    ours, theirs = judge.rows(made, outlook, 0)
    gain = ours["metrics"]["t850_gain_1d"]
    assert [gain["value"], gain["low"], gain["high"]] == pytest.approx([0.5] * 3, abs=1e-4)
    # Side by side the two rows tell less: starts that are hard are hard for both.
    rmse = ours["metrics"]["t850_rmse_1d"]
    assert rmse["high"] - rmse["low"] > 0.2
    assert "t850_gain_1d" not in theirs["metrics"]


def test_an_ensemble_is_compared_by_its_whole_distribution(outlook):
    draw = np.random.default_rng(2)
    noise = draw.normal(size=(2, 8, *outlook.truth.shape)).astype("f4")
    made = {"right": noise[0], "shifted": noise[1] + 2, "single": noise[0, :1]}
    right, _, single = Judge(["t850"], [24], 50, against="shifted").rows(made, outlook, 0)
    # Standard normal truth: CRPS 1/sqrt(pi) when known, E|N(2,2)| - 1/sqrt(pi) when 2 off.
    known = 1 / np.sqrt(np.pi)
    off = 2 / np.sqrt(np.pi) * np.exp(-1) + 2 * 0.8427 - known
    assert right["metrics"]["t850_crpss_1d"]["value"] == pytest.approx(1 - known / off, abs=0.02)
    assert "t850_crpss_1d" not in single["metrics"]
    assert single["metrics"]["t850_gain_1d"]["value"] > 0


def test_a_row_that_is_not_there_is_compared_with_nothing(outlook):
    (row,) = Judge(["t850"], [24], 5, against="t21").rows({"ours": outlook.truth[None]}, outlook, 0)
    assert set(row["metrics"]) == {"t850_rmse_1d", "t850_acc_1d"}
