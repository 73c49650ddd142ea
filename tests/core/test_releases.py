"""Releases: what a run becomes, what a stranger's folder cannot do, and scores that stay."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from science import paths
from science.__main__ import main
from science.core import data, release_run
from science.core import releases as module
from science.core.errors import UserError
from science.core.releases import load, make, releases
from science.core.run import run

from . import toy

FOLDS = {"_target_": "science.core.protocols.HoldOut", "members": 2, "folds": True}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(data, "read_table", toy.table)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "read_table", toy.table)
        return run(toy.experiment(folder, protocol=FOLDS), out=folder / "run").folder


@pytest.fixture
def release(finished, tmp_path):
    return make(finished, "near/toy", out=tmp_path / "release")


def change(folder, **fields):
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **fields}))


def test_a_release_scores_as_its_run_did(finished, release):
    known = pd.read_csv(finished / "predictions.csv")
    table = toy.table()
    rows = table.where("test")
    for place in (finished, release):
        opened = load(place)
        score, spread = opened.score(table.take(rows).inputs)
        assert list(known["id"]) == list(table.id[rows])
        np.testing.assert_array_equal(score, known["score"])
        np.testing.assert_array_equal(spread, known["spread"])
        assert len(opened.members) == 2
        assert not any(member.training for member in opened.members)


def test_the_card_says_what_made_it(finished, release):
    card = yaml.safe_load((release / "card.yaml").read_text())
    table = toy.table()
    assert card["trained_on"]["card"] == toy.CARD
    assert card["trained_on"]["splits"] == ["train", "val"]
    assert card["trained_on"]["rows"] == (table.split != "test").sum()
    assert card["made_by"]["experiment"]["name"].endswith("experiment.yaml")
    assert len(card["made_by"]["code"]["digest"]) == 64
    assert card["members"] == ["fold0", "fold1"]
    assert (card["classes"], card["positive"]) == (["PC", "AFP", "NTP"], "PC")
    assert card["inputs"] == {"global_view": [24], "local_view": [16], "own": [4]}
    assert card["metrics"] == json.loads((finished / "metrics.json").read_text())["rows"]
    assert (release / "weights.safetensors").stat().st_size < 6e6


def test_weights_are_one_file_keyed_by_member(finished, release):
    found = load_file(release / "weights.safetensors")
    for member in ("fold0", "fold1"):
        for name, value in load_file(finished / f"weights/{member}.safetensors").items():
            assert torch.equal(found.pop(f"{member}/{name}"), value)
    assert not found


def test_a_cross_fitted_release_admits_every_split(tmp_path):
    cross = {"_target_": "science.core.protocols.CrossFit", "folds": 2}
    done = run(
        toy.experiment(tmp_path, protocol=cross, trainer={"max_epochs": 1}), out=tmp_path / "r"
    )
    assert load(done.folder).card.trained_on["splits"] == ["test", "train", "val"]


def test_a_run_of_before_the_note_is_described_from_its_data(finished, tmp_path):
    old = shutil.copytree(finished, tmp_path / "old")
    (old / "learned.json").unlink()
    assert load(old).card == load(finished).card


def test_shipped_releases_are_found_by_name(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "RELEASES", tmp_path / "releases")
    assert releases() == []
    assert main(["release", str(finished), "near/toy"]) == 0
    assert releases() == ["near/toy"]
    assert load("near/toy").card.title == "Toy"
    assert main(["list", "releases"]) == 0
    assert "near/toy  Toy" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["toy", "../x/toy", "near/../toy", "Near/Toy", "near/toy/x"])
def test_a_name_that_leads_elsewhere_is_refused(finished, name):
    with pytest.raises(UserError, match="no name of a release"):
        make(finished, name)


def test_an_unfinished_run_is_refused(finished, tmp_path):
    part = shutil.copytree(finished, tmp_path / "part")
    (part / "manifest.json").unlink()
    with pytest.raises(UserError, match="not finished"):
        make(part, "near/toy", out=tmp_path / "x")
    with pytest.raises(UserError, match="neither a release nor a finished run"):
        load(tmp_path / "nothing")


def test_inputs_of_another_kind_are_refused(release):
    opened, inputs = load(release), dict(toy.table().inputs)
    with pytest.raises(UserError, match=r"no input .*'own'"):
        opened.score({k: v for k, v in inputs.items() if k != "own"})
    with pytest.raises(UserError, match="'local_view' has shape"):
        opened.score({**inputs, "local_view": inputs["local_view"][:, 1:]})


def test_inputs_that_no_network_looks_at_are_not_asked_for(tmp_path):
    net = {"_target_": "science.transits.nets.vetter.Vetter", "channels": [4]}
    quick = {"trainer": {"max_epochs": 1}, "net": net}
    opened = load(run(toy.experiment(tmp_path, **quick), out=tmp_path / "run").folder)
    inputs = dict(toy.table().inputs)
    whole = opened.score(inputs)[0]
    del inputs["own"]
    np.testing.assert_array_equal(opened.score(inputs)[0], whole)


def truncated(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def pickled(folder):
    (folder / "weights.safetensors").write_bytes(pickle.dumps({"fold0/x": 1}))


def absent(folder):
    (folder / "weights.safetensors").unlink()


def stray(folder):
    save_file({"loose": torch.zeros(1)}, folder / "weights.safetensors")


@pytest.mark.parametrize("damage", [truncated, pickled, absent, stray])
def test_damaged_weights_end_in_one_line_that_names_the_file(release, damage):
    damage(release)
    with pytest.raises(UserError, match=r"weights\.safetensors") as caught:
        load(release)
    assert caught.value.cure


def reshaped(tensors):
    tensors["fold0/head.6.bias"] = torch.zeros(5)


def renamed(tensors):
    tensors["fold0/other"] = tensors.pop("fold0/head.6.bias")


@pytest.mark.parametrize("damage", [reshaped, renamed])
def test_weights_of_another_net_are_refused(release, damage):
    path = release / "weights.safetensors"
    tensors = load_file(path)
    damage(tensors)
    save_file(tensors, path)
    with pytest.raises(UserError, match=r"'fold0' do not fit the net.*head\.6\.bias"):
        _ = load(release).members


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"net": {"_target_": "os.system", "command": "touch hit"}}, "outside the allow-list"),
        ({"net": {"_target_": "torch.load", "f": "x"}}, "torch.load"),
        ({"net": {"_target_": "science.core.data.CardData", "card": "x"}}, "expected a kind of"),
        ({"data": {"_target_": "subprocess.run", "args": ["touch", "hit"]}}, "allow-list"),
        ({"evaluation": {"_target_": "builtins.exec", "_args_": ["1"]}}, "allow-list"),
        ({"net": {"_target_": "science.transits.nets.vetter.Vetter", "widht": 3}}, "width"),
    ],
)
def test_a_card_cannot_run_code(release, tmp_path, monkeypatch, fields, said):
    monkeypatch.chdir(tmp_path)
    change(release, **fields)
    with pytest.raises(UserError, match=said):
        load(release)
    assert not (tmp_path / "hit").exists()


@pytest.mark.parametrize(
    "text", ["[", "title: x\n", "!!python/object/apply:os.system [touch hit]\n", "\xff: {"]
)
def test_a_broken_card_is_one_line(release, text):
    (release / "card.yaml").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"card\.yaml: not a release card"):
        load(release)


@pytest.mark.parametrize("members", [["../../secret"], ["/etc/passwd"], [".hidden"]])
def test_a_run_cannot_name_files_elsewhere(finished, tmp_path, members):
    copy = shutil.copytree(finished, tmp_path / "copy")
    (copy / "members.json").write_text(json.dumps(members))
    with pytest.raises(UserError, match="no name of a network"):
        load(copy)


def test_large_weights_are_stored_by_half_only_if_scores_stay(finished, tmp_path, monkeypatch):
    whole = load(finished)
    monkeypatch.setattr(module, "LARGE", release_run.size(whole) - 1)
    half = load(make(finished, "near/toy", out=tmp_path / "half"))
    assert torch.float16 in {v.dtype for v in half.weights["fold0"].values()}
    assert half.weights["fold0"]["embed.own.edges"].dtype == torch.float32
    table = toy.table()
    score = half.score(table.inputs)[0]
    assert np.abs(score - whole.score(table.inputs)[0]).max() < 1e-3
    rows = table.where("test")
    brier = np.mean((score[rows] - table.truth[rows]) ** 2)
    assert half.card.metrics[0]["metrics"]["brier"]["value"] == pytest.approx(brier)
    monkeypatch.setattr(release_run, "_TOLERANCE", 0.0)
    kept = load(make(finished, "near/toy", out=tmp_path / "kept"))
    assert torch.float16 not in {v.dtype for v in kept.weights["fold0"].values()}
    monkeypatch.setattr(module, "LARGEST", 10)
    with pytest.raises(UserError, match="MB of weights"):
        make(finished, "near/toy", out=tmp_path / "never")
    assert not (tmp_path / "never").exists()
