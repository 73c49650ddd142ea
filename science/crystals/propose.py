"""Candidates of a discovery campaign: what nobody has listed and what nature would not refuse.

Two pipelines, as in GNoME (Merchant et al. 2023, Nature 624, 80). The structural one replaces ions
in known crystals, throughout or on one orbit of sites; the compositional one starts from neutral
formulas without a structure, which the generator places (`propose_predicted`) and random search.
Every candidate remembers how it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from science.core.seeds import rng
from science.crystals.compositions import Formula, charge_balanced
from science.crystals.novelty import space_group
from science.crystals.random_cells import random_cells
from science.crystals.substitute import Sizes, charged, choices, partial, replaced

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Parent = tuple[str, "Structure"]
STRUCTURAL, COMPOSITIONAL = "structural", "compositional"
FLOW, RANDOM = "the flow", "random cells"  # makers of structures of new formulas
CLOSEST = 0.6  # of the sum of radii: nearer atoms make no crystal


@dataclass(frozen=True)
class Proposal:
    """A candidate.

    Attributes:
        name: unique in its pool.
        structure: not relaxed yet.
        pipeline: ``structural`` or ``compositional``.
        likely: probability of the substitution, or 1 for a formula.
        evidence: how it was made, in plain values.
    """

    name: str
    structure: Structure
    pipeline: str
    likely: float
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return str(self.structure.composition.reduced_formula)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a file."""
        plain = {k: getattr(self, k) for k in ("name", "pipeline", "likely", "evidence")}
        return plain | {"structure": self.structure.as_dict()}

    @property
    def maker(self) -> str:
        """What placed the atoms of a new formula; empty for a substitution."""
        return str(self.evidence.get("maker", ""))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Proposal:
        """Back from plain values."""
        from pymatgen.core.structure import Structure as Made

        return cls(**{**data, "structure": Made.from_dict(data["structure"])})


def structural(
    parents: Sequence[Parent], elements: Sequence[str], sizes: Sizes, least: float, kinds: int = 3
) -> Iterator[Proposal]:
    """Substitutions in the parents, the likeliest parent of each prototype and decoration.

    Args:
        parents: known crystals, of any elements.
        elements: what candidates may consist of.
        sizes: volumes to scale by.
        least: probability of a substitution to be taken up.
        kinds: most different elements in a candidate.
    """
    best: dict[Any, tuple[float, str, Structure, dict[str, str], dict[str, str], dict[str, int]]]
    best = {}
    for name, parent in parents:
        charges = charged(parent) if len(parent.composition) <= kinds else None
        if charges is None:
            continue
        amounts = parent.composition.get_el_amt_dict()
        kind = prototype(parent)
        for new, told, probability in choices(charges, amounts, elements, least):
            key = (kind[0], tuple(sorted((new[e], w) for e, w in kind[1].items())))
            if key not in best or probability > best[key][0]:
                best[key] = (probability, name, parent, new, told, charges)
    for probability, name, parent, new, told, charges in best.values():
        evidence: dict[str, Any] = {
            "parent": name,
            "parent_formula": parent.composition.reduced_formula,
        }
        evidence |= {"substitution": told, "probability": probability, "parent_charges": charges}
        made = replaced(parent, new, sizes)
        yield Proposal("", made, STRUCTURAL, probability, evidence)


def partly(
    parents: Sequence[Parent], elements: Sequence[str], sizes: Sizes, least: float, kinds: int = 4
) -> Iterator[Proposal]:
    """Substitutions on one orbit of equivalent sites of parents that lie within the elements."""
    for name, parent in parents:
        symbols = {e.symbol for e in parent.composition}
        if not symbols <= set(elements) or len(symbols) >= kinds:
            continue
        for new in partial(parent, elements, sizes, least):
            evidence: dict[str, Any] = {
                "parent": name,
                "parent_formula": parent.composition.reduced_formula,
            }
            evidence |= {"substitution": new.replaced, "probability": new.probability}
            evidence |= {"sites": list(new.sites or ())}
            yield Proposal("", new.structure, STRUCTURAL, new.probability, evidence)


def neutral(
    elements: Sequence[str],
    known: set[str],
    count: int,
    seed: int,
    most: int = 8,
    kinds: Sequence[int] = (3,),
) -> list[Formula]:
    """``count`` charge-balanced formulas that nobody lists, drawn by lot.

    Args:
        elements: what they may consist of.
        known: reduced formulas to leave out.
        count: how many to draw.
        seed: of the draw.
        most: atoms in a formula unit.
        kinds: how many different elements.
    """
    free = [f for f in charge_balanced(elements, kinds, most) if f.reduced not in known]
    return [free[int(i)] for i in rng(seed, "formulas").permutation(len(free))[:count]]


def searched(
    formulas: Iterable[Formula], sizes: Sizes, samples: int, seed: int
) -> Iterator[Proposal]:
    """``samples`` random cells of each formula: what a generator has to beat."""
    for formula in formulas:
        cells = random_cells(dict(formula.amounts), sizes, samples, seed)
        for number, cell in enumerate(cells):
            evidence: dict[str, Any] = {"formula": formula.reduced}
            evidence |= {"charges": dict(formula.charges), "maker": RANDOM}
            evidence |= {"seed": seed, "sample": number}
            yield Proposal("", cell, COMPOSITIONAL, 1.0, evidence)


def prototype(structure: Structure) -> tuple[int, dict[str, str]]:
    """Space group, and the Wyckoff letters of each element's sites."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    try:
        found = SpacegroupAnalyzer(structure, symprec=0.1).get_symmetry_dataset()
        letters, group = list(found.wyckoffs), int(found.number)
    except Exception:  # spglib gives up on odd cells in several ways; each is then its own kind
        letters, group = [str(i) for i in range(len(structure))], 0
    where: dict[str, str] = {}
    for site, letter in sorted(zip(structure, letters, strict=True), key=lambda pair: pair[1]):
        where[site.specie.symbol] = where.get(site.specie.symbol, "") + letter
    return group, where


def listed(structure: Structure) -> tuple[str, int]:
    """Reduced formula and space group: how lists of known materials name a crystal."""
    return str(structure.composition.reduced_formula), space_group(structure)
