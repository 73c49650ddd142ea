"""Multi-head attention over the last but one axis, whatever lies before it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

Rotate = Callable[[Tensor], Tensor]


class Projections(nn.Module):
    """Queries, keys and values of every head, and the way back: what all attention shares.

    Separate layers by name, so that adapters can be laid on some of them.

    Args:
        width: features of a place.
        heads: each sees ``width // heads`` of them.
        source: features of the places attended to, if they are of another kind.
    """

    def __init__(self, width: int, heads: int, source: int | None = None) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is no multiple of {heads} heads")
        self.heads, self.size = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(source or width, width)
        self.value = nn.Linear(source or width, width)
        self.out = nn.Linear(width, width)
        self.prefix: nn.Module | None = None  # further keys and values; see `core.nn.prefix`

    def split(self, x: Tensor) -> Tensor:
        """(..., places, width) -> (..., heads, places, size)."""
        return x.view(*x.shape[:-1], self.heads, self.size).transpose(-2, -3)

    def join(self, x: Tensor) -> Tensor:
        """(..., heads, places, size) -> (..., places, width), through the last layer."""
        joined: Tensor = self.out(x.transpose(-2, -3).flatten(-2))
        return joined

    def project(
        self, x: Tensor, source: Tensor, rotary: Rotate | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (..., heads, places, size).

        Args:
            x: (..., places, width) what asks.
            source: (..., others, width of the source) what is asked.
            rotary: turns queries and keys by their place; see `core.nn.positions`.
        """
        query, key = self.split(self.query(x)), self.split(self.key(source))
        if rotary is not None:
            query, key = rotary(query), rotary(key)
        return query, key, self.split(self.value(source))

    def extended(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values with those of the prefix, if there is one, before them."""
        if self.prefix is None:
            return key, value
        both: tuple[Tensor, Tensor] = self.prefix(key, value)
        return both

    def widened(self, mask: Tensor) -> Tensor:
        """A mask or bias (..., others) with neutral room for the prefix."""
        if self.prefix is None:
            return mask
        extra = len(self.prefix)  # type: ignore[arg-type]
        return pad(mask, (extra, 0), value=0.0 if mask.is_floating_point() else True)


class Attention(Projections):
    """Scaled dot-product attention with several heads (Vaswani et al. 2017, arXiv 1706.03762).

    Args:
        width: features of a place.
        heads: each sees ``width // heads`` of them.
        source: features of the places attended to, if not those of ``x`` itself.
        dropout: share of the attention weights dropped in training.
    """

    def __init__(
        self, width: int, heads: int, source: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__(width, heads, source)
        self.dropout = dropout

    def forward(
        self,
        x: Tensor,
        source: Tensor | None = None,
        real: Tensor | None = None,
        bias: Tensor | None = None,
        rotary: Rotate | None = None,
    ) -> Tensor:
        """(..., places, width) -> (..., places, width).

        Args:
            x: what asks, and what is asked unless ``source`` is given.
            source: (..., others, width of the source).
            real: (..., others) False hides a place; where all are hidden the heads return 0.
            bias: added to the logits, broadcastable to (..., heads, places, others).
            rotary: turns queries and keys by their place.
        """
        query, key, value = self.project(x, x if source is None else source, rotary)
        key, value = self.extended(key, value)
        mask = None if bias is None else self.widened(bias)
        if real is not None:
            shown = self.widened(real)[..., None, None, :]
            mask = shown if mask is None else mask.masked_fill(~shown, float("-inf"))
        dropout = self.dropout if self.training else 0.0
        made = scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        if real is not None and self.prefix is None:
            made = made.masked_fill(~real.any(-1)[..., None, None, None], 0.0)
        return self.join(made)
