"""Evaluate on a moving average of the weights."""

from __future__ import annotations

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class EMA(WeightAveraging):
    """Exponential moving average whose memory grows with training, up to ``decay``.

    Lightning's own average has no warm-up, so that after a short run it still remembers the random
    start. Here the n-th update keeps ``min(decay, (1 + n) / (10 + n))`` of the average.
    """

    def __init__(self, decay: float = 0.999) -> None:
        def average(mean: Tensor, new: Tensor, updates: Tensor | int) -> Tensor:
            n = float(updates)
            return torch.lerp(new, mean, min(decay, (1 + n) / (10 + n)))

        super().__init__(use_buffers=False, avg_fn=average)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Leave the average in the network.

        Lightning does so when training ends, but a run that was killed after its last epoch has no
        training left to end.
        """
        self._copy_average_to_current(pl_module)
