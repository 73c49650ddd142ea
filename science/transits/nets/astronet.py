"""AstroNet, the network that found Kepler-90 i, as its paper and code describe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class AstroNet(nn.Module):
    """Two convolutional columns and four dense layers (Shallue & Vanderburg 2018, AJ 155, 94).

    Global column: 5 blocks of two convolutions (16 to 256 filters), pooling 5, stride 2. Local
    column: 2 blocks (16, 32), pooling 7, stride 2. Kernels 5; 4 dense layers of 512. Written anew
    for torch; one logit per class in place of the single sigmoid, which for two classes is the
    same model. The paper feeds 2001 and 201 bins; shorter views work and make a smaller network.

    Args:
        bins: name of each view -> its number of bins.
        classes: number of classes.
    """

    def __init__(self, bins: Mapping[str, int] | None = None, classes: int = 3) -> None:
        super().__init__()
        self.bins = dict(bins or {"global_view": 2001, "local_view": 201})
        self.columns = nn.ModuleDict({name: _column(name) for name in self.bins})
        with torch.random.fork_rng(devices=[]):
            size = sum(self._flat(n, torch.zeros(1, b)).shape[1] for n, b in self.bins.items())
        dense: list[nn.Module] = []
        for i in range(4):
            dense += [nn.Linear(size if i == 0 else 512, 512), nn.ReLU()]
        self.dense = nn.Sequential(*dense, nn.Linear(512, classes))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Class logits (batch, classes); in training, views are mirrored at random."""
        views = {name: inputs[name] for name in self.bins}
        if self.training:
            turn = torch.rand(len(next(iter(views.values()))), 1) < 0.5
            views = {n: torch.where(turn.to(v.device), v.flip(-1), v) for n, v in views.items()}
        logits: Tensor = self.dense(torch.cat([self._flat(n, v) for n, v in views.items()], dim=1))
        return logits

    def _flat(self, name: str, view: Tensor) -> Tensor:
        features: Tensor = self.columns[name](view[:, None])
        return features.flatten(1)


def _column(view: str) -> nn.Sequential:
    if view == "global_view":
        return _blocks((16, 32, 64, 128, 256), pool=5)
    return _blocks((16, 32), pool=7)


def _blocks(filters: Sequence[int], pool: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    size = 1
    for count in filters:
        layers += [nn.Conv1d(size, count, 5, padding=2), nn.ReLU()]
        layers += [nn.Conv1d(count, count, 5, padding=2), nn.ReLU(), nn.MaxPool1d(pool, 2)]
        size = count
    return nn.Sequential(*layers)
