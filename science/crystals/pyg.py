"""The boundary to PyTorch Geometric: a crystal as a graph over its periodic neighbours.

Neighbours are found here in torch, so none of PyG's compiled extensions (torch-cluster) is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from science.core.errors import UserError

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure
    from torch_geometric.data import Data

_TOUCHING = 1e-8  # [Angstrom]; a neighbour exactly at the cutoff counts, as in pymatgen
_AT_ONCE = 4_000_000  # distances held in memory at a time


def to_data(structure: Structure, cutoff: float, y: float | None = None) -> Data:
    """The graph of all neighbours within ``cutoff`` [Angstrom], every periodic image an edge.

    ``z`` (N,) int64 atomic numbers; ``pos`` (N, 3) [Angstrom]; ``cell`` (1, 3, 3) lattice vectors
    as rows [Angstrom]; ``edge_index`` (2, E), from the neighbour to the atom that it is seen from;
    ``edge_shift`` (E, 3), the neighbour's image in whole cells; ``edge_length`` (E,) [Angstrom];
    ``y`` (1,) if given. Batches of PyG keep all this as it should be.

    Raises:
        UserError: the structure is disordered, or the cutoff is not positive.
    """
    from torch_geometric.data import Data

    if not structure.is_ordered:
        raise UserError(f"{structure.formula} is disordered", "order it first")
    frac = torch.tensor(structure.frac_coords, dtype=torch.float64)
    matrix = torch.tensor(structure.lattice.matrix.copy(), dtype=torch.float64)
    centre, neighbour, shift, length = neighbours(frac, matrix, cutoff)
    made = Data(
        z=torch.tensor(structure.atomic_numbers, dtype=torch.int64),
        pos=(frac @ matrix).float(),
        cell=matrix.float()[None],
        edge_index=torch.stack([neighbour, centre]),
        edge_shift=shift.float(),
        edge_length=length.float(),
    )
    if y is not None:
        made.y = torch.tensor([y], dtype=torch.float32)
    return made


def from_data(data: Data) -> Structure:
    """The structure of one graph that has ``z``, ``pos`` and ``cell``; its edges are not needed."""
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.periodic_table import Element
    from pymatgen.core.structure import Structure

    missing = [name for name in ("z", "pos", "cell") if name not in data]
    if missing:
        raise UserError(f"this graph has no {', '.join(missing)}", "a crystal needs z, pos, cell")
    elements = [Element.from_Z(int(z)) for z in data.z]
    cell = Lattice(data.cell.detach().cpu().double().reshape(3, 3).numpy())
    places = data.pos.detach().cpu().double().numpy()
    return Structure(cell, elements, places, coords_are_cartesian=True)


def edge_vectors(data: Data) -> Tensor:
    """(E, 3) from each atom to its neighbour [Angstrom], of one graph or a batch of them.

    Differentiable in ``pos`` and ``cell``, as forces and stresses need.
    """
    neighbour, centre = data.edge_index
    batch = getattr(data, "batch", None)
    cell = data.cell.reshape(-1, 3, 3)
    each = cell[0].expand(len(centre), 3, 3) if batch is None else cell[batch[centre]]
    image = torch.einsum("ei,eij->ej", data.edge_shift, each)
    vectors: Tensor = data.pos[neighbour] + image - data.pos[centre]
    return vectors


@torch.no_grad()
def neighbours(
    frac: Tensor, matrix: Tensor, cutoff: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Centre (E,), neighbour (E,), image of the neighbour (E, 3) and distance (E,) [Angstrom].

    Args:
        frac: (N, 3) fractional coordinates, anywhere.
        matrix: (3, 3) lattice vectors as rows [Angstrom].
        cutoff: largest distance [Angstrom], included.

    An atom is a neighbour of its own images, never of itself.
    """
    if not cutoff > 0:
        raise UserError(f"a cutoff of {cutoff} Angstrom", "give one above zero")
    images = _images(matrix, cutoff)
    found = list(_blocks(frac, matrix, images, cutoff + _TOUCHING))
    centre, neighbour, shift, distance = (torch.cat(parts) for parts in zip(*found, strict=True))
    return centre, neighbour, shift.round().long(), distance


def _blocks(frac: Tensor, matrix: Tensor, images: Tensor, reach: float) -> Iterator[list[Tensor]]:
    """The same for a few centres at a time."""
    rows = max(1, _AT_ONCE // max(1, len(frac) * len(images)))
    for start in range(0, max(1, len(frac)), rows):
        apart = frac[None] - frac[start : start + rows, None]
        home = apart.round()
        vectors = ((apart - home)[:, :, None] + images) @ matrix
        distance = vectors.norm(dim=-1)
        shift = images - home[:, :, None]
        near = distance <= reach
        itself = torch.arange(len(frac)) == torch.arange(start, start + len(apart))[:, None]
        near &= ~(itself[:, :, None] & (shift == 0).all(dim=-1))
        centre, neighbour, image = near.nonzero(as_tuple=True)
        at = (centre, neighbour, image)
        yield [centre + start, neighbour, shift[at], distance[at]]


def _images(matrix: Tensor, cutoff: float) -> Tensor:
    """(R, 3) whole shifts that can bring a wrapped neighbour within the cutoff."""
    heights = 1 / torch.linalg.inv(matrix).norm(dim=0)
    # A wrapped difference is at most half a cell, so n cells away is at least n - 1/2 heights.
    most = ((cutoff + _TOUCHING) / heights + 0.5).floor().long().tolist()
    lines = [torch.arange(-n, n + 1, dtype=matrix.dtype) for n in most]
    return torch.cartesian_prod(*lines)
