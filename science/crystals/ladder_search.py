"""Computing: throw atoms at random into cells, let them roll downhill, and keep the lowest.

Random structure searching (Pickard and Needs 2011, J. Phys.: Condens. Matter 23, 053201), with the
energy of an ionic model: point charges, whose long range is damped and shifted (Wolf et al. 1999,
J. Chem. Phys. 110, 8254; Fennell and Gezelter 2006, ibid. 124, 234104), and a repulsion between
ions that overlap (Born and Mayer 1932), balanced where radii touch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from science.core.errors import UserError
from science.core.ladder import Answer, Asked
from science.core.seeds import derive
from science.crystals.compositions import balance
from science.crystals.ladder_problem import Formula
from science.crystals.ladder_rules import radius
from science.crystals.random_cells import random_cells
from science.crystals.substitute import Sizes

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

COULOMB = 14.3996  # eV Angstrom / e^2
SOFT = 0.33  # Angstrom over which the repulsion falls by e
CUTOFF, DAMPING = 7.0, 0.28  # Angstrom and 1 / Angstrom, of the charges' reach
STARTS, STEPS, RATE = 6, 60, 0.06
NEIGHBOURS = 6  # among whom the repulsion balances the attraction
_MOST = 4  # cells to either side: flatter ones are no crystals, and cost too much
_NEUTRAL = 1.4  # Angstrom: radius of an atom without charge


def random_search(asked: Asked) -> Answer:
    """The lowest of some random starts in the ionic model."""
    made = [
        lowest(formula, derive(asked.seed, "ladder", "search", i), asked.share(STARTS))
        for i, formula in enumerate(asked.questions)
    ]
    return Answer(made, f"{asked.share(STARTS)} starts each, {STEPS} steps downhill")


def lowest(formula: Formula, seed: int, starts: int = STARTS) -> Structure:
    """The structure of least energy that was found."""
    charge, size = ions(formula)
    spheres = {e: 4 / 3 * math.pi * r**3 / 0.65 for e, r in size.items()}
    begun = list(random_cells(dict(formula), Sizes(spheres), starts, seed))
    q = torch.tensor([charge[site.specie.symbol] for site in begun[0]], dtype=torch.float64)
    r = torch.tensor([size[site.specie.symbol] for site in begun[0]], dtype=torch.float64)
    frac = torch.tensor(np.array([s.frac_coords for s in begun]))
    matrix = torch.tensor(np.array([s.lattice.matrix for s in begun]))
    frac, matrix, least = downhill(frac, matrix, q, r)
    best = int(torch.nan_to_num(least, nan=math.inf).argmin())
    return _structure(begun[best], frac[best], matrix[best])


def ions(formula: Formula) -> tuple[dict[str, float], dict[str, float]]:
    """Charge and radius [Angstrom] of each element; none where charges do not balance."""
    try:
        charges = balance("".join(f"{e}{n}" for e, n in formula.items()))
        sizes = {e: radius(e, q) for e, q in charges.items()}
    except (UserError, KeyError):
        return dict.fromkeys(formula, 0.0), dict.fromkeys(formula, _NEUTRAL)
    return {e: float(q) for e, q in charges.items()}, {e: max(r, 0.3) for e, r in sizes.items()}


def downhill(
    frac: Tensor, matrix: Tensor, charge: Tensor, size: Tensor, steps: int = STEPS
) -> tuple[Tensor, Tensor, Tensor]:
    """Places (starts, n, 3), cells (starts, 3, 3) and energies (starts,) after a descent."""
    place, strain = frac.clone().requires_grad_(), torch.zeros_like(matrix).requires_grad_()
    walk = torch.optim.Adam([place, strain], lr=RATE)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(walk, steps)
    for _ in range(steps):
        walk.zero_grad()
        energy(place, bent(matrix, strain), charge, size).sum().backward()  # type: ignore[no-untyped-call]
        walk.step()
        fall.step()
    with torch.no_grad():
        cell = bent(matrix, strain)
        return place % 1, cell, energy(place, cell, charge, size)


def bent(matrix: Tensor, strain: Tensor) -> Tensor:
    """Cells under a symmetric strain, which cannot turn them, of at most a third each way."""
    even = torch.tanh((strain + strain.mT) / 2) / 3
    return matrix @ (torch.eye(3, dtype=matrix.dtype) + even)


def energy(frac: Tensor, matrix: Tensor, charge: Tensor, size: Tensor) -> Tensor:
    """(starts,) energy of the cells [eV].

    Args:
        frac: (starts, n, 3) fractional coordinates.
        matrix: (starts, 3, 3) cells [Angstrom].
        charge, size: (n,) of the ions [e, Angstrom].
    """
    count = len(charge)
    apart = frac[:, :, None] - frac[:, None]
    apart = apart - apart.detach().round()
    images = within_reach(matrix)
    vectors = (apart[..., None, :] + images) @ matrix[:, None, None]
    self_pair = torch.eye(count, dtype=torch.bool)[..., None] & (images == 0).all(-1)
    distance = torch.where(self_pair, CUTOFF, vectors.pow(2).sum(-1).clamp(min=0.04).sqrt())
    product = (charge[:, None] * charge)[..., None]
    near = (size[:, None] + size)[..., None]
    pair = COULOMB * product * _damped(distance)
    strength = product.abs() + (product == 0)
    born = COULOMB * strength * SOFT / near**2 * 1.75 / NEIGHBOURS
    pair = pair + born * torch.exp((near - distance) / SOFT)
    pair = torch.where((distance < CUTOFF) & ~self_pair, pair, 0.0)
    alone = charge.pow(2).sum() * (
        math.erfc(DAMPING * CUTOFF) / CUTOFF / 2 + DAMPING / math.pi**0.5
    )
    neutral = (charge == 0).all() * 0.05 * torch.linalg.det(matrix).abs()
    total: Tensor = pair.sum((1, 2, 3)) / 2 - COULOMB * alone + neutral
    return total


def within_reach(matrix: Tensor) -> Tensor:
    """(images, 3) numbers of all cells that hold something nearer than the cutoff."""
    with torch.no_grad():
        height = 1 / torch.linalg.inv(matrix).norm(dim=-2)  # between the planes of a cell
        reach = min(_MOST, math.ceil(CUTOFF / float(height.min()) + 0.5))
    steps = torch.arange(-reach, reach + 1, dtype=matrix.dtype)
    return torch.cartesian_prod(steps, steps, steps)


def _damped(distance: Tensor) -> Tensor:
    """1 / r, damped, and shifted so that it and its slope vanish at the cutoff."""
    edge = math.erfc(DAMPING * CUTOFF) / CUTOFF
    slope = math.erfc(DAMPING * CUTOFF) / CUTOFF**2
    slope += 2 * DAMPING / math.pi**0.5 * math.exp(-((DAMPING * CUTOFF) ** 2)) / CUTOFF
    made: Tensor = torch.erfc(DAMPING * distance) / distance - edge + slope * (distance - CUTOFF)
    return made


def _structure(start: Structure, frac: Tensor, matrix: Tensor) -> Structure:
    from pymatgen.core.structure import Structure

    names: Sequence[str] = [site.specie.symbol for site in start]
    return Structure(matrix.numpy(), names, frac.numpy())
