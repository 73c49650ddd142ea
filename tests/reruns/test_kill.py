"""Killed without a warning, anywhere: what comes of it is what an unbroken run gives."""

from __future__ import annotations

import random

import pytest

STEPS = 12  # of the toy: three epochs of four batches
DRAWN = random.Random(0)


@pytest.mark.parametrize(
    ("step", "workers"),
    [(step, 0) for step in range(1, STEPS + 1, 2)]
    + [(s, 2) for s in DRAWN.sample(range(1, 13), 2)],
)
def test_killed_at_a_step_it_arrives_at_the_same_bits(
    original, start, toy, tmp_path, step, workers
):
    """Weights, curves, scores and the record of every step; resumed from that very step."""
    file, whole = original
    out, how = tmp_path / "run", f"data.workers={workers}"
    status, job = start(file, out, f"batch:{step}", how)
    assert status == -9, job.said()
    status, job = start(file, out, "never", how)
    assert status == 0, job.said()
    assert toy.results(out) == toy.results(whole)


def test_it_resumes_from_the_step_and_not_from_the_epoch(original, start, toy, tmp_path):
    file, whole = original
    out = tmp_path / "run"
    assert start(file, out, "batch:7")[0] == -9
    (kept,) = (out / "checkpoints/member0").glob("*.ckpt")
    assert kept.name == "step-000000006.ckpt"
    assert start(file, out, "batch:6")[0] == -9  # would be step 12 if it began there
    assert start(file, out)[0] == 0
    assert toy.results(out) == toy.results(whole)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same-tmp", "other-filesystem"])
@pytest.mark.parametrize("when", ["write:1", "write:5", "between:4"])
def test_killed_inside_a_checkpoint_write(original, start, toy, tmp_path, when, elsewhere):
    from science.core.callbacks.checkpoint import last_checkpoint

    file, whole = original
    out = tmp_path / "run"
    where = {"TMPDIR": "/dev/shm"} if elsewhere else {}
    status, job = start(file, out, when, **where)
    assert status == -9, job.said()
    folder = out / "checkpoints/member0"
    found = last_checkpoint(folder)
    if not when.endswith(":1"):
        assert found is not None
    assert not [p.name for p in folder.iterdir() if p.name.startswith(".partial")]
    assert start(file, out, "never", **where)[0] == 0
    assert toy.results(out) == toy.results(whole)


def test_an_experiment_moved_to_another_folder_is_the_same_recipe(original, start, toy, tmp_path):
    import json

    _, whole = original
    file = toy.experiment(tmp_path / "moved") if (tmp_path / "moved").mkdir() is None else None
    status, job = start(file, tmp_path / "run")
    assert status == 0, job.said()
    assert toy.results(tmp_path / "run") == toy.results(whole)
    recipes = {
        json.loads((f / "manifest.json").read_text())["recipe_id"]
        for f in (tmp_path / "run", whole)
    }
    assert len(recipes) == 1


CLASSES = "torchmetrics.classification.Multiclass"
SCORES = {"right": "Accuracy", "area": "AUROC", "sure": "Recall"}
EVERYTHING = {
    "callbacks": {"ema": {"_target_": "science.core.callbacks.ema.EMA", "decay": 0.9}},
    "trainer": {
        "_target_": "lightning.Trainer",
        "accelerator": "cpu",
        "devices": 1,
        "max_epochs": 3,
        "deterministic": True,
        "accumulate_grad_batches": 2,
        "check_val_every_n_epoch": 2,
    },
    "task": {
        "_target_": "science.core.supervised.SupervisedTask",
        "loss": {"_target_": "torch.nn.CrossEntropyLoss"},
        "optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.01},
        "schedule": {"_target_": "science.core.schedule.WarmupCosine", "warmup": 0.2},
        "metrics": {
            "_target_": "torchmetrics.collections.MetricCollection",
            "metrics": {
                name: {"_target_": f"{CLASSES}{kind}", "num_classes": 2}
                for name, kind in SCORES.items()
            },
        },
    },
}


def test_averages_metrics_and_halves_of_gradients_survive_too(start, toy, tmp_path):
    """What is added up over an epoch or over batches is where a resumed run betrays itself."""
    file = toy.experiment(tmp_path, **EVERYTHING)
    status, job = start(file, tmp_path / "whole")
    assert status == 0, job.said()
    assert "train/area" in (tmp_path / "whole/history.csv").read_text()
    for step in (3, 6, 7, 11):
        out = tmp_path / f"killed-{step}"
        status, job = start(file, out, f"batch:{step}")
        assert status == -9, job.said()
        status, job = start(file, out)
        assert status == 0, job.said()
        assert toy.results(out) == toy.results(tmp_path / "whole"), step
