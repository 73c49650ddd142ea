"""The convex hull: how far a crystal lies above the best mixture of known phases.

A phase is stable at zero temperature if no mixture of other phases with the same composition has
less energy. The known phases are the Materials Project's of at most 20 atoms per cell within 25 meV
of its own hull, and, where they are asked for, those of larger cells (`science.crystals.larger`). A
phase that is missing can only make something look more stable than it is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from science.core.errors import UserError
from science.crystals import known

if TYPE_CHECKING:
    from pymatgen.core.composition import Composition

_SYMBOL = re.compile(r"[A-Z][a-z]?")
_FORMULA = re.compile(r"(?:[A-Z][a-z]?[0-9.]*|[()][0-9.]*)+")
MOST = 8  # elements; the hull of more takes too long, and no known phase has them


class Phase(NamedTuple):
    """A competitor: name, formula and formation energy [eV/atom]."""

    name: str
    formula: str
    e_form: float


class Above(NamedTuple):
    """Where a composition with its energy stands.

    Attributes:
        e_hull: eV/atom above the hull of the known phases; negative if it would be a new corner.
        products: what it would fall apart into, with the share of atoms of each.
        problem: why there is no answer; empty if there is.
    """

    e_hull: float
    products: str
    problem: str = ""


class Hull:
    """Hulls of all chemical systems asked for, each made once.

    Args:
        phases: competitors; of each formula only the lowest matters. Elements stand at 0.
        leave_out: names, or formulas, of phases to forget: a test set that must not compete.
    """

    def __init__(self, phases: Iterable[Phase], leave_out: Collection[str] = ()) -> None:
        self._phases: dict[frozenset[str], list[Phase]] = {}
        self._made: dict[frozenset[str], Any] = {}
        names = set(leave_out)
        formulas = {_reduced(word) for word in names if _FORMULA.fullmatch(word)}
        systems = {_system(formula) for formula in formulas}
        for phase in phases:
            alike = _system(phase.formula) in systems and _reduced(phase.formula) in formulas
            if phase.name not in names and not alike:
                self._add(phase)

    @classmethod
    def known(
        cls,
        card: str = "crystals/mp-hull",
        leave_out: Collection[str] = (),
        larger: bool = False,
    ) -> Hull:
        """The hull of a card with ``material_id``, ``formula``, ``formation_energy_per_atom``.

        With ``larger`` phases of more than 20 atoms a cell compete as well; their energies are
        less exact.
        """
        frame = known.hull_entries(card)
        columns = ("material_id", "formula", "formation_energy_per_atom")
        phases = list(itertools.starmap(Phase, zip(*(frame[c] for c in columns), strict=True)))
        if larger:
            from science.crystals.larger import larger as listed

            phases += listed()
        return cls(phases, leave_out)

    def add(self, phases: Iterable[Phase]) -> None:
        """Let further phases compete, the user's own or what has just been found."""
        for phase in phases:
            self._add(phase)

    def above(self, formula: str | Composition, e_form: float) -> Above:
        """Energy above the hull of a composition with a formation energy [eV/atom]."""
        from pymatgen.core.composition import Composition

        composition = Composition(formula).element_composition
        system = frozenset(element.symbol for element in composition)
        if not np.isfinite(e_form):
            return Above(np.nan, "", "no formation energy")
        if len(system) > MOST:
            return Above(np.nan, "", f"{len(system)} elements, more than {MOST}")
        parts = self._diagram(system).get_decomposition(composition)
        floor = sum(share * entry.energy_per_atom for entry, share in parts.items())
        named = sorted(((e.composition.reduced_formula, s) for e, s in parts.items()), key=_order)
        return Above(float(e_form - floor), " + ".join(f"{s:.2f} {f}" for f, s in named))

    def phases(self, elements: Iterable[str]) -> list[Phase]:
        """All competitors of a chemical system, without the elements at 0."""
        return [p for part in _parts(frozenset(elements)) for p in self._phases.get(part, [])]

    def _add(self, phase: Phase) -> None:
        system = _system(phase.formula)
        self._phases.setdefault(system, []).append(phase)
        for made in [made for made in self._made if system <= made]:
            del self._made[made]

    def _diagram(self, system: frozenset[str]) -> Any:
        from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
        from pymatgen.core.composition import Composition

        if system not in self._made:
            entries = [PDEntry(Composition(element), 0.0) for element in sorted(system)]
            for phase in self.phases(system):
                composition = Composition(phase.formula)
                entries.append(PDEntry(composition, phase.e_form * composition.num_atoms))
            self._made[system] = PhaseDiagram(entries)
        return self._made[system]


def formation_energy(
    formula: str | Composition, energy: float, references: Mapping[str, float] | None = None
) -> float:
    """Energy [eV/atom] less that of the elements it is made of.

    Args:
        formula: of any size.
        energy: eV/atom, on the scale of the references.
        references: element -> eV/atom; the Materials Project's unless given.

    Raises:
        UserError: an element without a reference.
    """
    from pymatgen.core.composition import Composition

    references = known.elements() if references is None else references
    shares = Composition(formula).element_composition.fractional_composition
    missing = [e.symbol for e in shares if e.symbol not in references]
    if missing:
        raise UserError(f"{formula}: no reference energy for {', '.join(missing)}")
    return float(energy - sum(share * references[e.symbol] for e, share in shares.items()))


def above_hull(
    formulas: Sequence[str],
    e_form: Sequence[float],
    leave_out: Collection[str] = (),
    extra: Iterable[Phase] = (),
) -> list[Above]:
    """Energies above the hull of many candidates at once; see ``Hull``."""
    hull = Hull.known(leave_out=leave_out)
    hull.add(extra)
    return [hull.above(f, e) for f, e in zip(formulas, e_form, strict=True)]


def _order(part: tuple[str, float]) -> tuple[float, str]:
    return -part[1], part[0]


def _parts(system: frozenset[str]) -> Iterable[frozenset[str]]:
    for size in range(1, len(system) + 1):
        yield from map(frozenset, itertools.combinations(sorted(system), size))


def _system(formula: str) -> frozenset[str]:
    return frozenset(_SYMBOL.findall(formula))


def _reduced(formula: str) -> str:
    from pymatgen.core.composition import Composition

    return str(Composition(formula).reduced_formula)
