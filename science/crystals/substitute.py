"""New crystals from known ones: replace ions by ions that nature replaces them with.

The structural pipeline of a discovery campaign (Merchant et al. 2023, Nature 624, 80). How alike
two ions are is read off the pairs of isotypic crystals in the ICSD: the conditional probability of
Hautier et al. 2011, Inorg. Chem. 50, 656, whose table comes with pymatgen. Replacements keep the
whole neutral, and the cell grows or shrinks with its atoms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from science.core.errors import UserError
from science.crystals.compositions import Charges, balance, states

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

UNSEEN = 0.0  # probability of ions that the table does not know


@dataclass(frozen=True)
class Substitution:
    """A crystal made from another.

    Attributes:
        structure: the new crystal, its volume scaled.
        replaced: ``Na+ -> K+`` and so on, unchanged ions left out.
        probability: product over all ions of P(new ion | old ion); higher is likelier.
        sites: replaced sites of the parent, ``None`` for all sites of the elements.
    """

    structure: Structure
    replaced: dict[str, str]
    probability: float
    sites: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Sizes:
    """Volume that each element takes up [cubic Angstrom], fitted to known crystals."""

    volume: Mapping[str, float]

    @classmethod
    def fit(cls, structures: Sequence[Structure]) -> Sizes:
        """Non-negative least squares of volume per atom against element shares."""
        from scipy.optimize import nnls

        elements = sorted({e.symbol for s in structures for e in s.composition})
        place = {e: i for i, e in enumerate(elements)}
        share = np.zeros((len(structures), len(elements)))
        for row, structure in enumerate(structures):
            for element, amount in structure.composition.items():
                share[row, place[element.symbol]] = amount / len(structure)
        found, _ = nnls(share, np.array([s.volume / len(s) for s in structures]))
        usual = float(np.median(found[found > 0]))
        return cls(
            {e: float(v) if v > 1.0 else usual for e, v in zip(elements, found, strict=True)}
        )

    def of(self, amounts: Mapping[str, float]) -> float:
        """Expected volume of so many atoms of each element [cubic Angstrom]."""
        usual = float(np.mean(list(self.volume.values())))
        return sum(self.volume.get(e, usual) * n for e, n in amounts.items())


def charged(structure: Structure) -> dict[str, int] | None:
    """Charge of each element of a structure, ``None`` if none is neutral."""
    try:
        return balance(structure.composition.reduced_formula)
    except UserError:
        return None


def whole(
    parent: Structure,
    elements: Sequence[str],
    sizes: Sizes | None = None,
    least: float = 1e-3,
    charges: Charges | None = None,
) -> Iterator[Substitution]:
    """Replace elements throughout; every neutral choice whose probability is at least ``least``."""
    charges = charges or charged(parent)
    if charges is None:
        return
    amounts = parent.composition.get_el_amt_dict()
    for new, told, probability in choices(charges, amounts, elements, least):
        yield Substitution(replaced(parent, new, sizes), told, probability)


def choices(
    charges: Charges, amounts: Mapping[str, float], elements: Sequence[str], least: float = 1e-3
) -> Iterator[tuple[dict[str, str], dict[str, str], float]]:
    """Neutral replacements of ions: new element of each, what changed, and the probability."""
    old = list(charges)
    options = [_options(e, charges[e], tuple(sorted(elements)), least) for e in old]
    for choice in product(*options):
        probability = prod(p for _, _, p in choice)
        charge = sum(q * amounts[e] for e, (_, q, _) in zip(old, choice, strict=True))
        new = {e: name for e, (name, _, _) in zip(old, choice, strict=True)}
        if charge or probability < least or len(set(new.values())) < len(new):
            continue
        told = {
            ion(e, charges[e]): ion(name, q)
            for e, (name, q, _) in zip(old, choice, strict=True)
            if e != name
        }
        if told:
            yield new, told, probability


def partial(
    parent: Structure,
    elements: Sequence[str],
    sizes: Sizes | None = None,
    least: float = 1e-3,
    charges: Charges | None = None,
) -> Iterator[Substitution]:
    """Replace one orbit of symmetry-equivalent sites, where its element has further orbits."""
    charges = charges or charged(parent)
    if charges is None:
        return
    for sites in orbits(parent):
        element = parent[sites[0]].specie.symbol
        if sum(s.specie.symbol == element for s in parent) == len(sites):
            continue
        for name, charge, probability in _options(
            element, charges[element], tuple(sorted(elements)), least
        ):
            if name in charges or charge != charges[element]:
                continue
            species = [name if i in sites else s.specie.symbol for i, s in enumerate(parent)]
            told = {ion(element, charge): ion(name, charge)}
            yield Substitution(_filled(parent, species, sizes), told, probability, sites)


def orbits(structure: Structure, tolerance: float = 0.1) -> list[tuple[int, ...]]:
    """Sites that the space group maps onto each other (spglib), one tuple per orbit."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    found = SpacegroupAnalyzer(structure, symprec=tolerance).get_symmetry_dataset()
    same = np.asarray(found.crystallographic_orbits)
    return [tuple(np.flatnonzero(same == i).tolist()) for i in np.unique(same)]


def likeness(old: str, charge: int, new: str, new_charge: int) -> float:
    """P(new ion | old ion), 0 if the table does not know one of them."""
    from pymatgen.core.periodic_table import Species

    known = _table()
    a, b = Species(old, charge), Species(new, new_charge)
    if a not in known.species or b not in known.species:
        return UNSEEN
    return float(known.cond_prob(b, a))


@cache
def _table() -> Any:
    from pymatgen.core.structure_prediction.substitution_probability import SubstitutionProbability

    return SubstitutionProbability()  # type: ignore[no-untyped-call]


@cache
def _options(
    old: str, charge: int, elements: tuple[str, ...], least: float
) -> tuple[tuple[str, int, float], ...]:
    found = [(e, q, likeness(old, charge, e, q)) for e in elements for q in states(e)]
    return tuple((e, q, p) for e, q, p in found if p >= least and q * charge > 0)


def replaced(parent: Structure, new: Mapping[str, str], sizes: Sizes | None = None) -> Structure:
    """The parent with its elements exchanged, and its volume scaled to the new ones."""
    return _filled(parent, [new[s.specie.symbol] for s in parent], sizes)


def _filled(parent: Structure, species: Sequence[str], sizes: Sizes | None) -> Structure:
    from pymatgen.core.structure import Structure as Made

    made = Made(parent.lattice, list(species), parent.frac_coords)
    if sizes is not None:
        before, after = (sizes.of(s.composition.get_el_amt_dict()) for s in (parent, made))
        made.scale_lattice(parent.volume * after / before)
    return made


def ion(element: str, charge: int) -> str:
    """How an ion is written: ``Sr2+``."""
    return f"{element}{abs(charge) if abs(charge) > 1 else ''}{'+' if charge > 0 else '-'}"
