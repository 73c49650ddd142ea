"""The training loop of lessons: any `Task`, short enough to be read in class.

It does what a Lightning trainer does with the same task, less what long trainings need
(checkpoints, devices, records); experiments use `science.core.recipe`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.seeds import derive, generator
from science.core.task import Task


def fit(
    task: Task,
    batch: Callable[[Tensor], Any],
    rows: int,
    steps: int,
    size: int = 64,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Train ``task`` for ``steps`` batches and return the loss of each step.

    Args:
        task: its net is trained in place and left in evaluation mode.
        batch: from row numbers to what ``task.step`` takes.
        rows: how many there are to draw from; every pass is in a new order.
        steps: batches.
        size: rows in a batch.
        seed: of the order and of whatever is random in the task.
    """
    learning = [p for p in task.parameters() if p.requires_grad]
    optimizer = task.make_optimizer(learning)
    schedule = task.make_schedule(optimizer, steps) if task.make_schedule else None
    order, losses = generator(seed, "order"), []
    queue = torch.empty(0, dtype=torch.long)
    task.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "fit"))
        for _ in range(steps):
            if len(queue) < size:
                queue = torch.cat([queue, torch.randperm(rows, generator=order)])
            taken, queue = queue[:size], queue[size:]
            loss = task.step(batch(taken)).loss
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learning, 1.0)
            optimizer.step()
            if schedule is not None:
                schedule.step()
            losses.append(float(loss.detach()))
    task.eval()
    return np.array(losses)


def seeded(make: Callable[[], nn.Module], seed: int, *names: str | int) -> nn.Module:
    """A net whose first weights follow from ``seed`` and ``names`` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, *names))
        return make()


def size_of(net: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)
