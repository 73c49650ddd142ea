"""Our screening network: formation energy of a crystal from who is near whom, in dense tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from science.core.allow import configurable
from science.core.config import build
from science.crystals.crystals import HEAVIEST
from science.crystals.neighbours import gaussians, pairs


class Screen(nn.Module):
    """Formation energy per atom, as the mean over what each site says in its surroundings.

    Every pair of sites carries Gaussians of its distance summed over all periodic images, computed
    once; a layer's filters are linear in them, so that the images never have to be listed again
    (the sum over images commutes with a linear filter). A message is a filter times a gate that
    knows both elements. Rotation, translation, order of sites and choice of images do not matter
    by construction. Idea: continuous filters, Schütt et al. 2018, J. Chem. Phys. 148, 241722.

    Args:
        width: channels per site.
        layers: rounds of messages.
        cutoff: how far a site sees [Angstrom].
        bumps: Gaussians per distance.
        dropout: before the last layer.
    """

    def __init__(
        self,
        width: int = 96,
        layers: int = 3,
        cutoff: float = 5.5,
        bumps: int = 24,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.cutoff, self.bumps = cutoff, bumps
        self.embed = nn.Embedding(HEAVIEST + 1, width, padding_idx=0)
        self.alone = nn.Embedding(HEAVIEST + 1, 1, padding_idx=0)
        nn.init.zeros_(self.alone.weight)
        self.layers = nn.ModuleList(Message(width, bumps) for _ in range(layers))
        self.head = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(width, 1),
        )

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(B,) formation energy [eV/atom] of ``species``, ``frac``, ``cell`` and ``mask``."""
        species = inputs["species"]
        mask = species > 0
        edge = self.surroundings(inputs["frac"], inputs["cell"], mask)
        site = self.embed(species)
        for layer in self.layers:
            site = layer(site, edge) * mask[..., None]
        said = (self.head(site) + self.alone(species)).squeeze(-1) * mask
        energy: Tensor = said.sum(1) / mask.sum(1)
        return energy

    def surroundings(self, frac: Tensor, cell: Tensor, mask: Tensor) -> Tensor:
        """(B, N, N, bumps) Gaussians of every pair, summed over periodic images."""
        count, places = mask.shape
        near = pairs(frac, cell, mask, self.cutoff)
        flat = torch.zeros(count * places * places, self.bumps)
        where = (near.crystal * places + near.centre) * places + near.other
        flat.index_add_(0, where, gaussians(near.distance, self.cutoff, self.bumps))
        return flat.view(count, places, places, self.bumps)


class Message(nn.Module):
    """One round: each site hears its neighbours through distance filters gated by both elements."""

    def __init__(self, width: int, bumps: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.filter = nn.Linear(bumps, width, bias=False)
        self.centre = nn.Linear(width, width)
        self.other = nn.Linear(width, width, bias=False)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, site: Tensor, edge: Tensor) -> Tensor:
        """(B, N, width) sites after the messages."""
        calm = self.norm(site)
        gate = nn.functional.silu(self.centre(calm)[:, :, None] + self.other(calm)[:, None])
        heard = (gate * self.filter(edge)).sum(2)
        new: Tensor = site + self.update(torch.cat([calm, heard], -1))
        return new


@configurable
def started(net: Mapping[str, Any], weights: str) -> nn.Module:
    """The net of a config node with the weights of a safetensors file: to learn on from there."""
    made: nn.Module = build(net)
    made.load_state_dict(load_file(Path(weights)))
    return made
