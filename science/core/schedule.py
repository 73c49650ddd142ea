"""Learning-rate schedules that need to know only how many steps there are."""

from __future__ import annotations

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler


class WarmupCosine:
    """Rise linearly from a tenth of the optimiser's rate, then fall along a cosine to zero.

    Args:
        warmup: share of all steps spent rising.
    """

    def __init__(self, warmup: float = 0.2) -> None:
        self.warmup = warmup

    def __call__(self, optimizer: Optimizer, steps: int) -> LRScheduler:
        """The schedule for a training of ``steps`` steps."""
        rise = max(1, round(self.warmup * steps))

        def scale(step: int) -> float:
            if step < rise:
                return 0.1 + 0.9 * step / rise
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1, steps - rise))))

        return LambdaLR(optimizer, scale)
