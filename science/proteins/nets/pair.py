"""The contact network: a residual network over the map of residue pairs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from science.proteins.features import PAIR, SINGLE, STEP
from science.proteins.nets.distogram import BINS

DILATIONS = (1, 2, 4, 8)
_FACTORS = 16  # products of the two residues' numbers
_LEAST = 4  # residues that the norms need
_REACH = 64  # separations from here on are one


class Residual(nn.Module):
    """Two 3 x 3 convolutions, the first dilated, around which the map also passes unchanged."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.wide = nn.Conv2d(
            channels, channels, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.near = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first = nn.InstanceNorm2d(channels, affine=True)
        self.second = nn.InstanceNorm2d(channels, affine=True)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L, L) -> (B, C, L, L)."""
        inner = self.dropout(F.elu(self.first(self.wide(x))))
        return F.elu(x + self.second(self.near(inner)))


class Triangle(nn.Module):
    """What two residues have to do with each other by way of every third one.

    The multiplicative update of AlphaFold 2 (Jumper et al. 2021, Nature 596, 583, algorithm 11),
    once, since the map is symmetric. It costs less than a convolution.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.sides = nn.Conv2d(channels, 4 * hidden, 1)
        self.norm = nn.InstanceNorm2d(hidden, affine=True)
        self.out = nn.Conv2d(hidden, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L, L) -> (B, C, L, L)."""
        a, b, open_a, open_b = self.sides(x).chunk(4, 1)
        a, b = a * open_a.sigmoid(), b * open_b.sigmoid()
        met = a @ b.transpose(2, 3)
        update: Tensor = self.out(self.norm(met))
        return x + update


class Chain(nn.Module):
    """A profile along the sequence, read by convolutions that can tell helices from strands."""

    def __init__(self, channels: int, dilations: tuple[int, ...] = (1, 2, 4)) -> None:
        super().__init__()
        self.lift = nn.Conv1d(SINGLE, channels, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(channels, channels, 5, padding=2 * d, dilation=d) for d in dilations
        )

    def forward(self, single: Tensor) -> Tensor:
        """(B, L, SINGLE) -> (B, C, L)."""
        x = F.elu(self.lift(single.transpose(1, 2)))
        for layer in self.layers:
            x = x + F.elu(layer(x))
        return x


class PairNet(nn.Module):
    """From the features of an alignment to distances between residues.

    Most layers see the map at half its resolution, where a convolution reaches twice as far at a
    quarter of the cost; the last ones sharpen it again.

    Args:
        channels: of the full map.
        coarse: channels of the map at half resolution; 0 for none, all blocks at full then.
        blocks: residual blocks of the coarse map.
        fine: residual blocks of the full map, after them.
        triangles: a triangle update follows every so many blocks; 0 for none.
        hidden: channels of those updates.
        chain: channels along the sequence.
        dropout: share of channels left out in training.
    """

    def __init__(
        self,
        channels: int = 32,
        coarse: int = 56,
        blocks: int = 6,
        fine: int = 1,
        triangles: int = 2,
        hidden: int = 32,
        chain: int = 32,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.chain = Chain(chain)
        self.side = nn.Conv1d(chain, channels, 1)
        self.factor = nn.Conv1d(chain, _FACTORS, 1)
        self.apart = nn.Embedding(_REACH + 1, channels)
        self.lift = nn.Conv2d(PAIR + _FACTORS + 1, channels, 1)
        self.norm = nn.InstanceNorm2d(channels, affine=True)
        width = coarse or channels
        self.down = nn.Conv2d(channels, coarse, 2, stride=2) if coarse else nn.Identity()
        self.up = nn.ConvTranspose2d(coarse, channels, 2, stride=2) if coarse else nn.Identity()
        self.layers = nn.Sequential()
        for i in range(blocks):
            self.layers.append(Residual(width, DILATIONS[i % len(DILATIONS)], dropout))
            if triangles and i % triangles == triangles - 1:
                self.layers.append(Triangle(width, hidden))
        self.fine = nn.Sequential(*(Residual(channels, 1, dropout) for _ in range(fine)))
        self.out = nn.Conv2d(channels, BINS, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(B, BINS, L, L) log-odds of each distance class, symmetric.

        Args:
            inputs: ``pair`` (B, PAIR, L, L) in steps of `features.STEP`, ``single`` (B, L, SINGLE)
                and ``neff`` (B,); ``place`` (B, L) residue numbers, unless they are consecutive.
        """
        x = self.enter(inputs)
        length = x.shape[-1]
        more = max(length % 2, _LEAST - length)  # what is halved must be even
        x = F.elu(self.norm(F.pad(x, (0, more, 0, more))))
        x = x + self.up(self.layers(self.down(x)))
        y: Tensor = self.out(self.fine(x))[..., :length, :length]
        return (y + y.transpose(2, 3)) / 2

    def enter(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(B, C, L, L) everything that is known of a pair, mixed."""
        pair, length = inputs["pair"] * STEP, inputs["pair"].shape[-1]
        along = self.chain(inputs["single"])
        side, factor = self.side(along), self.factor(along)
        product = factor[..., :, None] * factor[..., None, :]
        depth = (inputs["neff"] + 1).log()[:, None, None, None] / 5
        both = torch.cat([pair, product, depth.expand(-1, 1, length, length)], 1)
        place = inputs.get("place")
        if place is None:
            place = torch.arange(length, device=pair.device)[None]
        apart = (place[:, :, None] - place[:, None]).abs().clamp(max=_REACH)
        known = self.apart(apart).permute(0, 3, 1, 2)
        mixed: Tensor = self.lift(both) + known + side[..., :, None] + side[..., None, :]
        return mixed
