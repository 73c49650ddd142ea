"""Other people's networks in the place of ours: same inputs, same targets, same training.

None of them takes a condition, so it is laid beside the inputs as maps of one value each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from science.core.nn.attention import Attention


def beside(x: Tensor, condition: Tensor) -> Tensor:
    """(batch, inputs, lat, lon) and (batch, condition) -> (batch, inputs + condition, lat, lon)."""
    maps = condition[:, :, None, None].expand(-1, -1, *x.shape[-2:])
    return torch.cat([x, maps], 1)


class _Told(nn.Module):
    """A network of maps, which is told the condition as further maps."""

    net: nn.Module

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(batch, inputs, lat, lon), (batch, condition) -> (batch, outputs, lat, lon)."""
        made: Tensor = self.net(beside(x, condition))
        return made


class SFNO(_Told):
    """Spherical Fourier neural operator of torch-harmonics (Bonev et al. 2023, arXiv 2306.03838).

    Args:
        inputs: channels in.
        outputs: channels out.
        condition: length of the condition.
        size: latitudes and longitudes of a Gaussian grid.
        signs: not used.
        globe: not used.
        width: channels within.
        layers: spectral blocks.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        condition: int,
        size: Sequence[int],
        signs: Tensor,  # noqa: ARG002 - what every backbone is given
        globe: bool = True,  # noqa: ARG002
        width: int = 64,
        layers: int = 4,
    ) -> None:
        super().__init__()
        from torch_harmonics.examples.models import SphericalFourierNeuralOperator

        self.net = SphericalFourierNeuralOperator(
            img_size=tuple(size),
            grid="legendre-gauss",
            in_chans=inputs + condition,
            out_chans=outputs,
            embed_dim=width,
            num_layers=layers,
            scale_factor=1,
        )


def _without_arguments(_: nn.Module, state: dict[str, Any], *__: Any) -> None:
    state.pop("_metadata", None)


class FNO(_Told):
    """Fourier neural operator of neuraloperator (Li et al. 2021, arXiv 2010.08895).

    Args:
        inputs: channels in.
        outputs: channels out.
        condition: length of the condition.
        size: not used.
        signs: not used.
        globe: not used.
        width: channels within.
        layers: spectral blocks.
        modes: of each axis.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        condition: int,
        size: Sequence[int],  # noqa: ARG002 - what every backbone is given
        signs: Tensor,  # noqa: ARG002
        globe: bool = True,  # noqa: ARG002
        width: int = 64,
        layers: int = 4,
        modes: int = 16,
    ) -> None:
        super().__init__()
        from neuralop import models

        self.net = models.FNO(
            n_modes=(modes, modes),
            in_channels=inputs + condition,
            out_channels=outputs,
            hidden_channels=width,
            n_layers=layers,
        )
        # The package lays its own arguments among the tensors, which no safe file can hold.
        self.register_state_dict_post_hook(_without_arguments)  # type: ignore[no-untyped-call]


class PlainViT(nn.Module):
    """A vision transformer as ClimaX has it (Nguyen et al. 2023, arXiv 2301.10343).

    Patches that do not overlap, learned positions, and a linear way back to pixels. ClimaX's
    tokens for each variable, which serve data sets of unlike variables, are left out.

    Args:
        inputs: channels in.
        outputs: channels out.
        condition: length of the condition.
        size: latitudes and longitudes, multiples of ``patch``.
        signs: not used.
        globe: not used.
        patch: side of a patch.
        width: channels within.
        layers: transformer blocks.
        heads: of their attention.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        condition: int,
        size: Sequence[int],
        signs: Tensor,  # noqa: ARG002 - what every backbone is given
        globe: bool = True,  # noqa: ARG002
        patch: int = 4,
        width: int = 160,
        layers: int = 5,
        heads: int = 5,
    ) -> None:
        super().__init__()
        places = (size[0] // patch) * (size[1] // patch)
        self.patch = patch
        self.stem = nn.Conv2d(inputs + condition, width, patch, stride=patch)
        self.positions = nn.Parameter(0.02 * torch.randn(1, places, width))
        self.blocks = nn.ModuleList([_Block(width, heads) for _ in range(layers)])
        self.last = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, outputs * patch**2))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(batch, inputs, lat, lon), (batch, condition) -> (batch, outputs, lat, lon)."""
        patches = self.stem(beside(x, condition))
        tokens = patches.flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            tokens = block(tokens)
        made = self.last(tokens).transpose(1, 2).reshape(len(x), -1, *patches.shape[-2:])
        return nn.functional.pixel_shuffle(made, self.patch)


class _Block(nn.Module):
    """Attention and an MLP, normalised before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attend = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self.norms[0](x))
        made: Tensor = x + self.mlp(self.norms[1](x))
        return made
