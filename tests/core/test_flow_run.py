"""Runs that make things: they repeat to the last bit, and become releases that make the same."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

import science
from science.__main__ import main
from science.core import allow, data
from science.core.errors import UserError
from science.core.evaluate import evaluate
from science.core.fields import Torus
from science.core.releases import LARGE, load, make
from science.core.run import run

HERE = Path(__file__).parent
ROOT = Path(science.__file__).parent.parent


def small(patch):
    """Let configs name the toy, and let its rings stand for any card's samples."""
    patch.syspath_prepend(str(HERE))
    toy = importlib.import_module("toyflow")
    patch.setattr(allow, "PACKAGES", (*allow.PACKAGES, allow.Package("toyflow")))
    patch.setattr(data, "read_table", toy.rings)
    return toy


@pytest.fixture
def toy(monkeypatch):
    return small(monkeypatch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        file = small(patch).experiment(folder)
        return file, run(file, out=folder / "run").folder


def test_it_writes_what_it_learned_and_how(whole):
    _, folder = whole
    history = pd.read_csv(folder / "history.csv")
    assert set(history["member"]) == {"maker"}
    names = {f"{stage}/{part}" for stage in ("train", "val") for part in ("loss", "place", "scale")}
    assert set(history["name"]) == names
    loss = history[history["name"] == "train/scale"].groupby("epoch")["value"].mean()
    assert len(loss) == 3
    assert "How it learned" in (folder / "report.html").read_text()
    assert not (folder / "predictions.csv").exists()
    assert json.loads((folder / "learned.json").read_text()).keys() == {"trained_on"}


@pytest.mark.parametrize("batches", [3, 7])
def test_a_killed_run_arrives_at_the_same_bytes(whole, toy, tmp_path, batches):
    """In the middle of an epoch, of which each has five batches of unlike size."""
    file, done = whole
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}
    command = [sys.executable, str(HERE / "toyflow.py"), str(file), str(tmp_path / "run")]
    died = subprocess.run(
        [*command, str(batches)], capture_output=True, text=True, env=env, timeout=200
    )
    assert died.returncode == -9, died.stderr
    assert not (tmp_path / "run/metrics.json").exists()
    resumed = run(file, out=tmp_path / "run")
    assert toy.results(resumed.folder) == toy.results(done)


def test_a_release_makes_what_its_run_made(whole, toy, tmp_path):
    _, done = whole
    folder = make(done, "near/rings", out=tmp_path / "release")
    assert LARGE > 1000
    rows = json.loads((done / "metrics.json").read_text())["rows"]
    for place in (folder, done):
        release = load(place)
        assert isinstance(release.fields["place"], Torus)
        assert release.fields["place"].weight == 10
        (net,) = release.members
        assert not net.training
        samples = release.samples(toy.CARD)
        made = toy.draw(net, release.fields, samples.take(samples.where("test")))
        assert float(made.mean()) == rows[0]["metrics"]["scale"]["value"]
        assert {v.dtype for v in release.weights["maker"].values()} == {torch.float32}


def test_its_card_says_how_it_samples_and_what_it_learned(whole, toy, tmp_path):
    _, done = whole
    folder = make(done, "near/rings", out=tmp_path / "release")
    card = yaml.safe_load((folder / "card.yaml").read_text())
    config = yaml.safe_load((done / "config.yaml").read_text())
    for section in ("data", "net", "task", "protocol"):
        assert card[section] == config[section]
    assert card["members"] == ["maker"]
    assert card["trained_on"]["splits"] == ["train"]
    assert card["trained_on"]["rows"] == 72
    assert "evaluation" not in card


def test_what_scores_nothing_is_not_asked_for_scores(whole, toy, tmp_path, capsys):
    _, done = whole
    with pytest.raises(UserError, match="tell no classes apart") as caught:
        evaluate(done, toy.CARD, "test", tmp_path / "out")
    assert "fifth" in caught.value.cure
    with pytest.raises(UserError, match="give no scores"):
        load(done).score({})
    words = ["--dataset", toy.CARD, "--split", "test", "--out", str(tmp_path / "out")]
    assert main(["evaluate", str(done), *words]) != 0
    assert "give no scores" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_new_net_may_begin_with_its_weights(whole, toy, tmp_path):
    _, done = whole
    file = toy.experiment(tmp_path, start=str(done), trainer={"max_epochs": 1})
    again = run(file, out=tmp_path / "run").folder
    first = pd.read_csv(again / "history.csv").query("name == 'train/scale'")["value"].iloc[0]
    fresh = pd.read_csv(done / "history.csv").query("name == 'train/scale'")["value"].iloc[0]
    assert first < fresh


@pytest.mark.parametrize("field", ["science.core.data.CardData", "os.system"])
def test_a_card_cannot_bring_a_strange_field(whole, toy, tmp_path, field):
    _, done = whole
    folder = make(done, "near/rings", out=tmp_path / "release")
    card = yaml.safe_load((folder / "card.yaml").read_text())
    card["task"]["fields"]["place"] = {"_target_": field}
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(UserError, match=r"task\.fields\.place"):
        load(folder)


def test_a_card_must_score_or_make(whole, toy, tmp_path):
    _, done = whole
    folder = make(done, "near/rings", out=tmp_path / "release")
    card = yaml.safe_load((folder / "card.yaml").read_text())
    del card["task"]
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(UserError, match="scores need calibration, classes"):
        load(folder)


def test_a_protocol_that_tells_classes_apart_refuses_samples_without(toy, tmp_path):
    protocol = {"_target_": "science.core.protocols.HoldOut"}
    with pytest.raises(UserError, match="no classes"):
        run(toy.experiment(tmp_path, protocol=protocol), out=tmp_path / "run")


def test_a_run_without_the_note_says_so(whole, toy, tmp_path):
    copy = shutil.copytree(whole[1], tmp_path / "copy")
    (copy / "learned.json").unlink()
    with pytest.raises(UserError, match=r"no learned\.json"):
        load(copy)
