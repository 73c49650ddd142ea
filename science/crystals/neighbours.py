"""Who is near whom in a crystal: periodic distances of dense batches, all images counted."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from science.crystals import lattice

_SAME = 1e-4  # Angstrom: nearer than this is the atom itself
_NOTHING = 1e-12
_MOST = 4  # images looked at on either side; thinner cells lose some of their far neighbours


class Pairs(NamedTuple):
    """Ordered pairs of sites within a cutoff; one pair of sites may appear with several images.

    Attributes:
        crystal: (E,) row of the batch.
        centre: (E,) site that looks.
        other: (E,) site that is seen.
        distance: (E,) [Angstrom].
        vector: (E, 3) from the centre to the other [Angstrom].
    """

    crystal: Tensor
    centre: Tensor
    other: Tensor
    distance: Tensor
    vector: Tensor


@torch.no_grad()
def pairs(frac: Tensor, cell: Tensor, mask: Tensor, cutoff: float) -> Pairs:
    """All pairs within ``cutoff`` [Angstrom].

    Args:
        frac: (B, N, 3) fractional coordinates.
        cell: (B, 6) log-polar coefficients.
        mask: (B, N) which sites are real.
    """
    matrix = lattice.matrix(cell)
    crystal, shift = _images(matrix, cutoff)
    apart = frac[:, None] - frac[:, :, None]
    apart = (apart - apart.round())[crystal] + shift[:, None, None]
    vector = torch.einsum("rijd,rde->rije", apart, matrix[crystal])
    square = vector.square().sum(-1)
    real = (mask[:, :, None] & mask[:, None])[crystal]
    near = real & (square < cutoff**2) & (square > _SAME**2)
    row, centre, other = near.nonzero(as_tuple=True)
    found = vector[row, centre, other]
    return Pairs(crystal[row], centre, other, found.norm(dim=-1), found)


def _images(matrix: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    """(R,) crystal and (R, 3) shift of every image cell that can hold a neighbour."""
    volume = torch.linalg.det(matrix).abs()
    faces = torch.stack(
        [torch.linalg.cross(matrix[:, (i + 1) % 3], matrix[:, (i + 2) % 3]) for i in range(3)], 1
    )
    heights = volume[:, None] / faces.norm(dim=-1)
    # A wrapped difference reaches half a cell, so an image n cells away is n - 1/2 heights away.
    reach = (cutoff / heights + 0.5).floor().clamp(max=_MOST)
    most = int(reach.max()) if len(reach) else 0
    line = torch.arange(-most, most + 1, dtype=matrix.dtype)
    every = torch.cartesian_prod(line, line, line)
    inside = (every.abs()[None] <= reach[:, None]).all(-1)
    crystal, image = inside.nonzero(as_tuple=True)
    return crystal, every[image]


def gaussians(distance: Tensor, cutoff: float, count: int) -> Tensor:
    """(E, count) Gaussians of the distance, fading to zero at the cutoff (Schütt et al. 2018)."""
    centres = torch.linspace(1.0, cutoff, count)
    width = (cutoff - 1.0) / (count - 1)
    bumps = torch.exp(-0.5 * ((distance[:, None] - centres) / width) ** 2)
    return clear(bumps * (0.5 * (1 + torch.cos(torch.pi * distance / cutoff)))[:, None])


def clear(bumps: Tensor) -> Tensor:
    """Zero for what is next to nothing: denormal numbers make products six times slower."""
    return torch.where(bumps > _NOTHING, bumps, 0.0)
