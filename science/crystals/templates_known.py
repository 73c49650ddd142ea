"""Training rows as what `Templates` can be asked for, those without coordinates included."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from science.core.samples import Samples
from science.crystals import known as tables
from science.crystals import lattice
from science.crystals.read_table import ANGLES, LENGTHS
from science.crystals.templates import Known, Templates

_MANY = 20  # atoms; larger cells are not in the table anyway


def templates(samples: Samples, card: str | None = None) -> Templates:
    """Templates from crystals with coordinates, and from a card's training rows without.

    Args:
        samples: the training rows of a table of crystals.
        card: whose training rows without coordinates are asked as well; ``None`` for nobody's.
    """
    return Templates([*whole(samples), *(bare(samples, card) if card else ())])


def whole(samples: Samples) -> list[Known]:
    """The crystals of a table."""
    matrices = lattice.matrix(torch.from_numpy(samples.inputs["cell"]).double()).numpy()
    rows = zip(samples.id, samples.inputs["species"], matrices, samples.inputs["frac"], strict=True)
    return [Known(str(n), z[z > 0], m, f[z > 0].astype(float)) for n, z, m, f in rows]


def bare(samples: Samples, card: str) -> list[Known]:
    """Training rows of a card that no crystal of ``samples`` is: composition and cell alone."""
    read = tables.compositions(card, "train")
    read = read[~read["id"].isin(set(samples.id.tolist()))]
    cells = [torch.from_numpy(read[list(names)].to_numpy(float)) for names in (LENGTHS, ANGLES)]
    matrices = lattice.from_lengths_angles(*cells).numpy()
    rows = zip(read["id"], read["formula"], matrices, strict=True)
    found = [Known(str(name), numbers(formula), matrix) for name, formula, matrix in rows]
    return [one for one in found if np.isfinite(one.matrix).all() and one.volume > 0]


def numbers(formula: str) -> Any:
    """Atomic number of every atom of a formula."""
    from pymatgen.core.composition import Composition

    amounts = Composition(formula).items()
    return np.concatenate([np.full(round(n), element.Z) for element, n in amounts])
