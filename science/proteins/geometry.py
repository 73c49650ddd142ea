"""A protein's backbone as rigid residues: where their atoms are, and what a chain is made of.

Bond lengths and angles are those of Engh and Huber (1991, Acta Cryst. A47, 392); C-beta stands
where the chirality of L-amino acids puts it. All functions take any leading dimensions.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

N, CA, C, CB = range(4)
TRACE = 3.80  # Angstrom between C-alphas of a trans peptide
_N_CA, _CA_C, _ANGLE = 1.458, 1.525, math.radians(111.0)


class Bond(NamedTuple):
    """A distance between an atom of a residue and one of the next [Angstrom]."""

    here: int
    there: int
    length: float


PEPTIDE = (
    Bond(C, N, 1.329),
    Bond(CA, N, 2.425),
    Bond(C, CA, 2.435),
    Bond(CA, CA, TRACE),
)


def residue() -> Tensor:
    """(4, 3) N, CA, C, CB of a residue at the origin, C along x, N in the upper xy plane."""
    ca = torch.zeros(3)
    c = torch.tensor([_CA_C, 0.0, 0.0])
    n = _N_CA * torch.tensor([math.cos(_ANGLE), math.sin(_ANGLE), 0.0])
    return torch.stack([n, ca, c, beta(n, ca, c)])


def beta(n: Tensor, ca: Tensor, c: Tensor) -> Tensor:
    """C-beta (..., 3) of an L-residue with these atoms (..., 3)."""
    b, a = ca - n, c - ca
    across: Tensor = torch.linalg.cross(b, a)
    return -0.58273431 * across + 0.56802827 * b - 0.54067466 * a + ca


def rotation(quaternion: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4) of any length but 0."""
    w, x, y, z = normalize(quaternion, dim=-1).unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, -1).view(*quaternion.shape[:-1], 3, 3)


def quaternion(matrix: Tensor) -> Tensor:
    """Unit quaternions (..., 4) of rotation matrices (..., 3, 3)."""
    from scipy.spatial.transform import Rotation

    flat = matrix.detach().reshape(-1, 3, 3).double().numpy()
    x, y, z, w = torch.from_numpy(Rotation.from_matrix(flat).as_quat()).unbind(-1)
    found: Tensor = torch.stack([w, x, y, z], -1).to(matrix.dtype)
    return found.view(*matrix.shape[:-2], 4)


def atoms(quaternion: Tensor, ca: Tensor) -> Tensor:
    """Atoms (..., L, 4, 3) of residues at ``ca`` (..., L, 3), each turned by a quaternion."""
    return torch.einsum("...ij,aj->...ai", rotation(quaternion), residue()) + ca[..., None, :]


def along(ca: Tensor) -> Tensor:
    """Quaternions (..., L, 4) that lay residues along a trace of C-alphas (..., L, 3).

    N looks to the residue before, C to the one after. Which side C-beta is on then follows from
    chirality, so a trace and its mirror image get different backbones.
    """
    before = torch.cat([2 * ca[..., :1, :] - ca[..., 1:2, :], ca[..., :-1, :]], -2)
    after = torch.cat([ca[..., 1:, :], 2 * ca[..., -1:, :] - ca[..., -2:-1, :]], -2)
    x = normalize(after - ca, dim=-1)
    y = before - ca
    y = normalize(y - (y * x).sum(-1, keepdim=True) * x + 1e-4 * x.roll(1, -1), dim=-1)
    y = normalize(y - (y * x).sum(-1, keepdim=True) * x, dim=-1)
    return quaternion(torch.stack([x, y, torch.linalg.cross(x, y)], -1))


def dihedral(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Torsion angles (...) in radians about b-c, IUPAC sign, of four points (..., 3)."""
    first, axis, last = b - a, c - b, d - c
    left, right = torch.linalg.cross(first, axis), torch.linalg.cross(axis, last)
    sine = (torch.linalg.cross(left, right) * normalize(axis, dim=-1)).sum(-1)
    return torch.atan2(sine, (left * right).sum(-1) + 1e-9)


def torsions(atoms: Tensor) -> tuple[Tensor, Tensor]:
    """Phi of residues 2 ... L-1 and psi of the same (..., L - 2), in radians."""
    n, ca, c = atoms[..., N, :], atoms[..., CA, :], atoms[..., C, :]
    inner = slice(1, -1)
    phi = dihedral(c[..., :-2, :], n[..., inner, :], ca[..., inner, :], c[..., inner, :])
    psi = dihedral(n[..., inner, :], ca[..., inner, :], c[..., inner, :], n[..., 2:, :])
    return phi, psi


def oxygens(atoms: Tensor) -> Tensor:
    """Carbonyl O (..., L, 3), in the plane of the peptide; the last as if psi were 140 degrees."""
    n, ca, c = atoms[..., N, :], atoms[..., CA, :], atoms[..., C, :]
    out = normalize(c - ca, dim=-1)
    following = n.roll(-1, -2) - c
    side = following - (following * out).sum(-1, keepdim=True) * out
    last = (ca - n)[..., -1:, :]
    last = last - (last * out[..., -1:, :]).sum(-1, keepdim=True) * out[..., -1:, :]
    side = torch.cat([side[..., :-1, :], last], -2)
    bend = math.radians(180 - 120.5)
    return c + 1.231 * (math.cos(bend) * out - math.sin(bend) * normalize(side, dim=-1))


def embed(distance: Tensor) -> Tensor:
    """(L, 3) points whose distances come closest to (L, L): classical scaling (Torgerson 1952)."""
    squared = distance.double() ** 2
    centred = squared - squared.mean(0, keepdim=True) - squared.mean(1, keepdim=True)
    values, vectors = torch.linalg.eigh(-(centred + squared.mean()) / 2)
    top: Tensor = values[-3:].clamp(min=1e-6).sqrt() * vectors[:, -3:]
    return top.to(distance.dtype)
