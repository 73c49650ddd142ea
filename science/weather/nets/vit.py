"""A vision transformer on the sphere, in which every longitude is alike."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad, pixel_shuffle

from science.core.errors import UserError
from science.core.nn.modulation import ModulatedBlock, Modulation, modulate
from science.weather.nets.edges import beyond


class SphereViT(nn.Module):
    """Patches that overlap, attention over all of them, and a fine path beside it.

    No part knows its longitude: attention is biased by both latitudes and the difference of the
    longitudes (Pangu's Earth-specific bias, Bi et al. 2023, arXiv 2211.02556, made alike along a
    circle of latitude). So turning a globe by whole patches turns the answer by as much.

    Args:
        inputs: channels in.
        outputs: channels out.
        condition: length of the condition.
        size: latitudes and longitudes.
        signs: (inputs, 1, 1) what a channel is multiplied by when seen across a pole.
        globe: whether the map is the whole planet, or a region.
        patch: side of a patch.
        width: channels within.
        layers: transformer blocks.
        heads: of their attention.
        fine: channels of the path at full resolution.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        condition: int,
        size: Sequence[int],
        signs: Tensor,
        globe: bool = True,
        patch: int = 4,
        width: int = 192,
        layers: int = 6,
        heads: int = 6,
        fine: int = 64,
    ) -> None:
        super().__init__()
        self.patch, self.globe, self.size = patch, globe, tuple(size)
        if globe and (size[0] % patch or size[1] % patch or size[1] % 2):
            raise UserError(f"a globe of {size[0]} x {size[1]}", f"give multiples of {patch}")
        rows, columns = (-(-n // patch) for n in self.size)
        inner = 64
        self.register_buffer("signs", signs, persistent=False)
        self.know = nn.Sequential(nn.Linear(condition, inner), nn.SiLU(), nn.Linear(inner, inner))
        self.stem = nn.Conv2d(inputs, width, 2 * patch, stride=patch)
        self.blocks = nn.ModuleList([ModulatedBlock(width, heads, inner) for _ in range(layers)])
        self.tokens = rows, columns
        kinds = columns if globe else 2 * columns - 1
        self.bias = nn.Parameter(torch.zeros(layers, heads, rows * rows * kinds))
        self._laid: tuple[object, list[Tensor]] | None = None
        self.steer = Modulation(inner, width)
        self.spread = nn.Linear(width, fine // 2 * patch**2)
        self.mix = nn.Conv2d(fine // 2 + inputs, fine, 3)
        self.last = nn.Conv2d(fine, outputs, 3)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]  # it has one

    signs: Tensor

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(batch, inputs, lat, lon), (batch, condition) -> (batch, outputs, lat, lon)."""
        known = self.know(condition)
        tokens = self.stem(beyond(self._whole(x), self.patch // 2, self.globe, self.signs))
        shape = tokens.shape[-2:]
        tokens = tokens.flatten(2).transpose(1, 2)
        for block, bias in zip(self.blocks, self._biases(), strict=True):
            tokens = block(tokens, known, bias)
        ((shift, scale, _),) = self.steer(known)
        fine = self.spread(modulate(tokens, shift, scale)).transpose(1, 2).unflatten(2, shape)
        fine = pixel_shuffle(fine, self.patch)[..., : self.size[0], : self.size[1]]
        joined = torch.cat(
            [beyond(fine, 1, self.globe), beyond(x, 1, self.globe, self.signs)], dim=1
        )
        made: Tensor = self.last(beyond(gelu(self.mix(joined)), 1, self.globe))
        return made

    def _whole(self, x: Tensor) -> Tensor:
        """A region made a whole number of patches by repeating its far edges."""
        rows, columns = (-n % self.patch for n in self.size)
        return pad(x, (0, columns, 0, rows), mode="replicate") if rows or columns else x

    def _biases(self) -> list[Tensor]:
        """What each layer's attention is biased by; laid out once for all steps of a forecast."""
        if torch.is_grad_enabled():
            return [self._between(bias) for bias in self.bias]
        state = self.bias._version, self.bias.device, self.bias.dtype, self.bias.data_ptr()
        if self._laid is None or self._laid[0] != state:
            with torch.inference_mode(False), torch.no_grad():
                self._laid = state, [self._between(bias) for bias in self.bias.detach()]
        return self._laid[1]

    def _between(self, bias: Tensor) -> Tensor:
        """(heads, entries) of the table -> (1, heads, places, places), for each pair of patches.

        Windows of the table: an index with repeats would have its gradients added one by one. The
        first axis is what fused attention asks of a bias.
        """
        rows, columns = self.tokens
        table = bias.view(len(bias), rows, rows, -1)
        if self.globe:
            table = torch.cat([table[..., 1:], table], -1)  # from the farthest west to the east
        # (heads, rows, rows, columns, columns)
        east: Tensor = table.unfold(-1, columns, 1).flip(-2)
        return east.transpose(2, 3).flatten(3, 4).flatten(1, 2)[None]
