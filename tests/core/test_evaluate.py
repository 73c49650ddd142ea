"""Evaluating a release gives the run's own numbers, and says when a test is not fair."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from science.__main__ import main
from science.core import data
from science.core.errors import UserError
from science.core.evaluate import evaluate
from science.core.releases import make
from science.core.run import run

from . import toy

GOALS = {"auc": {"goal": 0.9, "published": None, "source": "x"}}
EVALUATION = {"_target_": "science.core.evaluation.Binary", "resamples": 20, "goals": GOALS}
OTHER = "transits/kepler-dr24"


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(data, "read_table", toy.table)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "read_table", toy.table)
        return run(toy.experiment(folder, evaluation=EVALUATION), out=folder / "run")


def test_the_test_split_gives_exactly_the_runs_numbers(finished, tmp_path):
    release = make(finished.folder, "near/toy", out=tmp_path / "release")
    for place in (finished.folder, release):
        out = tmp_path / f"out-{place.name}"
        results = evaluate(place, toy.CARD, "test", out)
        assert results["rows"][0]["metrics"] == finished.metrics["rows"][0]["metrics"]
        assert results == json.loads((out / "metrics.json").read_text())
        assert results["goals"] == GOALS
        frame = pd.read_csv(out / "predictions.csv")
        assert list(frame.columns) == ["id", "label", "score", "spread"]
        known = pd.read_csv(finished.folder / "predictions.csv")[list(frame.columns)]
        pd.testing.assert_frame_equal(frame, known, check_exact=True)
        assert "NOT A FAIR TEST" not in json.dumps(results)


def test_the_page_is_whole_and_names_nobodys_folders(finished, tmp_path):
    evaluate(finished.folder, toy.CARD, "test", tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text()
    assert f"on {toy.CARD}, test" in page
    assert "files are missing" not in page
    assert str(finished.folder.parent) not in page


@pytest.mark.parametrize("split", ["train", "val", "all"])
def test_judging_on_what_was_learned_is_flagged_loudly(finished, tmp_path, split):
    results = evaluate(finished.folder, toy.CARD, split, tmp_path / "out")
    assert results["notes"][0].startswith("NOT A FAIR TEST")
    assert results["rows"][0]["note"] == "not a fair test"
    assert "NOT A FAIR TEST" in (tmp_path / "out/report.html").read_text()


def test_other_data_has_no_flag_and_no_goals(finished, tmp_path):
    results = evaluate(finished.folder, OTHER, "train", tmp_path / "out")
    assert "NOT A FAIR TEST" not in json.dumps(results)
    assert results["goals"] == {}


def test_the_same_files_under_another_name_are_recognised(finished, tmp_path):
    from science.core import manifest

    digests = manifest.dataset(OTHER)["files"]
    path = finished.folder / "manifest.json"
    kept = path.read_text()
    facts = json.loads(kept)
    facts["data"]["files"] = dict(list(digests.items())[:1])
    path.write_text(json.dumps(facts))
    try:
        results = evaluate(finished.folder, OTHER, "train", tmp_path / "out")
    finally:
        path.write_text(kept)
    assert results["notes"][0].startswith("NOT A FAIR TEST")


def test_all_is_every_row(finished, tmp_path):
    evaluate(finished.folder, toy.CARD, "all", tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out/predictions.csv")) == len(toy.table())


def test_another_positive_class_is_said(finished, tmp_path, monkeypatch):
    from dataclasses import replace

    table = toy.table()
    other = replace(table, classes=("T", "J", "X"), positive="T")
    monkeypatch.setattr(data, "read_table", lambda card, **_: other)
    results = evaluate(finished.folder, OTHER, "test", tmp_path / "out")
    assert any("'PC'" in note and "'T'" in note for note in results["notes"])


def test_what_is_wrong_is_one_line(finished, tmp_path):
    with pytest.raises(UserError, match="no 'tset' split"):
        evaluate(finished.folder, toy.CARD, "tset", tmp_path / "out")
    with pytest.raises(UserError):
        evaluate(finished.folder, "transits/nothing", "test", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_data_without_the_inputs_is_refused(finished, tmp_path, monkeypatch):
    table = toy.table()
    monkeypatch.setattr(data, "read_table", lambda card, **_: table.with_inputs(["global_view"]))
    with pytest.raises(UserError, match="no input"):
        evaluate(finished.folder, OTHER, "test", tmp_path / "out")


def test_the_verb(finished, tmp_path, capsys):
    words = ["--dataset", toy.CARD, "--split", "test", "--out", str(tmp_path / "out")]
    assert main(["evaluate", str(finished.folder), *words]) == 0
    assert np.isfinite(pd.read_csv(tmp_path / "out/predictions.csv")["score"]).all()
    assert str(tmp_path / "out") in capsys.readouterr().out
