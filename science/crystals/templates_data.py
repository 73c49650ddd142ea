"""Training data of a flow that sets out from templates: every crystal with where to begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.data import CardData
from science.core.samples import Samples
from science.core.seeds import rng
from science.crystals import lattice
from science.crystals.templates import Known, Proposal, Templates
from science.crystals.templates_known import templates, whole

Floats = NDArray[np.float32]
_LIKE = (0.3, 0.5, 10)  # of the matcher, as in judging


class Lesson(NamedTuple):
    """A crystal, and where to begin: the same species, sites in the same order and setting."""

    species: NDArray[np.int64]
    frac: Floats
    matrix: NDArray[np.float64]
    start_frac: Floats
    start_matrix: NDArray[np.float64]


class TemplateData(CardData):
    """Card data in which crystals begin at the template that their composition asks for.

    A crystal is never its own template. Where the template is of the crystal's structure type, the
    crystal is put in the setting of the template, so that there is only a little to learn: how a
    structure relaxes when its elements are exchanged. The rest teaches by starting from noise.

    Args:
        lessons: how many training crystals to look up templates for, at most.
        noise: rows that begin at noise, as a share of those that begin at templates.
        inferred: ask training rows without coordinates as well.
        seed: of the choice and of the noise.
        **how: see `science.core.data.CardData`.
    """

    def __init__(
        self,
        lessons: int = 14_000,
        noise: float = 0.25,
        inferred: bool = True,
        seed: int = 0,
        **how: Any,
    ) -> None:
        super().__init__(**how)
        self.lessons, self.noise, self.inferred, self.seed = lessons, noise, inferred, seed
        self.tell: Callable[[str, int, int, str], None] = lambda *_: None

    @cached_property
    def crystals(self) -> Samples:
        """The crystals as the card has them."""
        return super().samples

    @cached_property
    def bank(self) -> Templates:
        """The training crystals as templates."""
        learn = self.crystals.take(self.crystals.where("train"))
        return templates(learn, self.card if self.inferred else None)

    @cached_property
    def samples(self) -> Samples:
        """Rows to learn from, with ``start_frac`` and ``start_cell``; test rows as read."""
        draw = rng(self.seed, "templates", "rows")
        plain = self.crystals
        learn, watch = draw.permutation(plain.where("train")), plain.where("val")
        sought = np.concatenate([learn[: self.lessons], watch])
        found: dict[int, Lesson] = {}
        for done, (row, one) in enumerate(zip(sought, whole(plain.take(sought)), strict=True)):
            first = self.bank.nearest(one.species, (one.name,))
            lesson = taught(first, one) if first is not None else None
            if lesson is not None:
                found[int(row)] = lesson
            self.tell("templates", done + 1, len(sought), "")
        rest = [row for row in learn if row not in found][: round(self.noise * len(found))]
        for row, one in zip(rest, whole(plain.take(np.array(rest, dtype=np.int64))), strict=True):
            found[int(row)] = noised(one, self.bank, draw)
        return _table(plain, found)


def taught(start: Proposal, goal: Known) -> Lesson | None:
    """The lesson of a template of the same structure type, ``None`` if it is of another one."""
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core.structure import Structure

    begin = Structure(start.matrix, start.species.tolist(), start.frac)
    end = Structure(goal.matrix, goal.species.tolist(), goal.frac)
    matcher = StructureMatcher(*_LIKE, primitive_cell=False, attempt_supercell=False)
    like: Structure | None = matcher.get_s2_like_s1(begin, end)  # type: ignore[no-untyped-call]
    if like is None or len(like) != len(begin):
        return None
    numbers = np.array(like.atomic_numbers)
    if not np.array_equal(numbers, start.species):
        return None
    begins = begin.frac_coords.astype(np.float32)
    return Lesson(numbers, like.frac_coords, like.lattice.matrix, begins, start.matrix)


def noised(goal: Known, bank: Templates, draw: np.random.Generator) -> Lesson:
    """Beginning at random places in the cell of any crystal, at the volume that the atoms take."""
    frac, matrix = noise(goal.species, bank, draw)
    return Lesson(goal.species, goal.frac.astype(np.float32), goal.matrix, frac, matrix)


def noise(
    species: NDArray[np.int64], bank: Templates, draw: np.random.Generator
) -> tuple[Floats, NDArray[np.float64]]:
    """Random places (n, 3) for atoms, and a cell (3, 3) of the volume that they take."""
    cell = bank.known[int(draw.integers(len(bank.known)))].matrix
    scale = np.cbrt(bank.room[species].sum() / abs(np.linalg.det(cell)))
    return draw.random((len(species), 3)).astype(np.float32), cell * scale


def _table(plain: Samples, found: dict[int, Lesson]) -> Samples:
    rows = np.sort(np.concatenate([np.array(list(found), dtype=np.int64), plain.where("test")]))
    table = plain.take(rows)
    inputs = {name: array.copy() for name, array in table.inputs.items()}
    inputs["start_frac"] = np.zeros_like(inputs["frac"])
    inputs["start_cell"] = np.zeros_like(inputs["cell"])
    for place, row in enumerate(rows.tolist()):
        lesson, size = found.get(row), int(table.size[place]) if table.size is not None else 0
        if lesson is None:
            continue
        inputs["species"][place, :size] = lesson.species
        inputs["frac"][place, :size] = lesson.frac - np.floor(lesson.frac)
        inputs["start_frac"][place, :size] = lesson.start_frac - np.floor(lesson.start_frac)
        inputs["cell"][place] = _cell(lesson.matrix)
        inputs["start_cell"][place] = _cell(lesson.start_matrix)
    return replace(table, inputs=inputs, ragged=(*table.ragged, "start_frac"))


def _cell(matrix: NDArray[np.float64]) -> Floats:
    found: Floats = lattice.cell(torch.from_numpy(np.array(matrix))[None])[0].float().numpy()
    return found
