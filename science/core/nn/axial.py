"""Attention along one axis of a grid at a time, and rows that share one map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from science.core.nn.attention import Attention, Projections, Rotate


def along_rows(attention: Attention, x: Tensor, real: Tensor | None = None) -> Tensor:
    """Let every place of ``x`` (batch, rows, columns, width) see those of its row."""
    made: Tensor = attention(x, real=real)
    return made


def along_columns(attention: Attention, x: Tensor, real: Tensor | None = None) -> Tensor:
    """Let every place of ``x`` (batch, rows, columns, width) see those of its column."""
    turned = None if real is None else real.transpose(1, 2)
    made: Tensor = attention(x.transpose(1, 2), real=turned)
    return made.transpose(1, 2)


class TiedRowAttention(Projections):
    """All rows agree on one map of which column sees which (Rao et al. 2021, MSA Transformer).

    The logits are those of the rows summed and divided by ``sqrt(rows * size)``, so that their
    spread does not grow with the number of rows; hidden places ask and answer nothing.

    Args:
        width: features of a place.
        heads: each sees ``width // heads`` of them.
        centred: take the mean over the rows from queries and keys. The logits are then covariances
            of two columns over the rows, of spread 1 or so where there is none.
    """

    def __init__(self, width: int, heads: int, centred: bool = False) -> None:
        super().__init__(width, heads)
        self.centred = centred

    def forward(
        self,
        x: Tensor,
        real: Tensor | None = None,
        bias: Tensor | None = None,
        rotary: Rotate | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(batch, rows, columns, width) -> the same shape, and the map they share.

        Args:
            x: features of every place.
            real: (batch, rows, columns) False hides a place.
            bias: added to the logits, broadcastable to (batch, heads, columns, columns).
            rotary: turns queries and keys by their column.

        Returns:
            New features, and attention weights (batch, heads, columns, columns), a prefix's first.
        """
        query, key, value = self.project(x, x, rotary)
        if self.centred:
            query, key = _centred(query, real), _centred(key, real)
        rows = torch.tensor(float(x.shape[1]), device=x.device)
        if real is not None:
            query, key, value = (t * real[:, :, None, :, None] for t in (query, key, value))
            rows = real.any(-1).sum(-1).clamp(min=1).to(query.dtype)[:, None, None, None]
        key, value = self.extended(key, value)
        scale = (rows * self.size) ** -0.5
        logits = _beside(query) @ _beside(key).transpose(-1, -2) * scale
        if bias is not None:
            logits = logits + self.widened(bias)
        if real is not None:
            shown = self.widened(real.any(1))[:, None, None]
            logits = logits.masked_fill(~shown, torch.finfo(logits.dtype).min)
        weights = logits.softmax(-1)
        made = weights @ _beside(value)
        made = made.view(*made.shape[:-1], x.shape[1], self.size).permute(0, 3, 1, 2, 4)
        return self.join(made), weights


def _centred(x: Tensor, real: Tensor | None) -> Tensor:
    """(batch, rows, heads, columns, size) less its mean over the rows that are real."""
    if real is None:
        return x - x.mean(1, keepdim=True)
    weight = real[:, :, None, :, None].to(x.dtype)
    return x - (x * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)


def _beside(x: Tensor) -> Tensor:
    """(batch, rows, heads, columns, size) -> (batch, heads, columns, rows * size)."""
    return x.permute(0, 2, 3, 1, 4).flatten(-2)


class AxialBlock(nn.Module):
    """Tied row attention, column attention and a feed-forward net, each added to what it reads.

    Args:
        width: features of a place.
        heads: of both attentions.
        hidden: width inside the feed-forward net.
        dropout: on what each of the three adds.
        centred: see `TiedRowAttention`.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, dropout: float = 0.0, centred: bool = False
    ) -> None:
        super().__init__()
        self.row = TiedRowAttention(width, heads, centred)
        self.column = Attention(width, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.feed = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.drop = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, real: Tensor | None = None, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(batch, rows, columns, width) -> the same shape, and the row attention's map."""
        added, weights = self.row(self.norms[0](x), real, bias)
        x = x + self.drop(added)
        x = x + self.drop(along_columns(self.column, self.norms[1](x), real))
        return x + self.drop(self.feed(self.norms[2](x))), weights
