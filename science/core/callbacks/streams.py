"""Randomness that is a function of the step, not of the past."""

# ruff: noqa: ARG002 - Lightning calls hooks with more than each needs

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from science.core.seeds import derive


class Streams(Callback):
    """Set the global generators from ``(seed, step)`` before every batch; each batch is a step.

    Dropout, noise and augmentation draw from them, so a resumed run draws what an uninterrupted
    one would: no state of a generator outlives a step, and none has to be saved. Each process of
    a distributed run has a stream of its own.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed what this training step draws."""
        step = trainer.fit_loop.total_batch_idx
        reseed(derive(self.seed, "step", step, trainer.global_rank))

    def on_validation_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, *rest: Any
    ) -> None:
        """Seed what a validation step draws (masking does)."""
        reseed(derive(self.seed, "validation", batch_idx, trainer.global_rank))


def reseed(seed: int) -> None:
    """Set the global generators of torch, NumPy and Python: libraries draw from any of them."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global one is what others draw from
    random.seed(seed)
