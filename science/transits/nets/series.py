"""A Transformer that reads a light curve in patches: one trunk, several things to ask of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from science.core.errors import UserError
from science.core.nn.encoder import Encoder

LEVELS = 16  # kinds of a masked patch's flux


class SeriesTransformer(nn.Module):
    """Patches of a series become tokens; attention lets every token see all others.

    Args:
        outputs: numbers that it answers with for the whole series.
        patch: points of a token.
        width: features of a token.
        heads: of each attention.
        layers: blocks.
    """

    def __init__(
        self, outputs: int = 1, patch: int = 2, width: int = 32, heads: int = 4, layers: int = 2
    ) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(patch, width)
        self.encoder = Encoder(width, heads, layers)
        self.head = nn.Linear(2 * width, outputs)

    def tokens(self, flux: Tensor) -> Tensor:
        """(batch, time) -> (batch, time / patch, width)."""
        if flux.shape[-1] % self.patch:
            raise UserError(f"{flux.shape[-1]} points", f"give a multiple of {self.patch}")
        read: Tensor = self.encoder(self.embed(flux.reshape(len(flux), -1, self.patch) / 4))
        return read

    def summary(self, flux: Tensor) -> Tensor:
        """(batch, time) -> (batch, 2 width): mean and maximum over the tokens."""
        read = self.tokens(flux)
        return torch.cat([read.mean(1), read.amax(1)], -1)

    def forward(self, flux: Tensor) -> Tensor:
        """(batch, time) -> (batch, outputs), or (batch,) for one output."""
        made: Tensor = self.head(self.summary(flux))
        return made.squeeze(-1)


class MaskedSeries(nn.Module):
    """Says which level each hidden point of a light curve had, for `science.core.masked`.

    Args:
        trunk: learns to read light curves; what is kept after pre-training.
        levels: of flux; see `quantised`.
        often: (levels,) how often each occurs, which it then knows from the start.
    """

    def __init__(
        self, trunk: SeriesTransformer, levels: int = LEVELS, often: Tensor | None = None
    ) -> None:
        super().__init__()
        width = trunk.embed.out_features
        self.trunk, self.levels = trunk, levels
        self.value = nn.Embedding(levels + 1, 1)  # a level's flux; the last one means hidden
        with torch.no_grad():
            self.value.weight[:levels, 0] = torch.linspace(-8.0, 3.0, levels)
            self.value.weight[levels, 0] = 0.0
        self.value.weight.requires_grad_(False)
        self.say = nn.Linear(width, trunk.patch * levels)
        if often is not None:
            nn.init.zeros_(self.say.weight)
            with torch.no_grad():
                self.say.bias.copy_((often / often.sum()).log().repeat(trunk.patch))

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:  # noqa: ARG002  all points are real
        """(batch, time) levels -> logits (batch, time, levels)."""
        read = self.trunk.tokens(self.value(ids).squeeze(-1))
        said: Tensor = self.say(read).reshape(len(ids), -1, self.levels)
        return said


def quantised(flux: Tensor, levels: int = LEVELS) -> Tensor:
    """(batch, time) flux in units of the noise -> levels 0 to ``levels - 1``, from -8 to 3."""
    return ((flux + 8.0) / 11.0 * (levels - 1)).round().clamp(0, levels - 1).long()
