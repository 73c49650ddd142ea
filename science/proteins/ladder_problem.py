"""The families of the ladder: lattice proteins whose contacts are exact, or PSICOV's targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from science.core import datasets
from science.core.errors import UserError
from science.core.ladder import Problem, Size
from science.core.seeds import derive, rng
from science.proteins import synth
from science.proteins.alignment import Alignment
from science.proteins.families import Family, families
from science.proteins.lattice import distances_of
from science.proteins.relatives import related

BOX = (4, 4, 4)
DEPTHS = (12, 480)  # sequences of an alignment
LONGEST = 120  # residues of a real target here, so that a row takes minutes
ALONE, RELATED = "families without a solved relative", "families with a solved relative"


@dataclass(frozen=True)
class Questions:
    """Alignments whose contacts are asked for; ``lattice`` if the chains live on one."""

    alignments: Sequence[Alignment]
    lattice: bool


def pose(size: Size) -> Problem:
    """40 families that share nothing with the examples, and 16 of which a relative is solved.

    Raises:
        UserError: real families were asked for and are not here.
    """
    if size.data == "mirror":
        return _real(size)
    many, alone, related = (10, 6, 3) if size.short else (64, 40, 16)
    examples = [_family(size.seed, "example", i) for i in range(many)]
    asked = [_family(size.seed, "question", i) for i in range(alone)]
    pairs = [_split(_family(size.seed, "relative", i, double=True)) for i in range(related)]
    asked += [mine for mine, _ in pairs]
    # A relative's place among the examples must not tell whose it is.
    examples = _shuffled([*examples, *(solved for _, solved in pairs)], size.seed)
    part = np.array([ALONE] * alone + [RELATED] * related)
    return problem(asked, examples, part, lattice=True)


def problem(
    asked: Sequence[Family], examples: Sequence[Family], part: NDArray[np.str_], lattice: bool
) -> Problem:
    """Questions without what is known of them."""
    bare = [replace(family.alignment, source="") for family in asked]
    return Problem(
        ids=tuple(family.name for family in asked),
        questions=Questions(bare, lattice),
        truth=[family.distance for family in asked],
        examples=list(examples),
        example_ids=tuple(family.name for family in examples),
        axis=np.array([family.alignment.depth for family in asked], np.float64),
        part=part,
        group=np.arange(len(asked)),
    )


def _family(seed: int, kind: str, number: int, double: bool = False) -> Family:
    own = derive(seed, "ladder", kind, number)
    low, high = np.log(DEPTHS)
    depth = round(float(np.exp(rng(own, "depth").uniform(low, high)))) * (2 if double else 1)
    made = synth.make(BOX, depth, seed=own)
    return Family(f"{kind} {number}", Alignment(made.tokens), distances_of(made.shape, BOX))


def _split(family: Family) -> tuple[Family, Family]:
    """One family as two that share a shape and an ancestor, and no place in the alignment.

    The second one's query is the sequence most like the first one's: the relative that somebody
    would have solved, had they wanted a template.
    """
    tokens = family.alignment.tokens
    half = len(tokens) // 2
    rest = tokens[half:]
    likest = np.argsort(-(rest == tokens[0]).sum(1), kind="stable")
    asked = replace(family, alignment=Alignment(tokens[:half]))
    solved = Alignment(rest[likest])
    return asked, replace(family, name=f"solved {family.name}", alignment=solved)


def _shuffled(found: list[Family], seed: int) -> list[Family]:
    return [found[i] for i in rng(seed, "ladder", "order").permutation(len(found))]


def _real(size: Size) -> Problem:
    """PSICOV's shorter targets; examples are families of ProMod3's, relatives left out."""
    card, learn = "proteins/psicov", "proteins/promod3-extra"
    for name in (card, learn):
        if not all(datasets.where(name).values()):
            cure = "set FIFTH_MIRROR to a folder that holds it"
            raise UserError(f"{name}: not on this machine", cure)
    targets, chains = families(card), families(learn)
    most, many = (4, 8) if size.short else (40, 64)
    short = [f for f in targets if f.alignment.length <= LONGEST]
    asked = [short[i] for i in _some(len(short), most, size.seed, "targets")]
    fit = [f for f in chains if f.alignment.length <= LONGEST and not related(f.name)]
    examples = [fit[i] for i in _some(len(fit), many, size.seed, "chains")]
    part = np.array(["PSICOV's targets"] * len(asked))
    return problem(asked, examples, part, lattice=False)


def _some(count: int, most: int, seed: int, name: str) -> NDArray[np.int64]:
    return np.sort(rng(seed, "ladder", name).permutation(count)[:most])


def fewer(examples: list[Family], count: int) -> list[Family]:
    """The first families."""
    return examples[:count]
