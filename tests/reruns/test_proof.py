"""The counting protocol, and the trackers, on stand-ins."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from science.core.errors import UserError
from science.core.rerun import trackers
from science.core.rerun.proof import Count, Proof
from science.core.rerun.records import read
from science.core.rerun.slurm import Cluster


def test_a_count_has_an_interval_and_tells_what_did_not_hold():
    count = Count()
    for number in range(20):
        count.add(number != 7, f"number {number}")
    row = count.row("what")
    assert row["metrics"]["held"]["value"] == 0.95
    assert row["metrics"]["held"]["low"] < 0.95 < row["metrics"]["held"]["high"]
    assert row["note"] == "number 7"


def test_the_statistical_verdict_is_calibrated_as_the_table_asks():
    found = {}
    for what, held, note in Proof([], {}, simulated=400)._statistics(0):
        found.setdefault(what, Count()).add(held, note)
    share = {what: count.held / count.of for what, count in found.items()}
    assert share["unchanged model is found equivalent"] >= 0.95
    assert share["model worse by 4 sigma is refused"] >= 0.90


def test_tampering_is_counted(original, place):
    done = list(Proof([], {}, tampered=10)._tampered(read(original[1]), place, 0))
    assert len(done) == 11
    assert all(held for _, held, _ in done)


def test_mlflow_gets_what_the_run_wrote(original, monkeypatch, tmp_path):
    calls = []

    class Client:
        def __init__(self, tracking_uri):
            calls.append(("uri", tracking_uri))

        def get_experiment_by_name(self, name):
            return None

        def create_experiment(self, name):
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
