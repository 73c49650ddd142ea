"""A network and how it learns: the part that every kind of learning shares.

Four kinds derive from `Task`, and each says only what one batch teaches (`Task.step`):
supervised, masked, forecast and flow. Logging, metrics and optimisation live here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch
from lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import MetricCollection

Stage = Literal["train", "val", "test"]
MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
MakeSchedule = Callable[[Optimizer, int], LRScheduler]


@dataclass
class Step:
    """What one batch taught.

    Attributes:
        loss: scalar to minimise.
        size: samples in the batch, which weigh its share of the epoch's means.
        parts: named scalars that make up the loss, logged beside it.
        scored: what the metrics compare, usually ``(prediction, target)``.
    """

    loss: Tensor
    size: int
    parts: dict[str, Tensor] = field(default_factory=dict)
    scored: tuple[Any, ...] | None = None


class Task(LightningModule, ABC):
    """Train ``net`` on whatever ``step`` says.

    Logged names: ``{stage}/loss``, ``{stage}/{part}``, ``{stage}/{metric}``; a stage is train, val
    or test. Domain knowledge comes in as arguments (losses, metrics, manifolds), never by name.

    Args:
        net: the network; the only thing that a release keeps.
        optimizer: makes the optimiser from the parameters that need gradients.
        schedule: makes a per-step learning-rate schedule from the optimiser and the step count.
        metrics: torchmetrics scored on ``Step.scored``; each stage gets its own copy.
    """

    def __init__(
        self,
        net: nn.Module,
        optimizer: MakeOptimizer = torch.optim.AdamW,
        schedule: MakeSchedule | None = None,
        metrics: MetricCollection | None = None,
    ) -> None:
        super().__init__()
        self.net = net
        self.make_optimizer, self.make_schedule = optimizer, schedule
        empty = MetricCollection({}) if metrics is None else metrics
        stages: tuple[Stage, ...] = ("train", "val", "test")
        self.metrics = nn.ModuleDict({f"on_{s}": empty.clone(prefix=f"{s}/") for s in stages})

    @abstractmethod
    def step(self, batch: Any) -> Step:
        """What one batch teaches: the one thing a kind of task must say."""

    def training_step(self, batch: Any, index: int) -> Tensor:  # noqa: ARG002
        """Learn from one batch."""
        return self._learn(batch, "train").loss

    def validation_step(self, batch: Any, index: int) -> None:  # noqa: ARG002
        """Watch one batch of the validation split."""
        self._learn(batch, "val")

    def test_step(self, batch: Any, index: int) -> None:  # noqa: ARG002
        """Watch one batch of the test split."""
        self._learn(batch, "test")

    def configure_optimizers(self) -> Any:
        """Build the optimiser and, if there is one, its per-step schedule."""
        optimizer = self.make_optimizer([p for p in self.parameters() if p.requires_grad])
        if self.make_schedule is None:
            return optimizer
        schedule = self.make_schedule(optimizer, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _learn(self, batch: Any, stage: Stage) -> Step:
        step = self.step(batch)
        values = {f"{stage}/{k}": v.detach() for k, v in {"loss": step.loss, **step.parts}.items()}
        self.log_dict(values, batch_size=step.size, on_step=False, on_epoch=True, sync_dist=True)
        metrics = cast(MetricCollection, self.metrics[f"on_{stage}"])
        if step.scored is not None and len(metrics):
            metrics.update(*(s.detach() for s in step.scored))
            self.log_dict(metrics, batch_size=step.size, on_step=False, on_epoch=True)
        return step
