"""What a run opens of others' networks goes with it: releases, and the folders of other runs."""

from __future__ import annotations

import json
import shutil

import pytest

from science import paths
from science.core import releases
from science.core.errors import UserError
from science.core.provenance import networks
from science.core.provenance.store import Store
from science.core.rerun.bundle import export
from science.core.rerun.doctor import doctor
from science.core.rerun.records import read
from science.core.rerun.rerun import rerun
from science.core.rerun.verify import unpacked


@pytest.fixture(scope="module")
def begun(original, start, toy, tmp_path_factory):
    """A run that starts from the networks of another."""
    folder = tmp_path_factory.mktemp("begun")
    shutil.copytree(original[1], folder / "before")
    file = toy.experiment(folder, start=str(folder / "before"))
    status, job = start(file, folder / "run")
    assert status == 0, job.said()
    return folder


def test_a_bundle_holds_the_networks_that_the_run_began_with(begun, place, tmp_path):
    run = read(begun / "run")
    ((name, files),) = run.manifest["networks"].items()
    assert name.endswith("before")
    assert set(files) == {releases.CARD, releases.WEIGHTS}
    assert not (begun / "run/checkpoints").exists()
    bundle = export(begun / "run", tmp_path / "run.zip")
    hidden = (begun / "before").rename(begun / "elsewhere")
    try:
        verdict = rerun(bundle, out=tmp_path / "out", place=place)
        assert verdict.graded.grade == "R4", verdict.graded.reasons
        again = read(tmp_path / "out/run").manifest
        assert again["networks"] == run.manifest["networks"]
        assert again["recipe_id"] == run.manifest["recipe_id"]
        folder = unpacked(bundle, tmp_path / "unpacked")
        assert "which are in the archive" in (folder.parent / "README.md").read_text()
        for digest in files.values():  # one that was too large to keep
            Store(folder).path(digest).unlink()
        assert doctor(folder).expect.startswith("RX")
        verdict = rerun(folder, out=tmp_path / "lost", place=place)
        assert verdict.graded.grade == "RX"
        assert "too large to keep" in verdict.graded.reasons[0]
    finally:
        hidden.rename(begun / "before")


def test_a_run_that_was_killed_still_knows_what_it_opened(begun, start, tmp_path):
    file = begun / "experiment.yaml"
    status, _ = start(file, tmp_path / "run", "batch:5")
    assert status < 0
    assert start(file, tmp_path / "run")[0] == 0
    was, now = (read(folder / "run").manifest for folder in (begun, tmp_path))
    assert now["networks"] == was["networks"]
    assert now["results"]["artifacts"] == was["results"]["artifacts"]


@pytest.fixture
def shipped():
    names = releases.releases()
    return min(names, key=lambda n: (paths.RELEASES / n / releases.WEIGHTS).stat().st_size)


def test_a_release_is_opened_from_the_copy_where_its_weights_are_missing(
    shipped, monkeypatch, tmp_path
):
    with networks.watched(tmp_path / "run"):
        opened = releases.load(shipped)
    known, store = networks.noted(tmp_path / "run"), Store(tmp_path / "run")
    assert networks.is_here(shipped, known[shipped])
    bare = tmp_path / "sources/science/releases"  # as an archive of sources has them
    (bare / shipped).mkdir(parents=True)
    shutil.copy(paths.RELEASES / shipped / releases.CARD, bare / shipped)
    monkeypatch.setattr(paths, "RELEASES", bare)
    assert not networks.is_here(shipped, known[shipped])
    with pytest.raises(UserError, match="no such file"):
        releases.load(shipped)
    for name, value in networks.hand_over(known, store, tmp_path / "handed").items():
        monkeypatch.setenv(name, value)
    again = releases.load(shipped)
    for member, tensors in opened.weights.items():
        assert all(bool((again.weights[member][k] == v).all()) for k, v in tensors.items())
    monkeypatch.delenv(networks.HANDED)
    networks.put_back(known, store, tmp_path / "sources")
    assert releases.load(shipped).card == opened.card


def test_a_run_beside_is_handed_to_a_repetition_that_lies_elsewhere(
    original, toynet, monkeypatch, tmp_path
):
    shutil.copytree(original[1], tmp_path / "home/networks")
    with networks.watched(tmp_path / "home/run"):
        assert releases.beside(tmp_path / "home/run", "none") is None
        opened = releases.beside(tmp_path / "home/run", "networks")
    known, store = networks.noted(tmp_path / "home/run"), Store(tmp_path / "home/run")
    assert list(known) == ["../networks"]
    away = tmp_path / "away/run"
    assert releases.beside(away, "networks") is None
    for name, value in networks.hand_over(known, store, tmp_path / "handed").items():
        monkeypatch.setenv(name, value)
    again = releases.beside(away, "networks")
    assert again.weights.keys() == opened.weights.keys()
    assert again.card == opened.card


def test_an_altered_copy_is_refused(tmp_path):
    with networks.watched(tmp_path):
        networks.note("a/b", {"weights.safetensors": b"numbers"})
    known, store = networks.noted(tmp_path), Store(tmp_path)
    assert json.loads((tmp_path / "checkpoints/networks.json").read_text()) == known
    store.path(known["a/b"]["weights.safetensors"]).write_bytes(b"other")
    with pytest.raises(UserError, match="changed since"):
        networks.hand_over(known, store, tmp_path / "handed")


def test_nothing_is_noted_outside_of_runs(shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    releases.load(shipped)
    networks.note("a/b", {"card.yaml": b"x"})
    assert not list(tmp_path.iterdir())
