"""The counting protocol, and the trackers, on stand-ins."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from science.core.errors import UserError
from science.core.frozen import freeze, frozen
from science.core.provenance.identity import semantic_id
from science.core.recipe import Recipe
from science.core.rerun import trackers
from science.core.rerun.proof.count import Count, Trial, counted
from science.core.rerun.proof.lean import KNOWN
from science.core.rerun.proof.mutations import mutations
from science.core.rerun.proof.numbers import DEGRADED, SAME, statistics
from science.core.rerun.proof.protocol import Proof
from science.core.rerun.proof.reruns import mutated
from science.core.rerun.proof.rounds import Round
from science.core.rerun.records import read
from science.core.rerun.repeat import must, repeat
from science.core.rerun.slurm import Cluster
from science.core.table import Table


def test_a_count_has_an_interval_and_tells_what_did_not_hold():
    count = Count()
    for number in range(20):
        count.add(number != 7, f"number {number}")
    row = count.row("what")
    assert row["metrics"]["held"]["value"] == 0.95
    assert row["metrics"]["held"]["low"] < 0.95 < row["metrics"]["held"]["high"]
    assert row["note"] == "19 of 20; number 7"


def test_rounds_deal_every_trial_once():
    counts = {"kills": 50, "surroundings": 6, "bundles": 1}
    rounds = [Round(part, 5, counts, seed=part) for part in range(5)]
    for name, count in counts.items():
        assert [n for one in rounds for n in one.numbers(name)] == list(range(count))
    assert {one.many("kills") for one in rounds} == {10}


def test_a_proof_counts_the_kinds_it_is_asked_for_and_keeps_what_was_counted(monkeypatch, tmp_path):
    tried = []

    def kinds(self, scratch, seed):
        for label in ("round 0: torn, TMPDIR tmp", "round 0: a/b: kills with 2 workers"):
            tried.append(label)
            yield label, iter([Trial(label, held=True)])

    monkeypatch.setattr(Proof, "_kinds", kinds)
    with (tmp_path / "trials.jsonl").open("w") as file:  # as an earlier version wrote it
        file.write(json.dumps(["round 0: stores", [["stores", False, "lost one"]]]) + "\n")
    recipe = Recipe({"seed": 0}, tmp_path)
    found = Proof({"a/b": {}}, harms=["kills"]).measure(recipe)
    assert [row["note"] for row in found["rows"]] == ["0 of 1; round 0: stores: lost one", "1 of 1"]
    assert "torn" in next(note for note in found["notes"] if note.startswith("Not tried"))
    assert "1 of not noted" in found["notes"][-1]
    assert Proof({"a/b": {}}, {"verdicts": 1}).measure(recipe)["rows"][0] == found["rows"][0]
    whole = (tmp_path / "trials.jsonl").read_text().splitlines()
    assert len({json.loads(line)[0] for line in whole}) == len(whole) == 4
    with pytest.raises(UserError, match="kils"):
        Proof({}, harms=["kils"])


def test_the_statistical_verdict_is_calibrated_as_the_table_asks():
    found = counted(statistics(0, 400))
    assert found[SAME].held / found[SAME].of >= 0.95
    assert found[DEGRADED].held / found[DEGRADED].of >= 0.90


def test_frozen_samples_are_the_samples_they_were(toy, tmp_path):
    made = toy.table(toy.write_data(tmp_path / "data"))
    again = frozen(str(freeze(made, tmp_path / "frozen", "toy/frozen")))
    assert isinstance(again, Table)
    assert semantic_id(again) == semantic_id(made)
    assert (again.classes, again.positive) == (made.classes, made.positive)
    (tmp_path / "frozen/id.npy").write_bytes(b"torn")
    with pytest.raises(UserError, match="freeze the samples again"):
        frozen(str(tmp_path / "frozen/card.yaml"))


def test_layers_are_mutated_alone_and_named(own, place, tmp_path):
    """The long proof changes every layer of any experiment; three of its ways are found out."""
    run = read(own[1])
    there = replace(place, env={**place.env, KNOWN: ""})
    again = read(must(repeat(run, there, "original", run.config)).folder)
    given = (again, tmp_path / "altered", ["task.optimizer.lr=0.01{}"], [1])
    list(mutations(*given))  # the pairs of the long proof take them once more
    made = list(mutations(*given))
    assert {m.layers[0] for m in made} == {
        "seed", "config", "code", "environment", "threads", "instructions", "data"
    }  # fmt: skip
    for one in (m for m in made if m.layers[0] in ("code", "environment", "data")):
        trial = mutated(again, there, one, one.layers[0])
        assert trial.held, trial.note


def test_mlflow_gets_what_the_run_wrote(original, monkeypatch, tmp_path):
    calls = []

    class Client:
        def __init__(self, tracking_uri):
            calls.append(("uri", tracking_uri))

        def get_experiment_by_name(self, name):
            return None

        def create_experiment(self, name, **_):
            return "7"

        def create_run(self, home, run_name, tags):
            calls.append(("tags", tags))
            return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

        def __getattr__(self, name):
            return lambda *a, **k: calls.append((name, *a))

    module = ModuleType("mlflow")
    module.MlflowClient = Client
    monkeypatch.setitem(sys.modules, "mlflow", module)
    assert "r1" in trackers.track(original[1], "mlflow", "http://tracker.invalid")
    kinds = [call[0] for call in calls]
    assert kinds.count("log_param") > 10
    assert ("log_param", "r1", "seed", "0") in calls
    curves = {call[2] for call in calls if call[0] == "log_metric"}
    assert {"member0/train/loss", "member0/val/loss", "test/auc"} <= curves
    assert kinds[-1] == "set_terminated"


def test_an_absent_tracker_or_cluster_says_what_to_install(original, monkeypatch, tmp_path):
    for name in ("mlflow", "tensorboard", "submitit"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("mlflow", "tensorboard"):
        with pytest.raises(UserError, match="needs the package"):
            trackers.track(original[1], name)
    with pytest.raises(UserError, match="needs the package"):
        Cluster(tmp_path, {})
    with pytest.raises(UserError, match="no tracker"):
        trackers.track(original[1], "paper")


def test_the_real_mlflow_takes_a_run(original, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("alembic")
    monkeypatch.setenv("FIFTH_RUNS", str(tmp_path))
    said = trackers.track(original[1], "mlflow")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow/mlflow.db'}")
    every = [e.experiment_id for e in client.search_experiments()]
    (run,) = client.search_runs(every)
    assert run.info.run_id in said
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "0"
    assert run.data.metrics["test/auc"] == read(original[1]).values["auc"]
    assert len(client.get_metric_history(run.info.run_id, "member0/train/loss")) == 3
    assert {f.path for f in client.list_artifacts(run.info.run_id)} >= {"manifest.json"}


def test_the_real_tensorboard_shows_a_run(original, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trackers.track(original[1], "tensorboard", str(tmp_path))
    (folder,) = tmp_path.iterdir()
    events = EventAccumulator(str(folder))
    events.Reload()
    assert {"member0/train/loss", "test/auc"} <= set(events.Tags()["scalars"])
    assert len(events.Scalars("member0/train/loss")) == 3
