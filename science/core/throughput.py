"""How fast networks learn and predict, measured side by side on the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.config import build
from science.core.errors import UserError
from science.core.recipe import Recipe
from science.core.seeds import generator
from science.core.supervised import Labelled
from science.core.task import Task

Round = Callable[[], float]
Rates = NDArray[np.float64]


def rates(rounds: Mapping[str, Round], count: int) -> dict[str, Rates]:
    """Units of work per CPU-second of each, measured in turn: A B A B, never A A B B.

    A machine that slows down or is shared with others so slows all of them alike, and the ratio of
    two rates of the same turn means something. CPU time counts all threads of this process.

    Args:
        rounds: name -> does one round of work and returns how many units that was.
        count: turns, after one more that warms up and is not counted.
    """
    found: dict[str, list[float]] = {name: [] for name in rounds}
    for turn in range(count + 1):
        for name, work in rounds.items():
            started = time.process_time()
            units = work()
            spent = max(time.process_time() - started, 1e-9)
            if turn:
                found[name].append(units / spent)
    return {name: np.array(values) for name, values in found.items()}


def summary(values: Rates) -> dict[str, Any]:
    """Median and the span that holds 95 % of the turns, as ``metrics.json`` writes numbers."""
    low, high = np.percentile(values, [2.5, 97.5])
    return {
        "value": float(np.median(values)),
        "low": float(low),
        "high": float(high),
        "n": len(values),
    }


def training(task: Task, inputs: Mapping[str, Tensor], classes: int, steps: int) -> Round:
    """Rounds of ``steps`` training steps of ``task`` on one batch; a unit is a sample."""
    size = len(next(iter(inputs.values())))
    batch = Labelled(dict(inputs), torch.arange(size) % classes)
    optimizer = task.make_optimizer([p for p in task.parameters() if p.requires_grad])
    return learning(task, batch, optimizer, steps, size)


def learning(
    task: Task, batch: Any, optimizer: torch.optim.Optimizer, steps: int, size: int = 1
) -> Round:
    """Rounds of ``steps`` training steps of ``task`` on one batch of ``size`` units."""
    task.train()

    def work() -> float:
        for _ in range(steps):
            loss = task.step(batch).loss
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return float(steps * size)

    return work


def inference(net: nn.Module, inputs: Mapping[str, Tensor], steps: int) -> Round:
    """Rounds of ``steps`` predictions of one batch; a unit is a sample."""
    net.eval()

    def work() -> float:
        with torch.inference_mode():
            for _ in range(steps):
                net(dict(inputs))
        return float(steps * len(next(iter(inputs.values()))))

    return work


def noise(shapes: Mapping[str, Sequence[int]], size: int, seed: int = 0) -> dict[str, Tensor]:
    """A batch of standard normal inputs; speed does not depend on what they say."""
    return {
        name: torch.randn(size, *shape, generator=generator(seed, "noise", name))
        for name, shape in shapes.items()
    }


class Throughput:
    """A protocol that trains nothing to the end: it measures how fast the experiment's net learns.

    Every net takes the same optimiser steps of the experiment's task on batches of the same size,
    in turns. The first of ``against`` is the one that the headline ratio is about.

    Args:
        against: name -> ``{net: node, shapes: {input: shape of one sample}}``.
        goal: ratio of our rate to the first one's that is aimed at.
        batch_size: samples in a batch.
        steps: optimiser steps in a turn.
        rounds: turns.
    """

    def __init__(
        self,
        against: Mapping[str, Mapping[str, Any]],
        goal: float = 10.0,
        batch_size: int = 64,
        steps: int = 2,
        rounds: int = 7,
    ) -> None:
        for name, rival in against.items():
            if set(rival) != {"net", "shapes"}:
                raise UserError(f"against.{name}: has {sorted(rival)}", "give it net and shapes")
        if not against:
            raise UserError("against: nobody to compare with", "name a net and its shapes")
        self.against, self.goal = against, goal
        self.batch_size, self.steps, self.rounds = batch_size, steps, rounds

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rates of all nets as rows of ``metrics.json``; the first row is the experiment's net."""
        table = recipe.data.table
        shapes = {name: array.shape[1:] for name, array in table.inputs.items()}
        rivals = {
            n: (_net(r["net"]), noise(r["shapes"], self.batch_size))
            for n, r in self.against.items()
        }
        ours = "this run"
        nets = {ours: (_net(recipe.config["net"]), noise(shapes, self.batch_size)), **rivals}
        rounds = {
            name: training(
                build(recipe.config["task"], net=net), inputs, len(table.classes), self.steps
            )
            for name, (net, inputs) in nets.items()
        }
        found = rates(rounds, self.rounds)
        rows = [
            {"model": name, "metrics": {"samples_per_cpu_s": summary(found[name])}, "note": note}
            for name, note in self._notes(found, ours).items()
        ]
        first = next(iter(self.against))
        rows[0]["metrics"]["speedup"] = summary(found[ours] / found[first])  # type: ignore[index]
        goal = {"goal": self.goal, "published": None, "source": f"in the same run, over {first}"}
        turns = f"Median and spread of {self.rounds} interleaved turns of {self.steps} steps"
        note = f"{turns} with {self.batch_size} samples each; CPU time of all threads."
        return {"rows": rows, "goals": {"speedup": goal}, "notes": [note]}

    def _notes(self, found: Mapping[str, Rates], ours: str) -> dict[str, str]:
        notes = {ours: f"times faster: over {next(iter(self.against))}"}
        for name in self.against:
            ratio = summary(found[ours] / found[name])
            low, high = ratio["low"], ratio["high"]
            notes[name] = (
                f"this run's net is {ratio['value']:.1f} [{low:.1f}, {high:.1f}] times as fast"
            )
        return notes


def _net(node: Any) -> nn.Module:
    """A net from its node, or one that the config has built already."""
    made: nn.Module = node if isinstance(node, nn.Module) else build(node)
    return made
