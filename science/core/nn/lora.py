"""Low-rank adaptation of linear layers (Hu et al. 2021, LoRA, arXiv 2106.09685)."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from science.core.nn.adapters import freeze


class LoRALinear(nn.Module):
    """A linear layer that is left alone, and a correction of low rank to its weight.

    ``y = x W' + b`` with ``W = W0 + (alpha / rank) up down``; ``up`` begins as 0, so that an
    adapter changes nothing until it has learned something.

    Args:
        base: the layer, used in place.
        rank: of the correction.
        alpha: its size; halving it halves what the adapter says.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        if not 1 <= rank <= min(base.in_features, base.out_features):
            raise ValueError(f"rank {rank} does not fit {base}")
        self.base, self.scale = base, alpha / rank
        like = base.weight
        self.down = nn.Parameter(like.new_empty(rank, base.in_features))
        self.up = nn.Parameter(like.new_zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))
        self.merged: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        if self.merged is not None:
            return linear(x, self.merged, self.base.bias)
        corrected: Tensor = self.base(x) + self.scale * linear(linear(x, self.down), self.up)
        return corrected

    @property
    def weight(self) -> Tensor:
        """The corrected weight (out, in)."""
        return self.base.weight + self.scale * (self.up @ self.down)


def inject(
    net: nn.Module, layers: str, rank: int = 4, alpha: float | None = None, keep: str = ""
) -> list[str]:
    """Freeze ``net`` and lay an adapter on each linear layer whose whole name matches ``layers``.

    Args:
        net: changed in place.
        layers: regular expression for dotted names, such as ``.*\\.(query|value)``.
        rank: of each correction.
        alpha: see `LoRALinear`; the rank unless given.
        keep: regular expression for parameters that stay trainable, a new head's for instance.

    Returns:
        Names of the adapted layers.

    Raises:
        ValueError: no linear layer has such a name.
    """
    linears = {n: m for n, m in net.named_modules() if isinstance(m, nn.Linear)}
    chosen = [name for name in linears if re.fullmatch(layers, name)]
    if not chosen:
        raise ValueError(f"no linear layer matches {layers!r}; there are {sorted(linears)[:6]} ...")
    freeze(net, keep)
    for name in chosen:
        _replace(net, name, LoRALinear(linears[name], rank, rank if alpha is None else alpha))
    return chosen


def adapted(net: nn.Module) -> dict[str, LoRALinear]:
    """The adapters of ``net`` by the name of the layer they sit on."""
    return {n: m for n, m in net.named_modules() if isinstance(m, LoRALinear)}


def merge(net: nn.Module) -> None:
    """Compute with corrected weights, as fast as without adapters; training needs `unmerge`."""
    with torch.no_grad():
        for layer in adapted(net).values():
            layer.merged = layer.weight.clone()


def unmerge(net: nn.Module) -> None:
    """Take the correction out again, exactly: the first weights were never changed."""
    for layer in adapted(net).values():
        layer.merged = None


def absorb(net: nn.Module) -> None:
    """Turn every adapted layer into a plain one with the corrected weight, for good."""
    for name, layer in adapted(net).items():
        plain = layer.base
        with torch.no_grad():
            plain.weight.copy_(layer.weight)
        _replace(net, name, plain)


def _replace(net: nn.Module, name: str, made: nn.Module) -> None:
    home, _, leaf = name.rpartition(".")
    setattr(net.get_submodule(home) if home else net, leaf, made)
