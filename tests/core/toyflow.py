"""A flow that trains in a second: rings of two to four beads, evenly spaced, and their size."""

from __future__ import annotations

import math
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import nn

from science.core import allow, data
from science.core.flow import sample
from science.core.learned import note
from science.core.samples import Samples
from science.core.seeds import derive, generator

CARD = "transits/simulated"  # any card without files: the toy stands in for what it would read


def rings(card=CARD, count=90, seed=0, **_):
    rng = np.random.default_rng(seed)
    size = rng.integers(2, 5, count)
    real = np.arange(4) < size[:, None]
    place = (rng.random((count, 1)) + np.arange(4) / size[:, None]) % 1
    scale = (3.0 + 0.5 * size + rng.normal(0, 0.1, count))[:, None]
    return Samples(
        inputs={
            "place": np.where(real, place, 0)[..., None].astype(np.float32),
            "scale": scale.astype(np.float32),
        },
        id=np.array([f"ring-{i}" for i in range(count)]),
        group=np.arange(count),
        split=np.where(np.arange(count) % 5 == 0, "test", "train").astype(str),
        size=size,
        ragged=("place",),
    )


class Net(nn.Module):
    """Sees where the other beads are, and how many."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.register_buffer("middle", torch.zeros(1))
        self.register_buffer("spread", torch.ones(1))
        self.place = nn.Sequential(nn.Linear(5, width), nn.SiLU(), nn.Linear(width, 1))
        self.scale = nn.Sequential(nn.Linear(3, width), nn.SiLU(), nn.Linear(width, 1))

    def adapt(self, inputs):
        self.middle.fill_(float(inputs["scale"].mean()))
        self.spread.fill_(float(inputs["scale"].std()))

    def encode(self, batch):
        return {"place": batch["place"], "scale": (batch["scale"] - self.middle) / self.spread}

    def decode(self, state, batch):
        return {"place": state["place"], "scale": state["scale"] * self.spread + self.middle}

    def forward(self, state, time, batch):
        mask = batch["mask"][..., None]
        count = mask.sum(1)
        turn = 2 * math.pi * (state["place"] - state["place"].transpose(1, 2))
        near = torch.stack([turn.sin(), turn.cos(), (2 * turn).sin()], -1)
        near = (near * mask[:, None]).sum(2) / count[:, None]
        clock = time[:, None, None].expand(*near.shape[:2], 1)
        shared = count[:, None].expand(*near.shape[:2], 1)
        place = self.place(torch.cat([near, clock, shared], -1))
        scale = self.scale(torch.cat([state["scale"], time[:, None], count], -1))
        return {"place": place, "scale": scale}


@dataclass(frozen=True)
class Making:
    """Train one network and draw a ring of the size of each that was left out."""

    steps: int = 5

    def measure(self, recipe):
        from science.core.config import build

        samples = recipe.data.samples
        learn, judge = samples.where("train"), samples.where("test")
        net = recipe.train("maker", recipe.data.fold(learn, judge, derive(recipe.seed, "fold")))
        note(recipe, ["maker"], [(learn, judge)], judge)
        fields = {n: build(f) for n, f in recipe.config["task"]["fields"].items()}
        made = draw(net, fields, samples.take(judge), self.steps, recipe.seed)
        values = {"scale": {"value": float(made.mean()), "low": None, "high": None, "n": len(made)}}
        return {"rows": [{"model": "this run", "metrics": values, "note": ""}], "goals": {}}


def draw(net, fields, wanted, steps=5, seed=0):
    from science.core.samples import SampleRows

    batch = SampleRows(wanted).__getitems__(list(range(len(wanted))))
    return sample(net, fields, batch, steps, generator=generator(seed, "draw"))["scale"]


def experiment(folder: Path, **change) -> Path:
    """An experiment file; ``change`` replaces whole sections."""
    fields = {
        "place": {"_target_": "science.core.fields.Torus", "weight": 10.0},
        "scale": {"_target_": "science.core.fields.Euclidean"},
    }
    sections = {
        "defaults": ["base", {"task": "flow"}, "_self_"],
        "title": "Rings",
        "question": "Do flows repeat?",
        "data": {"_target_": "science.core.data.CardData", "card": CARD, "pairs": 150},
        "net": {"_target_": "toyflow.Net"},
        "task": {"fields": fields},
        "trainer": {"max_epochs": 3},
        "callbacks": {"ema": {"_target_": "science.core.callbacks.ema.EMA", "decay": 0.9}},
        "protocol": {"_target_": "toyflow.Making"},
        **change,
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "experiment.yaml"
    file.write_text(yaml.safe_dump(sections, sort_keys=False))
    return file


def results(folder: Path) -> dict[str, bytes]:
    """The bytes of everything that has to be the same whenever a run is repeated."""
    names = ["metrics.json", "history.csv", "learned.json", "members.json"]
    files = [folder / name for name in names] + sorted((folder / "weights").iterdir())
    return {file.name: file.read_bytes() for file in files}


def main(experiment_file: str, out: str, batches: str) -> None:
    """Run in a process of its own and die without a warning at a batch."""
    from science.core.callbacks.history import Progress
    from science.core.run import run

    torch.set_num_threads(1)
    data.read_table = rings
    allow.PACKAGES = (*allow.PACKAGES, allow.Package("toyflow"))
    seen = [0]

    def die(*_):
        seen[0] += 1
        if seen[0] == int(batches):
            os.kill(os.getpid(), signal.SIGKILL)

    Progress.on_train_batch_end = die
    run(experiment_file, out=Path(out))


if __name__ == "__main__":
    import toyflow  # by the name that configs know it by

    toyflow.main(*sys.argv[1:])
