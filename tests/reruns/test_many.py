"""Many runs: the index is what the files say, and a sweep outlives its failures."""

from __future__ import annotations

import json
import shutil
import sys

import pandas as pd
import pytest

from science.__main__ import main
from science.core.errors import UserError
from science.core.rerun import index
from science.core.rerun.axes import expand
from science.core.rerun.runs_page import write
from science.core.rerun.search import validated
from science.core.rerun.slurm import Cluster
from science.core.rerun.sweep import sweep, unfinished

from .conftest import HERE


def test_a_damaged_index_is_made_anew(original, tmp_path):
    shutil.copytree(original[1], tmp_path / "run")
    before = index.rows(tmp_path)
    (tmp_path / index.FILE).write_bytes(b"not a database, at all" * 100)
    assert index.rows(tmp_path) == before
    assert before[0]["state"] == "finished"
    assert json.loads(before[0]["facts"])["metrics"]


def test_damaged_runs_are_listed_and_harm_nobody(original, tmp_path):
    shutil.copytree(original[1], tmp_path / "good")
    for name, text in {"a": "{", "b": "null", "c": "\0"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(text)
        (tmp_path / name / "manifest.json").write_text(text)
    states = {row["folder"]: row["state"] for row in index.scan(tmp_path)}
    assert states == {"a": "unfinished", "b": "unfinished", "c": "unfinished", "good": "finished"}


def test_the_page_of_all_runs_holds_its_data_and_loads_nothing(original, tmp_path, capsys):
    shutil.copytree(original[1], tmp_path / "<b>run</b>")
    page = write(tmp_path, index.scan(tmp_path), tmp_path / "runs.html").read_text()
    assert "<b>run" not in page
    assert "&lt;b&gt;run" in page
    assert "val/loss" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert main(["runs", str(tmp_path)]) == 0
    assert "finished" in capsys.readouterr().out


def test_axes():
    assert expand(["a=1,2", "seed=range(2)"]) == [
        ("a=1", "seed=0"),
        ("a=1", "seed=1"),
        ("a=2", "seed=0"),
        ("a=2", "seed=1"),
    ]
    assert expand(["a=[1,2],[3]", "b=range(2,8,3)"])[0] == ("a=[1,2]", "b=2")
    drawn = expand(["lr=loguniform(1e-4,1e-1)", "w=8,16"], samples=6, seed=1)
    assert drawn == expand(["lr=loguniform(1e-4,1e-1)", "w=8,16"], samples=6, seed=1)
    assert len(drawn) == 6
    assert all(1e-4 <= float(one[0].removeprefix("lr=")) <= 1e-1 for one in drawn)
    assert expand(["a=1,2", "b=x,y"], together=True) == [("a=1", "b=x"), ("a=2", "b=y")]
    with pytest.raises(UserError, match="different length"):
        expand(["a=1,2", "b=x"], together=True)


@pytest.mark.parametrize("axis", ["a", "=1", "a=", "a=uniform(0,1)", "a=range(99999)"])
def test_bad_axes_are_refused(axis):
    with pytest.raises(UserError):
        expand([axis])


def test_a_sweep_skips_what_is_done_and_outlives_a_crash(
    original, warm, env, tmp_path, monkeypatch, toynet
):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    how = {"jobs": 2, "launcher": warm, "script": HERE / "worker.py"}
    axes = ["net.width=7,8", "seed=range(2)"]  # two heads cannot share seven channels
    folder = sweep(str(original[0]), axes, tmp_path / "sweep", **how)
    table = pd.read_csv(folder / "sweep.csv")
    assert len(table) == 4
    failed = table["state"].str.startswith("failed")
    assert sorted(table[failed]["net.width"]) == [7, 7]
    assert table[~failed]["auc"].notna().all()
    assert "divisible" in " ".join(table[failed]["state"])
    assert len(unfinished(folder)) == 2
    again = sweep(str(original[0]), ["net.width=8", "seed=range(3)"], folder, **how)
    assert unfinished(again) == []
    states = pd.read_csv(again / "sweep.csv")["state"].tolist()
    assert states == ["finished before", "finished before", "finished"]
    assert "How it depends" in (folder / "report.html").read_text()


def test_a_recipe_that_the_system_kills_is_told_of(original, tmp_path, toynet):
    fatal = tmp_path / "fatal.py"
    fatal.write_text("import os\nos.kill(os.getpid(), 9)\n")
    axes = ["seed=0", "net.width=8,16"]
    folder = sweep(str(original[0]), axes, tmp_path / "sweep", script=fatal)
    said = unfinished(folder)
    assert [line.partition(":")[0] for line in said] == [
        "seed=0 net.width=8",
        "seed=0 net.width=16",
    ]
    assert all("killed (signal 9), probably out of memory; close other" in line for line in said)


def test_a_search_goes_by_validation_rows_and_goes_on(
    original, warm, env, tmp_path, monkeypatch, toynet
):
    pytest.importorskip("optuna")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    how = {"launcher": warm, "script": HERE / "worker.py", "by": "val/loss"}
    axes = ["task.optimizer.lr=loguniform(1e-4,1e-1)", "net.width=8,16"]
    folder = sweep(str(original[0]), axes, tmp_path / "sweep", samples=3, **how)
    first = pd.read_csv(folder / "sweep.csv")
    assert first["state"].tolist() == ["finished"] * 3
    history = pd.read_csv(folder / first["folder"][0] / "run/history.csv")
    losses = history[history["name"] == "val/loss"].sort_values("epoch")["value"]
    assert validated(folder / first["folder"][0] / "run", "val/loss") == losses.iloc[-1]
    again = sweep(str(original[0]), axes, tmp_path / "other", samples=3, **how)
    assert pd.read_csv(again / "sweep.csv")["folder"].tolist() == first["folder"].tolist()
    with pytest.raises(UserError, match="look at what judges"):
        sweep(str(original[0]), axes, tmp_path / "bad", **{**how, "by": "auc"})


def test_a_search_without_its_package_says_so(original, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match="optuna"):
        sweep(str(original[0]), ["seed=0,1"], tmp_path, by="val/loss")


def test_a_cluster_of_this_machine_runs_a_sweep(original, env, tmp_path, monkeypatch, toynet):
    """Submitit's local executor stands in for SLURM; jobs are processes that it starts."""
    pytest.importorskip("submitit")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    cluster = Cluster(tmp_path / "jobs", {"timeout_min": 5}, kind="local")
    how = {"launcher": cluster, "script": HERE / "worker.py"}
    folder = sweep(str(original[0]), ["seed=0"], tmp_path / "sweep", **how)
    assert pd.read_csv(folder / "sweep.csv")["state"].tolist() == ["finished"]
