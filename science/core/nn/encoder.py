"""The plain Transformer encoder: attention and a feed-forward net, each added to what it reads."""

from __future__ import annotations

from torch import Tensor, nn

from science.core.nn.attention import Attention, Rotate
from science.core.nn.positions import Rotary


class Block(nn.Module):
    """One layer, normalised before each part (Xiong et al. 2020, arXiv 2002.04745).

    Args:
        width: features of a place.
        heads: of the attention.
        hidden: width inside the feed-forward net; four times the width unless given.
    """

    def __init__(self, width: int, heads: int, hidden: int | None = None) -> None:
        super().__init__()
        inner = hidden or 4 * width
        self.attend = Attention(width, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.feed = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))

    def forward(
        self,
        x: Tensor,
        real: Tensor | None = None,
        rotary: Rotate | None = None,
        bias: Tensor | None = None,
    ) -> Tensor:
        """(..., places, width) -> the same shape; see `Attention` for the rest."""
        x = x + self.attend(self.norms[0](x), real=real, rotary=rotary, bias=bias)
        made: Tensor = x + self.feed(self.norms[1](x))
        return made


class Encoder(nn.Module):
    """A stack of blocks that know places by `Rotary` turns.

    Args:
        width: features of a place.
        heads: of each attention; ``width / heads`` must be even.
        layers: blocks.
        placed: whether order matters to it; without it a set is read.
    """

    def __init__(self, width: int, heads: int, layers: int, placed: bool = True) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.rotary = Rotary(width // heads) if placed else None

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """(..., places, width) -> the same shape."""
        for block in self.blocks:
            x = block(x, real=real, rotary=self.rotary)
        made: Tensor = self.norm(x)
        return made
