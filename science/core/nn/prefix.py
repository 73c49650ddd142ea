"""Learned keys and values that every query sees besides its own (prefix tuning).

Li and Liang 2021, arXiv 2101.00190, without their re-parametrisation.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from science.core.nn.adapters import freeze
from science.core.nn.attention import Projections


class Prefix(nn.Module):
    """``count`` keys and values for each head.

    Args:
        heads: of the attention it belongs to.
        count: places that it adds.
        size: features of one head.
        spread: of the first keys; the first values are 0.
    """

    def __init__(self, heads: int, count: int, size: int, spread: float = 0.1) -> None:
        super().__init__()
        self.key = nn.Parameter(spread * torch.randn(heads, count, size))
        self.value = nn.Parameter(torch.zeros(heads, count, size))

    def __len__(self) -> int:
        return self.key.shape[1]

    def forward(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put the prefix before keys and values (..., heads, places, size)."""
        own = (t.expand(*key.shape[:-3], *t.shape) for t in (self.key, self.value))
        first_key, first_value = own
        return torch.cat([first_key, key], -2), torch.cat([first_value, value], -2)


def inject(net: nn.Module, layers: str, count: int = 8, keep: str = "") -> list[str]:
    """Freeze ``net`` and give a prefix to each attention whose whole name matches ``layers``.

    Args:
        net: changed in place.
        layers: regular expression for dotted names of attentions.
        count: places that each prefix adds.
        keep: regular expression for parameters that stay trainable.

    Returns:
        Names of the attentions.

    Raises:
        ValueError: no attention has such a name.
    """
    attentions = {n: m for n, m in net.named_modules() if isinstance(m, Projections)}
    chosen = [name for name in attentions if re.fullmatch(layers, name)]
    if not chosen:
        raise ValueError(f"no attention matches {layers!r}; there are {sorted(attentions)[:6]}")
    freeze(net, keep)
    for name in chosen:
        layer = attentions[name]
        layer.prefix = Prefix(layer.heads, count, layer.size)
    return chosen
