"""CGCNN and SchNet from PyTorch Geometric's own parts: what our screening network has to beat.

Both see the same dense batches as every network here; their edges are made on the way, since
PyG's ``radius_graph`` does not know periodic images.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from science.crystals.crystals import HEAVIEST
from science.crystals.neighbours import clear, gaussians, pairs


def graph(inputs: Mapping[str, Tensor], cutoff: float, most: int) -> tuple[Tensor, ...]:
    """A batch of crystals as one graph: ``species, crystal, edge_index, distance``.

    Args:
        inputs: ``species`` (B, N), ``frac``, ``cell``.
        cutoff: longest edge [Angstrom].
        most: edges into a site, the shortest.

    Returns:
        Atomic numbers (V,), the crystal of each (V,), (2, E) from neighbour to centre, and the
        distances (E,).
    """
    species = inputs["species"]
    mask = species > 0
    number = torch.full(mask.shape, -1, dtype=torch.long)
    number[mask] = torch.arange(int(mask.sum()))
    near = pairs(inputs["frac"], inputs["cell"], mask, cutoff)
    centre = number[near.crystal, near.centre]
    other = number[near.crystal, near.other]
    order = torch.argsort(near.distance, stable=True)
    order = order[torch.argsort(centre[order], stable=True)]
    sizes = torch.bincount(centre, minlength=int(mask.sum()))
    rank = torch.arange(len(order)) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    kept = order[rank < most]
    edges = torch.stack([other[kept], centre[kept]])
    return species[mask], mask.nonzero()[:, 0], edges, near.distance[kept]


class Cgcnn(nn.Module):
    """Crystal graph convolutions (Xie and Grossman 2018, Phys. Rev. Lett. 120, 145301).

    Args:
        width: channels per site.
        layers: of ``torch_geometric.nn.CGConv``.
        cutoff: longest edge [Angstrom].
        most: neighbours of a site; the paper takes 12.
        bumps: Gaussians per distance; the paper takes 41.
    """

    def __init__(
        self,
        width: int = 64,
        layers: int = 3,
        cutoff: float = 6.0,
        most: int = 12,
        bumps: int = 41,
    ) -> None:
        super().__init__()
        from torch_geometric.nn import CGConv

        self.cutoff, self.most, self.bumps = cutoff, most, bumps
        self.embed = nn.Embedding(HEAVIEST + 1, width)
        self.layers = nn.ModuleList(
            CGConv(width, dim=bumps, batch_norm=True) for _ in range(layers)
        )
        self.head = nn.Sequential(
            nn.Softplus(), nn.Linear(width, 2 * width), nn.Softplus(), nn.Linear(2 * width, 1)
        )

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(B,) formation energy [eV/atom]."""
        from torch_geometric.nn import global_mean_pool

        species, crystal, edges, distance = graph(inputs, self.cutoff, self.most)
        bumps = gaussians(distance, self.cutoff, self.bumps)
        site = self.embed(species)
        for layer in self.layers:
            site = layer(site, edges, bumps)
        energy: Tensor = self.head(global_mean_pool(site, crystal)).squeeze(-1)
        return energy


class SchNet(nn.Module):
    """Continuous-filter convolutions (Schütt et al. 2018, J. Chem. Phys. 148, 241722).

    Args:
        width: channels per site and of the filters.
        layers: of PyG's ``InteractionBlock``.
        cutoff: longest edge [Angstrom].
        most: neighbours of a site.
        bumps: Gaussians per distance.
    """

    def __init__(
        self,
        width: int = 64,
        layers: int = 3,
        cutoff: float = 5.0,
        most: int = 16,
        bumps: int = 40,
    ) -> None:
        super().__init__()
        from torch_geometric.nn.models.schnet import GaussianSmearing, InteractionBlock

        self.cutoff, self.most = cutoff, most
        self.embed = nn.Embedding(HEAVIEST + 1, width)
        self.smear = GaussianSmearing(0.0, cutoff, bumps)
        self.layers = nn.ModuleList(
            InteractionBlock(width, bumps, width, cutoff) for _ in range(layers)
        )
        self.head = nn.Sequential(nn.Linear(width, width), nn.Softplus(), nn.Linear(width, 1))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(B,) formation energy [eV/atom]."""
        from torch_geometric.nn import global_mean_pool

        species, crystal, edges, distance = graph(inputs, self.cutoff, self.most)
        smeared = clear(self.smear(distance))
        site = self.embed(species)
        for layer in self.layers:
            site = site + layer(site, edges, distance, smeared)
        energy: Tensor = global_mean_pool(self.head(site), crystal).squeeze(-1)
        return energy
