"""Draw structures of given compositions from a trained flow, in pieces that survive a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.core.files import atomic
from science.core.flow import sample
from science.core.loading import sized_batches
from science.core.sampling import Method
from science.core.seeds import derive, generator, rng
from science.crystals.crystals import Crystals

Ints = NDArray[np.int64]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Sampler:
    """How structures are drawn.

    Attributes:
        steps: equal steps of the flow; each asks the network once, with ``heun`` twice.
        anneal: field -> slope of its velocity; see `science.core.flow.sample`.
        method: of integration.
        pairs: pairs of atoms that are held in memory at once.
    """

    steps: int = 20
    anneal: Mapping[str, float] = field(default_factory=dict)
    method: Method = "euler"
    pairs: int = 40_000

    def __call__(
        self,
        net: Any,
        fields: Mapping[str, Any],
        species: Tensor,
        generator: torch.Generator,
        start: Mapping[str, Tensor] | None = None,
    ) -> Crystals:
        """One structure for each row of ``species`` (B, N), atomic numbers with 0 for no atom.

        Args:
            net: a trained network with the fields ``frac`` and ``cell``.
            fields: as in its training.
            species: what to make.
            generator: of all randomness.
            start: see `science.core.flow.sample`.
        """
        blank = {"frac": torch.zeros(*species.shape, 3), "cell": torch.zeros(len(species), 6)}
        batch = {"species": species, "mask": species > 0, **blank}
        made = sample(
            net,
            fields,
            batch,
            self.steps,
            self.anneal,
            generator,
            start,
            method=self.method,
        )
        return Crystals(species, made["frac"] * (species > 0)[..., None], made["cell"])


def draw_each(
    sampler: Sampler,
    net: Any,
    fields: Mapping[str, Any],
    species: Ints,
    count: int,
    seed: int,
    folder: Path,
    tell: Told,
) -> Crystals:
    """``count`` structures for each row of ``species`` (n, N): crystals of n * count rows.

    The rows are cut into pieces of like size. Each has a stream of random numbers of its own and is
    kept in ``folder`` when done, so that a second call goes on where the first was killed and ends
    with the same bits. Atoms are given sorted by number: the table's order may hold the answer.
    """
    species = np.sort(species, axis=1)[:, ::-1].copy()
    size = (species > 0).sum(1)
    pieces = sized_batches(size, pairs=max(sampler.pairs // count, int(size.max()) ** 2))
    frac = np.zeros((len(species), count, species.shape[1], 3), np.float32)
    cell = np.zeros((len(species), count, 6), np.float32)
    for number, rows in enumerate(pieces):
        path, wide = folder / f"{number:05d}.npz", int(size[rows].max())
        if not path.is_file():
            wanted = torch.from_numpy(species[rows, :wide]).repeat_interleave(count, 0)
            start = _starts(net, species[rows, :wide], count, derive(seed, "starts", number))
            made = sampler(net, fields, wanted, generator(seed, "structures", number), start)
            _keep(path, made, len(rows), count)
        with np.load(path, allow_pickle=False) as kept:
            frac[rows, :, :wide], cell[rows] = kept["frac"], kept["cell"]
        tell(number + 1, len(pieces))
    flat = torch.from_numpy(species).repeat_interleave(count, 0)
    places = torch.from_numpy(frac).flatten(0, 1)
    return Crystals(flat, places, torch.from_numpy(cell).flatten(0, 1))


def _keep(path: Path, made: Crystals, rows: int, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frac = made.frac.view(rows, count, -1, 3).numpy()
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, frac=frac, cell=made.cell.view(rows, count, 6).numpy())


def _starts(net: Any, species: Ints, count: int, seed: int) -> dict[str, Tensor] | None:
    """Where a network that sets out from a prototype's sites begins; else ``None``, for noise."""
    sites = getattr(net, "sites", None)
    if sites is None:
        return None
    return {"frac": sites.starts(torch.from_numpy(species), count, rng(seed))}
