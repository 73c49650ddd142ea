"""The published evaluators' rule of what counts: room between atoms, and charges that balance."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from numpy.typing import NDArray

from science.crystals import lattice
from science.crystals.crystals import Crystals

Bools = NDArray[np.bool_]
CLOSEST = 0.5  # Angstrom between two atoms at least
_PIECE = 2000


def roomy(crystals: Crystals) -> Bools:
    """(n,) whether all atoms, images included, are 0.5 Angstrom apart in a cell with volume."""
    images = torch.tensor(list(itertools.product((-1.0, 0.0, 1.0), repeat=3)))
    found = []
    for begin in range(0, len(crystals.species), _PIECE):
        piece = slice(begin, begin + _PIECE)
        rows = lattice.matrix(crystals.cell[piece])
        frac, real = crystals.frac[piece], crystals.species[piece] > 0
        apart = frac[:, None] - frac[:, :, None]
        apart = (apart - apart.round()).flatten(1, 2) @ rows
        far = (apart[:, :, None] + (images @ rows)[:, None]).norm(dim=-1)
        count = frac.shape[1]
        same = torch.eye(count, dtype=torch.bool).flatten()[:, None] & (images == 0).all(1)
        far = far.masked_fill(same, torch.inf).amin(2).view(-1, count, count)
        both = real[:, :, None] & real[:, None]
        near = far.masked_fill(~both, torch.inf).amin((1, 2))
        found.append((near >= CLOSEST) & (lattice.volume(crystals.cell[piece]) >= 0.1))
    roomy: Bools = torch.cat(found).numpy()
    return roomy


def balanced(species: NDArray[np.int64]) -> Bools:
    """(n,) whether SMACT finds oxidation states that balance; metals and elements always pass."""

    kinds, member = np.unique(np.sort(species, axis=1), axis=0, return_inverse=True)
    from pymatgen.core.periodic_table import Element

    from science.crystals.validity import smact_valid

    valid = [smact_valid(_counted([Element.from_Z(int(z)).symbol for z in k if z])) for k in kinds]
    return np.array(valid)[member.ravel()]


def _counted(symbols: list[str]) -> dict[str, int]:
    return {s: symbols.count(s) for s in symbols}
