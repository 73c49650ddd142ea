"""A graph network over all pairs of atoms in a cell, which moves atoms and cell.

Every atom sees every other through the waves sin and cos(2 pi k (f_j - f_i)) of their difference in
fractional coordinates, as in DiffCSP's CSPNet (Jiao et al. 2023, arXiv 2309.04475). So moving the
whole crystal, wrapping an atom round the cell and renumbering the atoms change nothing, exactly;
and rotation does not exist for it, since a cell is its six stretch coefficients (`lattice`).
Fractional differences know no length, so pairs also see the distances of their nearest images.

What differs from CSPNet: the waves are computed once for all layers, and a message has no second
linear map, which would cost as much as all the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import silu

from science.crystals.crystals import wrap
from science.crystals.lattice import matrix
from science.crystals.sites import Sites

ELEMENTS = 119  # atomic numbers and 0, which is no atom
REACH = 6.0  # Angstrom; of the widest distance feature
_FLAT = 1e-4  # a coefficient that varies less than this is the same in all cells


class CSPNet(nn.Module):
    """Velocities of fractional coordinates and of the cell, given which atoms there are.

    A `science.core.flow.FlowNet` with the fields ``frac`` and ``cell``; a batch also holds
    ``species`` (B, N), atomic numbers with 0 for no atom.

    Args:
        width: of an atom's state.
        layers: rounds of messages.
        frequencies: waves per axis.
        distances: features of the distance between nearest images; 0 for none.
        sites: of a prototype to set out from; counted here so that they stay with the weights.
        inversion: show half of the training crystals inside out. A crystal and its inverse have the
            same energy, and the evaluator takes them for the same.
    """

    mean: Tensor
    spread: Tensor

    def __init__(
        self,
        width: int = 128,
        layers: int = 4,
        frequencies: int = 8,
        distances: int = 0,
        sites: Sites | None = None,
        inversion: bool = True,
    ) -> None:
        super().__init__()
        self.layers, self.width, self.inversion = layers, width, inversion
        self.sites = sites
        self.waves, self.distances = Waves(frequencies), Distances(distances)
        self.elements = nn.Embedding(ELEMENTS, width)
        self.clock = Clock(width)
        self.cell_in = nn.Linear(6, width)
        seen = 6 * frequencies + distances
        self.pairs = nn.ModuleList(nn.Linear(seen, width) for _ in range(layers))
        self.rounds = nn.ModuleList(Round(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.frac_out = nn.Linear(width, 3, bias=False)
        self.cell_out = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 6))
        nn.init.zeros_(self.frac_out.weight)
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("spread", torch.ones(6))

    def adapt(self, inputs: Mapping[str, NDArray[np.generic]]) -> None:
        """Fit the cell's normalisation, its volume taken per atom, to training data."""
        count = torch.from_numpy((np.asarray(inputs["species"]) > 0).sum(1))
        cell = _per_atom(torch.from_numpy(np.asarray(inputs["cell"])).double(), count)
        if self.sites is not None:
            self.sites.adapt(inputs)
        spread = cell.std(0, correction=0)
        self.mean.copy_(cell.mean(0))
        # A cell that never varies (all cubic, say) is given back exactly.
        self.spread.copy_(spread.where(spread > _FLAT, torch.zeros_like(spread)))

    def encode(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Fractional coordinates, and the cell in units of its spread."""
        frac = batch["frac"]
        if self.inversion and self.training:
            side = torch.randint(2, (len(frac), 1, 1), device=frac.device) * 2 - 1
            frac = wrap(frac * side)
        cell = _per_atom(batch["cell"], _count(batch)) - self.mean
        still = self.spread == 0
        return {"frac": frac, "cell": (cell / self.spread.masked_fill(still, 1)) * ~still}

    def decode(self, state: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Back to fractional coordinates in [0, 1) and cell coefficients."""
        cell = state["cell"] * self.spread + self.mean
        return {"frac": wrap(state["frac"]), "cell": _per_atom(cell, _count(batch), back=True)}

    def forward(
        self, state: Mapping[str, Tensor], time: Tensor, batch: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Velocities ``frac`` (B, N, 3), whose mean is zero, and ``cell`` (B, 6)."""
        species = batch["species"]
        real = (species > 0).to(state["cell"].dtype)[..., None]
        share = real / real.sum(1, keepdim=True)
        seen = self._pairs(state, batch)
        told = self.clock(time) + self.cell_in(state["cell"])
        atoms = self.elements(species) + told[:, None]
        for layer, messages in zip(self.rounds, seen, strict=True):
            atoms = layer(atoms, messages, share)
        atoms = self.norm(atoms)
        velocity = self.frac_out(atoms)
        velocity = (velocity - (velocity * share).sum(1, keepdim=True)) * real
        return {"frac": velocity, "cell": self.cell_out((atoms * share).sum(1))}

    def _pairs(self, state: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> list[Tensor]:
        """What atom i sees of atom j, per layer: (B, N, N, width)."""
        frac = state["frac"]
        apart = frac[:, None] - frac[:, :, None]
        features = self.waves(apart)
        if self.distances.count:
            shells = self.distances(apart, self.decode(state, batch)["cell"])
            features = torch.cat([features, shells], -1)
        return [layer(features) for layer in self.pairs]


class Round(nn.Module):
    """One round of messages: every atom hears all others and itself, and answers to the mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.ends = nn.Linear(width, 2 * width, bias=False)
        self.hear = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, atoms: Tensor, seen: Tensor, share: Tensor) -> Tensor:
        """New atoms (B, N, width); ``share`` (B, N, 1) is 1 / count for real ones, else 0."""
        calm = self.norm(atoms)
        here, there = self.ends(calm).chunk(2, -1)
        message = silu(here[:, :, None] + there[:, None] + seen)
        heard = (message * share[:, None]).sum(2)  # faster than a product of matrices
        answer: Tensor = atoms + self.hear(torch.cat([calm, heard], -1))
        return answer


class Waves(nn.Module):
    """Sine and cosine of each component at the frequencies 1 to ``count``."""

    turns: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("turns", 2 * math.pi * torch.arange(1.0, count + 1))

    def forward(self, apart: Tensor) -> Tensor:
        """(..., 6 count) features of (..., 3) fractional differences."""
        phase = (apart[..., None] * self.turns).flatten(-2)
        return torch.cat([phase.sin(), phase.cos()], -1)


class Distances(nn.Module):
    """How many images of one atom lie around another in shells up to `REACH`, softly counted.

    Sums over images within one cell of the nearest are smooth where the nearest image changes.
    """

    images: Tensor
    shells: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        steps = torch.arange(-1.0, 2.0)
        self.register_buffer("images", torch.cartesian_prod(steps, steps, steps))
        self.register_buffer("shells", torch.linspace(0.0, REACH, max(count, 1)))

    def forward(self, apart: Tensor, cell: Tensor) -> Tensor:
        """(B, N, N, count) features of (B, N, N, 3) differences in cells (B, 6)."""
        rows = matrix(cell)
        near = (apart - apart.round()).flatten(1, 2) @ rows
        there = near[:, :, None] + (self.images @ rows)[:, None]
        far = there.square().sum(-1).sqrt()
        width = REACH / max(self.count - 1, 1)
        near_shell = ((far[..., None] - self.shells) / width).square().neg().exp()
        counted: Tensor = near_shell.sum(2).view(*apart.shape[:3], -1).log1p()
        return counted


class Clock(nn.Module):
    """An embedding of the time in [0, 1] by waves of many lengths."""

    speeds: Tensor

    def __init__(self, width: int, waves: int = 16, fastest: float = 1000.0) -> None:
        super().__init__()
        self.register_buffer("speeds", torch.logspace(0, math.log10(fastest), waves))
        self.mix = nn.Sequential(nn.Linear(2 * waves, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, time: Tensor) -> Tensor:
        """(B, width) of times (B,)."""
        phase = time[:, None] * self.speeds
        mixed: Tensor = self.mix(torch.cat([phase.sin(), phase.cos()], -1))
        return mixed


def _count(batch: Mapping[str, Tensor]) -> Tensor:
    return (batch["species"] > 0).sum(1)


def _per_atom(cell: Tensor, count: Tensor, back: bool = False) -> Tensor:
    """The sixth coefficient, log of the edge of a cube of the volume, of all atoms or of one."""
    share = count.to(cell.dtype).log() / 3
    share = share if back else -share
    return torch.cat([cell[:, :5], cell[:, 5:] + share[:, None]], 1)
