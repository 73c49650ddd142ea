"""Attention in windows of a map, shifted from layer to layer (Liu et al. 2021, arXiv 2103.14030).

Longitude has no edge: a shift by half a window wraps round the globe. Latitude has two, and what a
shift brings together from both poles does not see each other.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle

from science.core.errors import UserError
from science.core.nn.encoder import Block
from science.core.nn.positions import Rotary

Size = tuple[int, int]


class WindowViT(nn.Module):
    """Patches, and blocks whose attention stays within windows.

    Args:
        channels: in and out.
        size: latitudes and longitudes.
        patch: side of a patch.
        window: rows and columns of patches in a window; the whole map gives global attention.
        shifted: move the windows by half of their size in every second layer.
        width: features of a patch.
        heads: of each attention.
        layers: blocks.
    """

    def __init__(
        self,
        channels: int,
        size: Size,
        patch: int = 2,
        window: Size = (4, 4),
        shifted: bool = True,
        width: int = 32,
        heads: int = 4,
        layers: int = 2,
    ) -> None:
        super().__init__()
        rows, columns = size[0] // patch, size[1] // patch
        if size[0] % patch or size[1] % patch or rows % window[0] or columns % window[1]:
            raise UserError(f"{size} by patches of {patch} and windows of {window}", "must divide")
        self.patch, self.window, self.grid = patch, window, (rows, columns)
        self.stem = nn.Conv2d(channels, width, patch, stride=patch)
        self.place = nn.Parameter(torch.zeros(rows, 1, width))  # climate depends on latitude
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, channels * patch**2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        half = (window[0] // 2 if window[0] < rows else 0, window[1] // 2)
        self.shifts = [half if shifted and k % 2 else (0, 0) for k in range(layers)]
        self.turn = Rotary(width // heads, axes=2)
        where = torch.cartesian_prod(torch.arange(window[0]), torch.arange(window[1]))
        self.register_buffer("where", where, persistent=False)
        self.register_buffer("apart", poles_apart((rows, columns), window), persistent=False)

    where: Tensor
    apart: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lat, lon) -> the same shape."""
        tokens = self.tokens(x)
        made = self.out(self.norm(tokens)).movedim(-1, 1)
        return pixel_shuffle(made, self.patch)

    def tokens(self, x: Tensor) -> Tensor:
        """(batch, channels, lat, lon) -> (batch, rows, columns, width)."""
        tokens: Tensor = self.stem(x).movedim(1, -1) + self.place
        rotary = partial(self.turn, place=self.where)
        for block, (down, east) in zip(self.blocks, self.shifts, strict=True):
            moved = tokens.roll((-down, -east), (1, 2))
            bias = self.apart if down else None
            made = block(cut(moved, self.window), rotary=rotary, bias=bias)
            tokens = joined(made, self.grid, self.window).roll((down, east), (1, 2))
        return tokens


def cut(tokens: Tensor, window: Size) -> Tensor:
    """(batch, rows, columns, width) -> (batch, windows, places, width)."""
    batch, rows, columns, width = tokens.shape
    high, wide = window
    parts = tokens.reshape(batch, rows // high, high, columns // wide, wide, width)
    return parts.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def joined(parts: Tensor, grid: Size, window: Size) -> Tensor:
    """The inverse of `cut`."""
    rows, columns = grid
    high, wide = window
    apart = parts.reshape(len(parts), rows // high, columns // wide, high, wide, -1)
    return apart.transpose(2, 3).reshape(len(parts), rows, columns, -1)


def poles_apart(grid: Size, window: Size) -> Tensor:
    """(windows, 1, places, places) logits that part what a shift brought over the poles."""
    rows = torch.arange(grid[0]).roll(-(window[0] // 2)) < window[0] // 2
    side = rows[:, None, None].expand(*grid, 1)[None].float()
    flat = cut(side, window)[0, :, :, 0]
    differ = flat[:, :, None] != flat[:, None, :]
    return torch.zeros(differ.shape).masked_fill(differ, float("-inf"))[:, None]
