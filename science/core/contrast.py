"""Learn which two things belong together, from pairs alone (contrast in the manner of CLIP)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from science.core.task import Step, Task

_HOTTEST = 100.0  # largest inverse temperature, as in CLIP; beyond it training turns unstable


class Pairs(NamedTuple):
    """Two views of the same samples, whatever each tower takes, batch first."""

    left: Any
    right: Any


class Towers(nn.Module):
    """Two networks that map two kinds of things to directions in one space.

    Args:
        left: maps its kind to (batch, size).
        right: maps the other kind to (batch, size).
        temperature: what similarities are divided by at first; learned.
    """

    def __init__(self, left: nn.Module, right: nn.Module, temperature: float = 0.07) -> None:
        super().__init__()
        self.left, self.right = left, right
        self.sharpness = nn.Parameter(torch.tensor(-math.log(temperature)))

    def forward(self, pairs: Pairs) -> Tensor:
        """(batch, batch) logits: how well each left thing fits each right one."""
        ours, theirs = self.embed(pairs)
        scale = self.sharpness.exp().clamp(max=_HOTTEST)
        logits: Tensor = scale * ours @ theirs.T
        return logits

    def embed(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Directions (batch, size) of length 1 of both sides."""
        return normalize(self.left(pairs.left), dim=-1), normalize(self.right(pairs.right), dim=-1)


class ContrastTask(Task):
    """Pick each thing's twin out of the batch, in both directions (Radford et al. 2021, CLIP).

    The loss is the mean cross-entropy over rows and over columns of the matrix of similarities
    (arXiv 2103.00020); a batch of n is a choice among n.

    Args:
        net: `Towers`.
        **how: optimiser, schedule and metrics; see `Task`.
    """

    def __init__(self, net: nn.Module, **how: Any) -> None:
        super().__init__(net, **how)

    def step(self, batch: Pairs) -> Step:
        """The loss, and the share of twins that are picked first."""
        logits: Tensor = self.net(batch)
        own = torch.arange(len(logits), device=logits.device)
        loss = (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2
        found = (logits.argmax(1) == own).float().mean()
        return Step(loss, len(logits), {"found": found})


def ranks(similarity: Tensor) -> NDArray[np.int64]:
    """(n,) place of each row's twin among the columns, 1 the best; ties count half, rounded up.

    Args:
        similarity: (n, n), the twin of row i in column i.
    """
    own = similarity.diagonal()[:, None]
    above, tied = (similarity > own).sum(1), (similarity == own).sum(1) - 1
    place: NDArray[np.int64] = (1 + above + (tied + 1) // 2).numpy()
    return place
