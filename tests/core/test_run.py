"""Runs repeat to the last bit, whether or not they are killed on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

import science
from science.core import data
from science.core.errors import UserError
from science.core.run import run

from . import toy

ROOT = Path(science.__file__).parent.parent
EMA = {"ema": {"_target_": "science.core.callbacks.ema.EMA", "decay": 0.9}}
FOLDS = {"_target_": "science.core.protocols.HoldOut", "members": 2, "folds": True}
BASELINES = {
    "trees": {"_target_": "science.core.baselines.GradientBoosting", "repeats": 1, "rounds": 5},
    "number": {"_target_": "science.core.baselines.OneNumber", "input": "own", "column": 0},
    "net": {
        "_target_": "science.core.baselines.Network",
        "_recursive_": False,
        "net": {
            "_target_": "science.transits.nets.vetter.Vetter",
            "views": ["local_view"],
            "channels": [4],
        },
        "epochs": 1,
    },
}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(data, "read_table", toy.table)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An unbroken run with everything switched on."""
    folder = tmp_path_factory.mktemp("whole")
    file = toy.experiment(folder, callbacks=EMA, protocol=FOLDS, baselines=BASELINES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "read_table", toy.table)
        return file, run(file, out=folder / "run")


def elsewhere(file, out, when):
    """Run in another process that kills itself."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
    command = [sys.executable, str(Path(toy.__file__)), str(file), str(out), when]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=200)


def test_a_run_writes_all_that_it_promises(whole):
    _, done = whole
    for name in ("config.yaml", "manifest.json", "report.html", *toy.results(done.folder)):
        assert (done.folder / name).stat().st_size > 0, name
    assert not (done.folder / "checkpoints").exists()
    models = [row["model"] for row in done.metrics["rows"]]
    assert models == ["this run", "trees", "number", "net"]
    assert done.metrics == json.loads((done.folder / "metrics.json").read_text())


def test_the_manifest_says_what_made_the_numbers_and_names_no_home(whole):
    file, done = whole
    text = (done.folder / "manifest.json").read_text()
    facts = json.loads(text)
    assert facts["experiment"] == {"name": str(file), "overrides": []}
    assert len(facts["code"]["digest"]) == 64
    assert facts["packages"]["torch"]
    assert facts["times"]["wall_s"] > 0
    assert set(facts["cost"]) == {"fold0", "fold1", "baseline-net"}
    assert {c["epochs"] for c in facts["cost"].values()} == {1, 3}
    assert str(Path.home()) not in text.replace(str(file.parent), "")


def test_same_config_and_seed_give_the_same_bytes(whole, small, tmp_path):
    file, done = whole
    again = run(file, out=tmp_path / "again")
    assert toy.results(again.folder) == toy.results(done.folder)


def test_another_seed_gives_other_numbers(whole, small, tmp_path):
    file, done = whole
    other = run(file, ["seed=1", "~baselines", "trainer.max_epochs=1"], out=tmp_path / "other")
    assert other.metrics["rows"][0] != done.metrics["rows"][0]


def test_workers_change_nothing(small, tmp_path):
    file = toy.experiment(tmp_path)
    alone = run(file, ["trainer.max_epochs=1"], out=tmp_path / "alone")
    helped = run(file, ["trainer.max_epochs=1", "data.workers=2"], out=tmp_path / "helped")
    assert toy.results(alone.folder) == toy.results(helped.folder)


@pytest.mark.parametrize("when", ["batch:4", "batch:7", "trained:1"])
def test_a_killed_run_arrives_at_the_same_bytes(whole, small, tmp_path, when):
    """In the first network's second epoch, in the second network's first, after the last one."""
    file, done = whole
    out = tmp_path / "killed"
    died = elsewhere(file, out, when)
    assert died.returncode == -9, died.stderr
    assert not (out / "metrics.json").exists()
    resumed = run(file, out=out)
    assert toy.results(resumed.folder) == toy.results(done.folder)


def test_an_interrupted_epoch_resumes_where_it_was(whole, small, tmp_path, monkeypatch):
    """A failure inside Python, as a full disk would be, instead of a kill."""
    from science.core.callbacks.checkpoint import AtomicCheckpointIO

    file, done = whole
    save, count = AtomicCheckpointIO.save_checkpoint, [0]

    def full(self, *args, **how):
        count[0] += 1
        if count[0] == 3:
            raise OSError("no space left on device")
        save(self, *args, **how)

    monkeypatch.setattr(AtomicCheckpointIO, "save_checkpoint", full)
    with pytest.raises(OSError, match="no space"):
        run(file, out=tmp_path / "run")
    assert toy.results(run(file, out=tmp_path / "run").folder) == toy.results(done.folder)


def test_accumulated_gradients_still_see_every_row_once_an_epoch(small, tmp_path, monkeypatch):
    from science.core.loading import StepSampler

    drawn, draw = [], StepSampler.__iter__

    def spy(self):
        for rows in draw(self):
            drawn.append(rows)
            yield rows

    monkeypatch.setattr(StepSampler, "__iter__", spy)
    file = toy.experiment(tmp_path, trainer={"max_epochs": 2, "accumulate_grad_batches": 2})
    run(file, out=tmp_path / "run")
    length = 96 // 32
    assert len(drawn) == 2 * length
    for epoch in (drawn[:length], drawn[length:]):
        assert len({row for rows in epoch for row in rows}) == 96
    assert drawn[:length] != drawn[length:]


def test_a_finished_run_is_not_repeated(whole, small, monkeypatch):
    file, done = whole
    before = {p: p.stat().st_mtime_ns for p in done.folder.rglob("*") if p.is_file()}
    monkeypatch.setattr("science.core.run.judged", None)
    assert run(file, out=done.folder).metrics == done.metrics
    assert {p: p.stat().st_mtime_ns for p in done.folder.rglob("*") if p.is_file()} == before


def test_a_folder_of_something_else_is_refused(whole, small, tmp_path):
    file, done = whole
    with pytest.raises(UserError, match="another config"):
        run(file, ["seed=5"], out=done.folder)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        run(file, out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_the_average_is_what_is_kept(whole, small, tmp_path):
    """Weights with an average differ from those without, from the same start and batches."""
    file, done = whole
    raw = run(file, ["callbacks=null", "~baselines"], out=tmp_path / "raw")
    left, right = (load_file(r.folder / "weights/fold0.safetensors") for r in (done, raw))
    assert any(not left[name].equal(right[name]) for name in left if name.endswith("weight"))
    assert yaml.safe_load((raw.folder / "config.yaml").read_text())["callbacks"] is None


def test_a_protocol_may_measure_something_else(small, tmp_path):
    astronet = "science.transits.nets.astronet.AstroNet"
    rival = {
        "net": {"_target_": astronet, "bins": {"local_view": 61}},
        "shapes": {"local_view": [61]},
    }
    protocol = {
        "_target_": "science.core.bench.Throughput",
        "against": {"AstroNet": rival},
        "rounds": 2,
        "batch_size": 4,
        "steps": 1,
    }
    done = run(toy.experiment(tmp_path, protocol=protocol), out=tmp_path / "run")
    ours, theirs = done.metrics["rows"]
    assert ours["metrics"]["speedup"]["value"] > 0
    assert theirs["metrics"]["samples_per_cpu_s"]["value"] > 0
    assert done.metrics["goals"]["speedup"]["goal"] == 10
    assert "Times faster" in (done.folder / "report.html").read_text()


def test_a_suite_runs_its_parts_and_makes_one_page(small, tmp_path, monkeypatch):
    from science import paths

    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path / "experiments")
    quick = {"trainer": {"max_epochs": 1}}
    for name in ("near/one", "near/two"):
        toy.experiment(tmp_path / "experiments" / name, title=f"Part {name}", **quick)
    both = tmp_path / "experiments/near/both"
    both.mkdir()
    parts = ["near/one", "near/two"]
    (both / "experiment.yaml").write_text(
        yaml.safe_dump({"title": "Both", "question": "?", "suite": parts})
    )
    done = run("near/both", out=tmp_path / "run")
    assert list(done.metrics["parts"]) == parts
    page = (done.folder / "report.html").read_text()
    assert "Part near/one" in page
    assert "Part near/two" in page
