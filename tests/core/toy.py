"""A problem that trains in a second: two classes of dips, some numbers, some of them missing."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import yaml

from science.core.table import Table

CARD = "transits/simulated"  # any card without files: the toy stands in for what it would read


def table(card=CARD, count=160, seed=3, **_):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, count)
    size = {"global_view": 24, "local_view": 16}
    views = {k: rng.normal(0, 0.5, (count, n)).astype(np.float32) for k, n in size.items()}
    views["local_view"][:, 6:10] -= (label == 0)[:, None]
    numbers = rng.normal(label[:, None] == 1, 1.0, (count, 4)).astype(np.float32)
    numbers[rng.random((count, 4)) < 0.1] = np.nan
    order = rng.permutation(count) / count
    return Table(
        inputs={**views, "own": numbers},
        label=label,
        classes=("PC", "AFP", "NTP"),
        id=np.array([f"toy-{i:04d}" for i in range(count)]),
        group=np.arange(count) // 2,
        split=np.where(order < 0.6, "train", np.where(order < 0.8, "val", "test")),
        positive="PC",
    )


def experiment(folder: Path, **change) -> Path:
    """An experiment file; ``change`` replaces whole sections."""
    sections = {
        "defaults": ["base", {"task": "classify"}, "_self_"],
        "title": "Toy",
        "question": "Do runs repeat?",
        "data": {"_target_": "science.core.data.CardData", "card": CARD, "batch_size": 32},
        "net": {
            "_target_": "science.transits.nets.vetter.Vetter",
            "numbers": {"own": 4},
            "channels": [4, 8],
            "width": 8,
        },
        "trainer": {"max_epochs": 3},
        "evaluation": {"_target_": "science.core.evaluation.Binary", "resamples": 20},
        **change,
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "experiment.yaml"
    file.write_text(yaml.safe_dump(sections, sort_keys=False))
    return file


def results(folder: Path) -> dict[str, bytes]:
    """The bytes of everything that has to be the same whenever a run is repeated."""
    names = ["metrics.json", "predictions.csv", "history.csv", "calibration.json", "learned.json"]
    files = [folder / name for name in names] + sorted((folder / "weights").iterdir())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def main(experiment_file: str, out: str, when: str, *overrides: str) -> None:
    """Run in a process of its own and die without a warning: at a batch, or after a file."""
    import torch

    from science.core import data
    from science.core.callbacks.history import Progress
    from science.core.recipe import Recipe
    from science.core.run import run

    torch.set_num_threads(1)
    data.read_table = table
    kind, _, number = when.partition(":")
    seen = [0]

    def die(*_):
        seen[0] += 1
        if seen[0] == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    if kind == "batch":
        Progress.on_train_batch_end = die
    elif kind == "trained":  # the last checkpoint is written, the weights are not
        note = Recipe._note
        Recipe._note = lambda self, *a: (die(), note(self, *a))
    run(experiment_file, overrides, out=Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
