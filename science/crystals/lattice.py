"""Unit cells as six numbers that forget rotation: the logarithm of the stretch, and its inverse.

A cell is a matrix M whose rows a, b, c are the lattice vectors in Angstrom. Turning the crystal
turns the rows, M -> M R, and leaves the polar factor P = (M M^T)^(1/2) alone. P is symmetric, so
its logarithm has six free numbers k, the coefficients of

    log P = k1 (xy) + k2 (xz) + k3 (yz) + k4 diag(1, -1, 0) + k5 diag(1, 1, -2) + k6 diag(1, 1, 1)

so any six real numbers are a cell of positive volume, and k6 = log V^(1/3). The first three vanish
with the off-diagonal elements, the next two say how far the cell is from cubic. Basis and idea:
Jiao et al. 2024, ICLR (DiffCSP++, eq. 7) and Luo et al. 2025, Nat. Commun. (CrystalFlow). The
stretch also forgets handedness: a left-handed M comes back as its mirror image.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_BASIS = torch.tensor(
    [
        [[0, 1, 0], [1, 0, 0], [0, 0, 0]],
        [[0, 0, 1], [0, 0, 0], [1, 0, 0]],
        [[0, 0, 0], [0, 0, 1], [0, 1, 0]],
        [[1, 0, 0], [0, -1, 0], [0, 0, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, -2]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    ],
    dtype=torch.float64,
)
_FLAT = 1e-9  # of the volume that the same three lengths could have
_NORM = torch.tensor([2, 2, 2, 2, 6, 3], dtype=torch.float64)  # squares of the basis, orthogonal


def matrix(cell: Tensor) -> Tensor:
    """Lattice vectors as the rows of (B, 3, 3) [Angstrom], from (B, 6) coefficients.

    The matrix is symmetric: of all the orientations of a cell this is the one without rotation.
    """
    stretch = torch.einsum("...k,kij->...ij", cell, _BASIS.to(cell))
    exponential: Tensor = torch.linalg.matrix_exp(stretch)
    return exponential


def cell(matrix: Tensor) -> Tensor:
    """Coefficients (B, 6) of lattice vectors (B, 3, 3) [Angstrom], in any orientation.

    Computed in double precision and returned in the precision given. A cell without volume, or one
    that is not a number, gives ``nan``.
    """
    rows = matrix.double()
    metric = rows @ rows.mT
    full = torch.linalg.det(rows).abs() > _FLAT * rows.norm(dim=-1).prod(dim=-1)
    flat = ~full | ~metric.isfinite().all(dim=(-2, -1))
    metric = torch.where(flat[..., None, None], torch.eye(3).to(metric), metric)
    log: Tensor = _SymmetricLog.apply(metric)  # type: ignore[no-untyped-call]
    k = torch.einsum("...ij,kij->...k", log / 2, _BASIS.to(log)) / _NORM.to(log)
    return k.masked_fill(flat[..., None], torch.nan).to(matrix.dtype)


def lengths_angles(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths a, b, c (B, 3) [Angstrom] and angles alpha, beta, gamma (B, 3) [degree]."""
    lengths = matrix.norm(dim=-1)
    one, two = matrix[..., (1, 2, 0), :], matrix[..., (2, 0, 1), :]
    # atan2 keeps its accuracy where the arc cosine loses it, near 0 and 180 degrees.
    across = torch.linalg.cross(one, two).norm(dim=-1)
    return lengths, torch.rad2deg(torch.atan2(across, (one * two).sum(dim=-1)))


def from_lengths_angles(lengths: Tensor, angles: Tensor) -> Tensor:
    """Lattice vectors (B, 3, 3) [Angstrom]: c along z, a in the xz plane, as in pymatgen.

    ``lengths`` are (B, 3) [Angstrom], ``angles`` alpha, beta, gamma (B, 3) [degree]. Angles that no
    cell can have give ``nan``.
    """
    a, b, c = lengths.unbind(-1)
    cos, sin = torch.deg2rad(angles).cos(), torch.deg2rad(angles).sin()
    (ca, cb, cg), (sa, sb, _) = cos.unbind(-1), sin.unbind(-1)
    across = (ca * cb - cg) / (sa * sb)  # cosine of gamma*, the reciprocal angle
    rise = (1 - across.square()).sqrt()
    zero = torch.zeros_like(a)
    rows = [a * sb, zero, a * cb, -b * sa * across, b * sa * rise, b * ca, zero, zero, c]
    return torch.stack(rows, dim=-1).reshape(*a.shape, 3, 3)


def volume(cell: Tensor) -> Tensor:
    """Volume (B,) [cubic Angstrom] of coefficients (B, 6)."""
    return (3 * cell[..., 5]).exp()


class _SymmetricLog(torch.autograd.Function):
    """Logarithm of a symmetric positive matrix, differentiable where eigenvalues coincide.

    The derivative of `eigh` divides by differences of eigenvalues, and a cubic cell has three
    equal ones. The derivative of the logarithm needs only divided differences
    (log x - log y) / (x - y), which have a limit there (Daleckii and Krein 1965).
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(matrix)
        logs = values.clamp_min(torch.finfo(values.dtype).tiny).log()
        ctx.save_for_backward(logs, vectors)
        log: Tensor = (vectors * logs[..., None, :]) @ vectors.mT
        return log

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        logs, vectors = ctx.saved_tensors
        half = (logs[..., :, None] - logs[..., None, :]) / 2
        mean = (logs[..., :, None] + logs[..., None, :]) / 2
        same = half.abs() < 1e-6
        sinhc = torch.where(same, 1.0, half.sinh() / half.masked_fill(same, 1.0))
        inner = vectors.mT @ ((grads[0] + grads[0].mT) / 2) @ vectors
        grad: Tensor = vectors @ (inner * torch.exp(-mean) / sinhc) @ vectors.mT
        return grad
