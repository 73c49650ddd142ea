"""What a campaign starts from: known crystals, the hull, and candidates that nobody has listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.files import write_json
from science.core.seeds import rng
from science.crystals import known as lists
from science.crystals import read
from science.crystals.hull import Hull
from science.crystals.novelty import Known
from science.crystals.propose import (
    Parent,
    Proposal,
    listed,
    neutral,
    partly,
    searched,
    structural,
)
from science.crystals.propose_predicted import predicted
from science.crystals.substitute import Sizes

if TYPE_CHECKING:
    from science.crystals.crystal_table import CrystalTable

Keep = Callable[[Proposal], bool]


@dataclass(frozen=True)
class Limits:
    """What a candidate may be, and how many there are.

    Attributes:
        atoms: in a cell at most.
        least: probability of a substitution to be taken up.
        fewest: different elements at least; binaries are the best explored of all.
        formulas: neutral formulas to draw for the compositional pipeline.
        samples: random cells of each.
        predicted: structures of each by the generator.
        pool: candidates in all at most.
    """

    atoms: int = 8
    least: float = 1e-3
    fewest: int = 3
    formulas: int = 40
    samples: int = 4
    predicted: int = 4
    pool: int = 2500


@dataclass(frozen=True)
class Space:
    """A chemistry: what is known of it, and what is hidden to be found again.

    Attributes:
        elements: what candidates consist of.
        parents: known crystals near the hull, of any elements.
        known: what counts as known.
        hidden: real crystals that the campaign was not told of.
        hull: of what is known.
        formulas: reduced formulas of known crystals within the elements.
    """

    elements: tuple[str, ...]
    parents: list[Parent]
    known: Known
    hidden: Known
    hull: Hull
    formulas: set[str]

    @classmethod
    def of(cls, elements: Sequence[str], limits: Limits, hide: bool, larger: bool = False) -> Space:
        """The Materials Project's crystals; with ``hide`` less those of MP-20's test split.

        With ``larger`` phases of large cells compete on the hull (`science.crystals.larger`).
        Only crystals of three elements and more are hidden: without a binary such as Li2Se, all
        that holds lithium and selenium would look stable.
        """
        check(elements)
        chosen = tuple(dict.fromkeys(elements))
        table = read.table("crystals/mp-20", pool="all")
        near = np.isin(table.id, lists.hull_entries()["material_id"].to_numpy(dtype=str))
        inside = _within(table, chosen)
        many = np.array([len(set(row[row > 0])) > 2 for row in table.species])
        away = many & (table.split == "test") if hide else np.zeros(len(table), bool)
        parents = _pairs(table.take(near & ~away & (table.size <= limits.atoms)))
        hidden = _pairs(table.take(inside & away))
        seen = _pairs(table.take(inside & ~away))
        names = _index(set(chosen)) - (
            {listed(s) for _, s in hidden} - {listed(s) for _, s in seen}
        )
        hull = Hull.known(leave_out=set(table.id[away].tolist()), larger=larger)
        formulas = {f for f, _ in names} | {s.composition.reduced_formula for _, s in seen}
        return cls(chosen, parents, Known(seen, names), Known(hidden), hull, formulas)

    def pool(self, limits: Limits, seed: int) -> list[Proposal]:
        """Candidates, new ones only, each once, in an order that says nothing.

        Raises:
            UserError: there are none.
        """
        sizes = Sizes.fit([s for _, s in self.parents])
        made = [
            *structural(self.parents, self.elements, sizes, limits.least),
            *partly(self.parents, self.elements, sizes, limits.least),
        ]
        made = [p for p in made if len(p.structure.composition) >= limits.fewest]
        order = rng(seed, "pool").permutation(len(made))
        fresh = _unlisted((made[i] for i in order), self.known)
        taken = {p.formula for p in made} | self.formulas
        formulas = neutral(self.elements, taken, limits.formulas, seed, limits.atoms)
        every = [
            *fresh[: limits.pool],
            *predicted(formulas, limits.predicted, seed),
            *searched(formulas, sizes, limits.samples, seed),
        ]
        if not every:
            problem = f"nothing new can be made of {', '.join(self.elements)}"
            raise UserError(problem, "allow more elements, or more atoms in a cell")
        return [replace(p, name=f"p{i:05d}") for i, p in enumerate(every)]


def saved(path: Path, make: Callable[[], list[Proposal]]) -> list[Proposal]:
    """The candidates of a file, made and written if it is not there."""
    if not path.is_file():
        write_json(path, [p.as_dict() for p in make()])
    return [Proposal.from_dict(p) for p in json.loads(path.read_text(encoding="utf-8"))]


def check(elements: Sequence[str]) -> None:
    """Refuse what is no chemistry.

    Raises:
        UserError: a symbol is no element, or there are fewer than two.
    """
    from pymatgen.core.periodic_table import Element

    wrong = [e for e in elements if not Element.is_valid_symbol(e)]
    if wrong:
        raise UserError(f"no element is called {', '.join(wrong)}", "write for example Li,Mn,O")
    if len(set(elements)) < 2:
        raise UserError("a chemistry has at least two elements", "write for example Li,Mn,O")


def _within(table: CrystalTable, elements: Sequence[str]) -> NDArray[np.bool_]:
    from pymatgen.core.periodic_table import Element

    allowed = [0, *(Element(e).Z for e in elements)]
    return np.asarray(np.isin(table.species, allowed).all(axis=1), dtype=np.bool_)


def _pairs(table: CrystalTable) -> list[Parent]:
    return list(zip(table.id.tolist(), table.structures(), strict=True))


def _index(elements: set[str]) -> set[tuple[str, int]]:
    """Formulas and space groups of listed crystals within the elements."""
    from pymatgen.core.composition import Composition

    frame = lists.known_index()
    found = set()
    for formula, group in zip(frame["composition"], frame["spg_num"], strict=True):
        composition = Composition(formula)
        if {e.symbol for e in composition} <= elements:
            found.add((str(composition.reduced_formula), int(group)))
    return found


def _unlisted(proposals: Iterable[Proposal], known: Known) -> list[Proposal]:
    """Those that are neither known nor the same as an earlier one."""
    earlier, fresh = Known(), []
    for proposal in proposals:
        if known.judge(proposal.structure).novel and earlier.judge(proposal.structure).novel:
            earlier.add([("", proposal.structure)])
            fresh.append(proposal)
    return fresh
