"""Draw structures by a flow that sets out from templates, in pieces that survive a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.core.files import atomic
from science.core.seeds import derive, generator, rng
from science.crystals import lattice
from science.crystals.crystals import Crystals, wrap
from science.crystals.draw import Sampler
from science.crystals.templates import Templates
from science.crystals.templates_data import noise

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
Tell = Callable[[str, int, int, str], None]
_PIECE = 100  # compositions


def starts(
    bank: Templates, species: Ints, count: int, places: int, seed: int
) -> tuple[Crystals, list[str]]:
    """``count`` structures of one composition to set out from, and the template of each.

    Where there are fewer templates, the rest is noise; its template is called ``noise``.
    """
    draw = rng(seed, "noise")
    found = [(p.species, p.frac, p.matrix, p.source) for p in bank.propose(species, count)]
    real = np.sort(species[species > 0])
    while len(found) < count:
        frac, matrix = noise(real, bank, draw)
        found.append((real, frac.astype(float), matrix, "noise"))
    return packed([one[:3] for one in found], places), [one[3] for one in found]


def packed(made: Sequence[tuple[Ints, Reals, Reals]], places: int) -> Crystals:
    """Species (n,), fractional coordinates (n, 3) and cell (3, 3) of each as one batch."""
    numbers = np.zeros((len(made), places), np.int64)
    frac = np.zeros((len(made), places, 3), np.float32)
    for row, (species, sites, _) in enumerate(made):
        numbers[row, : len(species)] = species
        frac[row, : len(species)] = sites - np.floor(sites)
    cells = lattice.cell(torch.from_numpy(np.stack([matrix for _, _, matrix in made]))).float()
    return Crystals(torch.from_numpy(numbers), wrap(torch.from_numpy(frac)), cells)


def draw_from(
    bank: Templates,
    sampler: Sampler,
    net: Any,
    fields: Mapping[str, Any],
    species: Ints,
    count: int,
    seed: int,
    folder: Path,
    tell: Tell,
) -> tuple[Crystals, Crystals, list[str]]:
    """``count`` structures for each row of ``species`` (n, N), (n * count) crystals in all.

    Returns:
        The structures, what they set out from, and the names of the templates.
    """
    pieces = [np.arange(i, min(i + _PIECE, len(species))) for i in range(0, len(species), _PIECE)]
    made, begun, names = [], [], []
    for number, rows in enumerate(pieces):
        path = folder / f"{number:05d}.npz"
        if not path.is_file():
            own = [
                starts(bank, species[r], count, species.shape[1], derive(seed, r))
                for r in rows.tolist()
            ]
            begin = joined([one for one, _ in own])
            end = moved(sampler, net, fields, begin, generator(seed, "structures", number))
            source = np.array([name for _, found in own for name in found])
            arrays = {f"begin_{k}": v.numpy() for k, v in begin._asdict().items()}
            arrays |= {f"end_{k}": v.numpy() for k, v in end._asdict().items()}
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(path) as temporary, temporary.open("wb") as file:
                np.savez_compressed(file, source=source, **arrays)
        with np.load(path, allow_pickle=False) as kept:
            begun.append(_read(kept, "begin"))
            made.append(_read(kept, "end"))
            names += kept["source"].tolist()
        tell("drawn", number + 1, len(pieces), "")
    return joined(made), joined(begun), names


def moved(
    sampler: Sampler,
    net: Any,
    fields: Mapping[str, Any],
    begin: Crystals,
    generator: torch.Generator,
) -> Crystals:
    """Where the flow takes crystals; those of one size go together, without padding."""
    frac, cell = torch.zeros_like(begin.frac), torch.zeros_like(begin.cell)
    for size in sorted(set(begin.count.tolist())):
        rows = torch.nonzero(begin.count == size)[:, 0]
        for part in torch.split(rows, max(sampler.pairs // size**2, 1)):
            start: dict[str, Tensor] = {"frac": begin.frac[part, :size], "cell": begin.cell[part]}
            end = sampler(net, fields, begin.species[part, :size], generator, start)
            frac[part, :size], cell[part] = end.frac, end.cell
    return Crystals(begin.species, frac, cell)


def joined(parts: list[Crystals]) -> Crystals:
    """Batches of equal width as one."""
    return Crystals(*(torch.cat(list(field)) for field in zip(*parts, strict=True)))


def _read(kept: Mapping[str, Any], which: str) -> Crystals:
    return Crystals(*(torch.from_numpy(kept[f"{which}_{name}"]) for name in Crystals._fields))
