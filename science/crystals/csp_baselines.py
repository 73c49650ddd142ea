"""Structures that cost no training: what a predicted crystal has to beat."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.samples import Samples
from science.core.seeds import rng
from science.crystals import lattice
from science.crystals.crystals import Crystals, wrap
from science.crystals.templates import Known, Templates


def substitution(known: Samples, asked: Samples, count: int, seed: int) -> Crystals:
    """Known crystals of like composition with the elements swapped, by vote (`templates`).

    Where only one composition exists per size, as in carbon, known crystals of that size chosen at
    random: there is nothing to vote about.
    """
    if len(np.unique(known.inputs["species"][known.inputs["species"] > 0])) == 1:
        return _any_of_size(known, asked, count, seed)
    matrices = lattice.matrix(torch.from_numpy(known.inputs["cell"]).double()).numpy()
    rows = zip(known.id, known.inputs["species"], known.inputs["frac"], matrices, strict=True)
    templates = Templates(Known(str(i), z[z > 0], m, f[z > 0]) for i, z, f, m in rows)
    made = _blank(asked, count)
    for row, species in enumerate(asked.inputs["species"]):
        found = templates.propose(species[species > 0], count)
        for place in range(count if found else 0):
            one = found[place % len(found)]
            at, atoms = row * count + place, len(one.species)
            made.species[at, :atoms] = torch.from_numpy(one.species)
            made.frac[at, :atoms] = wrap(torch.from_numpy(one.frac).float())
            made.cell[at] = lattice.cell(torch.from_numpy(one.matrix)[None])[0].float()
    return made


def random(known: Samples, asked: Samples, count: int, seed: int) -> Crystals:
    """Atoms anywhere in the cell of a known crystal of as many atoms."""
    made = _any_of_size(known, asked, count, seed)
    species = torch.from_numpy(asked.inputs["species"]).repeat_interleave(count, 0)
    places = rng(seed, "random places").random(made.frac.shape).astype(np.float32)
    return Crystals(species, wrap(torch.from_numpy(places)) * (species > 0)[..., None], made.cell)


def _any_of_size(known: Samples, asked: Samples, count: int, seed: int) -> Crystals:
    draw, made = rng(seed, "known of the size"), _blank(asked, count)
    sizes, wanted = _sizes(known), _sizes(asked)
    for row, atoms in enumerate(wanted):
        pool = np.flatnonzero(sizes == atoms)
        pool = pool if len(pool) else np.arange(len(known))
        taken = draw.choice(pool, count, replace=len(pool) < count)
        at = slice(row * count, (row + 1) * count)
        made.species[at] = torch.from_numpy(known.inputs["species"][taken])
        made.frac[at] = torch.from_numpy(known.inputs["frac"][taken])
        made.cell[at] = torch.from_numpy(known.inputs["cell"][taken])
    return made


def _sizes(samples: Samples) -> NDArray[np.int64]:
    sizes: NDArray[np.int64] = (samples.inputs["species"] > 0).sum(1)
    return sizes


def _blank(asked: Samples, count: int) -> Crystals:
    """Room for ``count`` structures of each composition; far too large cells, which match none."""
    species = torch.from_numpy(asked.inputs["species"]).repeat_interleave(count, 0)
    cell = torch.zeros(len(species), 6)
    cell[:, 5] = 3.0
    return Crystals(species, torch.zeros(*species.shape, 3), cell)
