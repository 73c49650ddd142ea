"""Learn a target from an input, where some of the target may be missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from science.core.task import Step, Task

Loss = Callable[[Tensor, Tensor], Tensor]


class Labelled(NamedTuple):
    """One batch of inputs and what the net should say of them.

    Attributes:
        inputs: whatever the net takes: a tensor or a mapping of tensors, batch first.
        target: (batch, ...).
        weight: broadcastable to the elementwise loss; 0 hides an entry, ``None`` counts all alike.
        index: (batch,) row of each sample in its dataset, for predictions and records.
    """

    inputs: Any
    target: Tensor
    weight: Tensor | None = None
    index: Tensor | None = None  # type: ignore[assignment]  # a batch is not searched


class SupervisedTask(Task):
    """Minimise the weighted mean of an elementwise ``loss(prediction, target)``.

    Args:
        net: maps ``Labelled.inputs`` to a prediction (batch, ...).
        loss: one value per entry of the target (``reduction="none"``).
        **how: optimiser, schedule and metrics; see `Task`.
    """

    def __init__(self, net: nn.Module, loss: Loss, **how: Any) -> None:
        super().__init__(net, **how)
        self.loss = loss

    def forward(self, inputs: Any) -> Tensor:
        """The net's prediction."""
        prediction: Tensor = self.net(inputs)
        return prediction

    def step(self, batch: Labelled) -> Step:
        """Weighted mean loss over the entries that are not hidden."""
        prediction, target = self(batch.inputs), batch.target
        if batch.weight is None:
            loss = self.loss(prediction, target).mean()
            return Step(loss, len(target), scored=(prediction, target))
        # A hidden nan would reach the weights after all: its gradient is 0 times nan.
        each = self.loss(prediction, torch.where(target.isnan(), 0, target))
        weight = batch.weight.expand_as(each)
        kept = weight > 0
        loss = (each * weight)[kept].sum() / weight.sum().clamp(min=1e-12)
        if target.is_floating_point() and target[kept].isnan().any():
            loss = loss * torch.nan  # a nan that counts is a mistake, and must not pass for 0
        if (
            prediction.shape != kept.shape
        ):  # classes of each entry: which metric, only a domain knows
            return Step(loss, len(target))
        return Step(loss, len(target), scored=(prediction[kept], target[kept]))

    def predict_step(self, batch: Labelled, index: int) -> Tensor:  # noqa: ARG002
        """The net's prediction for one batch."""
        prediction: Tensor = self(batch.inputs)
        return prediction
