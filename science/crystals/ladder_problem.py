"""The compounds of the ladder: textbook ionic crystals and minerals, or computed perovskites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.data import read_table
from science.core.ladder import Problem, Size
from science.core.samples import Samples
from science.core.seeds import derive, rng
from science.crystals.crystal_table import from_structures
from science.crystals.crystals import Crystals, unpack
from science.crystals.matcher import Reduced, reduce, rms
from science.crystals.prototypes import aflow, prototypes
from science.crystals.tabulate import as_samples
from science.crystals.validity import distances_valid

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

LARGEST = 6  # atoms of a textbook cell
MINERAL = 8  # of a mineral's
ION, FOUND, CUBE = "textbook crystals", "minerals", "computed perovskites"
Formula = Mapping[str, int]  # atoms of each element in the cell


@dataclass(frozen=True)
class Truth:
    """Known structures, reduced once for all comparisons."""

    structures: list[Reduced]


def pose(size: Size) -> Problem:
    """60 textbook crystals of formulas without example, and 40 minerals of other structures.

    Raises:
        UserError: real compounds were asked for and are not here.
    """
    if size.data == "mirror":
        return _real(size)
    many, ions, minerals = (80, 8, 6) if size.short else (480, 60, 40)
    table = prototypes("crystals/prototypes", 600, False, LARGEST, derive(size.seed, "ladder"))
    train = _some(np.flatnonzero(table.split == "train"), many, size.seed, "examples")
    judge = _some(np.flatnonzero(table.split == "test"), ions, size.seed, "questions")
    others = [p for p in aflow(MINERAL) if 1 < len(p.structure.composition) <= 3]
    textbook = {str(name).split("_", 1)[1] for name in table.id}
    others = [p for p in others if p.label not in textbook]
    chosen = _some(np.arange(len(others)), minerals, size.seed, "minerals")
    found = [others[i].structure for i in chosen]
    names = [*table.id[judge].tolist(), *(others[i].label for i in chosen)]
    return problem(
        names,
        [*table.take(judge).structures(), *found],
        as_samples(table.take(train)),
        np.array([ION] * len(judge) + [FOUND] * len(found)),
    )


def problem(
    names: Sequence[str], structures: list[Structure], examples: Samples, part: NDArray[np.str_]
) -> Problem:
    """Formulas to ask for, and the structures that are right."""
    return Problem(
        ids=tuple(f"question {name}" for name in names),
        questions=[formula_of(s) for s in structures],
        truth=Truth(reduce(structures)),
        examples=examples,
        example_ids=tuple(f"example {name}" for name in examples.id),
        axis=np.array([len(s) for s in structures], np.float64),
        part=part,
        group=np.arange(len(structures)),
    )


def formula_of(structure: Structure) -> dict[str, int]:
    """Atoms of each element, in alphabetic order: a table's order may hold the answer."""
    counts = structure.composition.get_el_amt_dict()
    return {element: round(counts[element]) for element in sorted(counts)}


def _real(size: Size) -> Problem:
    """Perov-5's test compositions; examples are of its training set."""
    table = read_table("crystals/perov-5", split="grouped")
    many, asked = (60, 8) if size.short else (1000, 100)
    train = _some(table.where("train"), many, size.seed, "examples")
    judge = _some(table.where("test"), asked, size.seed, "questions")
    truth = structures_of(table.take(judge))
    known = table.take(train).with_inputs(["species", "frac", "cell"])
    return problem(table.id[judge].tolist(), truth, known, np.array([CUBE] * len(judge)))


def _some(rows: NDArray[np.int64], most: int, seed: int, name: str) -> NDArray[np.int64]:
    return rng(seed, "ladder", name).permutation(rows)[:most]


def structures_of(samples: Samples) -> list[Structure]:
    """The rows of a table as structures."""
    names = ("species", "frac", "cell")
    return unpack(Crystals(*(torch.from_numpy(samples.inputs[name]) for name in names)))


def asking(formulas: Sequence[Formula]) -> Samples:
    """Formulas as a table without places: atoms at the origin of a cube."""
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    blank = []
    for formula in formulas:
        atoms = [element for element, count in formula.items() for _ in range(count)]
        blank.append(Structure(Lattice.cubic(5.0), atoms, np.zeros((len(atoms), 3))))
    return as_samples(from_structures([f"asked {i}" for i in range(len(blank))], blank))


def mark(truth: Truth, made: Sequence[Structure | None]) -> dict[str, NDArray[Any]]:
    """Whether each structure matches, how far off it is if so, and whether its atoms are apart."""
    far = np.full(len(made), np.nan)
    given = [i for i, one in enumerate(made) if one is not None]
    if given:
        mine = [one for one in made if one is not None]
        found = rms(reduce(mine), [truth.structures[i] for i in given])
        far[given] = np.round(found, 6)  # below stands nothing but rounding
    apart = [one is not None and distances_valid(one) for one in made]
    return {"match": np.isfinite(far).astype(float), "far": far, "apart": np.array(apart, float)}


def fewer(examples: Samples, count: int) -> Samples:
    """The first rows."""
    return examples.take(np.arange(count))
