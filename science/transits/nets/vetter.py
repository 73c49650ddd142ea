"""Our vetting network: small convolutions on folded views, and every number that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.nn.numeric import NumericEmbedding
from science.core.nn.tower import ConvTower

GLOBAL = "global_view"


class Vetter(nn.Module):
    """Score an event from its folded views and from families of numbers.

    The global view has a tower of its own; every other view is ``local`` in scale (the event, the
    secondary, odd and even events) and they share one, so that a dip looks alike wherever it is
    (ExoMiner, Valizadegan et al. 2022, keeps one branch each). What is absent (``nan``) counts for
    nothing and is flagged. A transit's folded shape does not know the direction of time, nor does
    this network: it is trained on random reversals and scores the mean of both.

    Args:
        views: names of the inputs of shape (batch, bins).
        numbers: name -> column count of the inputs of shape (batch, columns).
        channels: of the towers' stages.
        width: of each family's embedding.
        classes: number of classes.
        noise: standard deviation of the noise added to views in training [depths].
        hidden: share of single numbers hidden in training.
        absent: share of samples from which a whole family of numbers is hidden in training.
        dropout: in the head.
    """

    def __init__(
        self,
        views: Sequence[str] = (GLOBAL, "local_view"),
        numbers: Mapping[str, int] | None = None,
        channels: Sequence[int] = (12, 24, 48),
        width: int = 64,
        classes: int = 3,
        noise: float = 0.03,
        hidden: float = 0.1,
        absent: float = 0.1,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.views, self.numbers = tuple(views), dict(numbers or {})
        self.noise, self.absent = noise, absent
        self.towers = nn.ModuleDict({k: ConvTower(1, channels) for k in self._scales()})
        self.embed = nn.ModuleDict(
            {name: NumericEmbedding(size, width, hidden) for name, size in self.numbers.items()}
        )
        size = len(self.views) * (2 * channels[-1] + 1) + len(self.numbers) * width
        self.head = nn.Sequential(
            nn.Linear(size, 128),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(128, 64),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(64, classes),
        )

    def adapt(self, inputs: Mapping[str, NDArray[np.float32]]) -> None:
        """Fit the number embeddings' bins to training data."""
        for name, embedding in self.embed.items():
            embedding.adapt(inputs[name])  # type: ignore[operator]

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Class logits (batch, classes)."""
        views = {name: inputs[name] for name in self.views}
        numbers = (
            torch.cat([self._family(n, inputs[n]) for n in self.embed], 1) if self.embed else None
        )
        if self.training:
            return self._logits(self._jittered(views), numbers)
        mirrored = {name: view.flip(-1) for name, view in views.items()}
        return 0.5 * (self._logits(views, numbers) + self._logits(mirrored, numbers))

    def _scales(self) -> list[str]:
        return sorted({_scale(name) for name in self.views})

    def _family(self, name: str, values: Tensor) -> Tensor:
        if self.training and self.absent > 0:
            gone = torch.rand(len(values), 1, device=values.device) < self.absent
            values = values.masked_fill(gone, float("nan"))
        embedded: Tensor = self.embed[name](values)
        return embedded

    def _jittered(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if not views:
            return {}
        first = next(iter(views.values()))
        turn = torch.rand(len(first), 1, device=first.device) < 0.5
        turned = {name: torch.where(turn, v.flip(-1), v) for name, v in views.items()}
        return {name: v + self.noise * torch.randn_like(v) for name, v in turned.items()}

    def _logits(self, views: Mapping[str, Tensor], numbers: Tensor | None) -> Tensor:
        parts = [self._seen(name, view) for name, view in views.items()]
        logits: Tensor = self.head(
            torch.cat(parts if numbers is None else [*parts, numbers], dim=1)
        )
        return logits

    def _seen(self, name: str, view: Tensor) -> Tensor:
        there = torch.isfinite(view).all(-1, keepdim=True)
        features = self.towers[_scale(name)](torch.where(there, view, 0.0)[:, None])
        return torch.cat([features * there, there.to(features.dtype)], dim=1)


def _scale(view: str) -> str:
    return "whole" if view == GLOBAL else "event"
