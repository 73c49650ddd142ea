"""An experiment that trains in half a second: numbers in a file, three classes, a small net."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[2]


def write_data(folder, count=64, seed=3):
    """A card and its file: what a user's own data looks like."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count)
    numbers = rng.normal(0, 1, (count, 6))
    numbers[:, 0] += label
    rows = np.column_stack([label, numbers]).astype(np.float64)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "rows.npy", rows)
    card = {
        "name": "toy/rows",
        "title": "Rows",
        "description": "Made up.",
        "licence": "CC0-1.0",
        "table": "science.core.data.read_table",
        "files": [{"name": "rows.npy", "path": "rows.npy"}],
    }
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    return folder / "card.yaml"


def table(card, **_):
    """What stands in for a domain's reader."""
    from science.core.datasets import fetch
    from science.core.table import Table

    rows = np.load(fetch(card, "rows.npy"), allow_pickle=False)
    count = len(rows)
    order = np.random.default_rng(0).permutation(count) / count
    return Table(
        inputs={"own": rows[:, 1:].astype(np.float32)},
        label=rows[:, 0].astype(np.int64),
        classes=("no", "yes"),
        id=np.array([f"row-{i:03d}" for i in range(count)]),
        group=np.arange(count),
        split=np.where(order < 0.5, "train", np.where(order < 0.75, "val", "test")),
        positive="yes",
    )


def sections(card, **change):
    return {
        "title": "Toy",
        "question": "Does it repeat?",
        "seed": 0,
        "data": {"_target_": "science.core.data.CardData", "card": str(card), "batch_size": 8},
        "net": {"_target_": "toynet.ToyNet"},
        "task": {
            "_target_": "science.core.supervised.SupervisedTask",
            "loss": {"_target_": "torch.nn.CrossEntropyLoss"},
            "optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.01},
        },
        "trainer": {
            "_target_": "lightning.Trainer",
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": 3,
            "deterministic": True,
        },
        "record": {"_target_": "science.core.callbacks.record.Record", "save_every": 1},
        "evaluation": {"_target_": "science.core.evaluation.Binary", "resamples": 10},
        **change,
    }


def experiment(folder, **change):
    card = write_data(folder / "data")
    file = folder / "experiment.yaml"
    file.write_text(yaml.safe_dump(sections(card, **change), sort_keys=False))
    return file


REPEATED = ("metrics.json", "predictions.csv", "history.csv", "calibration.json")


def results(folder):
    """SHA-256 of everything that has to be the same whenever a run is repeated."""
    files = [folder / n for n in REPEATED]
    files += [*sorted((folder / "weights").iterdir()), *sorted((folder / "trace").iterdir())]
    return {
        f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files
    }


def stand_in():
    """Let configs name the toy net, and the toy reader read every card."""
    sys.path.insert(0, str(Path(__file__).parent))
    from science.core import allow, data

    allow.PACKAGES = (*allow.PACKAGES, allow.Package("toynet"))
    data.read_table = table
    from science.core.rerun.proof.lean import lean

    lean()


def die_at(when):
    """Kill this process with no warning at the n-th training batch or checkpoint write."""
    kind, _, number = when.partition(":")
    seen = [0]

    def die(*_):
        seen[0] += 1
        if seen[0] == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    if kind == "batch":
        from science.core.callbacks.history import Progress

        Progress.on_train_batch_end = die
    elif kind == "write":  # in the middle of a file's bytes
        import torch

        save = torch.save

        def torn(value, path):
            save(value, path)
            size = Path(path).stat().st_size
            with Path(path).open("rb+") as file:
                file.truncate(size // 2)
            die()
            save(value, path)

        torch.save = torn
    elif kind == "between":  # the checkpoint has its name, its digest is not written
        from science.core.callbacks import checkpoint

        write = checkpoint.write_text
        checkpoint.write_text = lambda *a: (die(), write(*a))


def main(file, out, when="never", *overrides):
    stand_in()
    die_at(when)
    from science.core.run import run

    run(file, overrides, out=Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
