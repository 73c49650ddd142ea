"""The hull as a campaign moves it: every crystal that was relaxed competes with all others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from science.crystals.discover_loop import Try
from science.crystals.hull import Hull, Phase


class Raised:
    """A hull with finds added, system by system; the hull itself stays as it is.

    Args:
        hull: of what was known.
        finds: what was relaxed since.
    """

    def __init__(self, hull: Hull, finds: Sequence[Phase]) -> None:
        self.hull = hull
        self._finds = [(phase, _system(phase.formula)) for phase in finds]
        self._made: dict[frozenset[str], Hull | None] = {}

    def above(self, formula: str, e_form: float) -> float:
        """Energy above the hull [eV/atom]."""
        return (self._of(_system(formula)) or self.hull).above(formula, e_form).e_hull

    def floor(self, formula: str) -> float | None:
        """Energy of the hull at a composition [eV/atom]; ``None`` where no find touches it."""
        made = self._of(_system(formula))
        return None if made is None else -made.above(formula, 0.0).e_hull

    def _of(self, system: frozenset[str]) -> Hull | None:
        if system not in self._made:
            own = [phase for phase, elements in self._finds if elements <= system]
            self._made[system] = Hull([*self.hull.phases(system), *own]) if own else None
        return self._made[system]


def phases(tries: Iterable[Try]) -> list[Phase]:
    """What was relaxed to the end, as competitors."""
    return [
        Phase(
            t.verdict.name, str(t.verdict.structure.composition.reduced_formula), t.verdict.e_form
        )
        for t in tries
        if t.verdict.converged and t.verdict.structure is not None and t.verdict.e_form is not None
    ]


def _system(formula: str) -> frozenset[str]:
    from pymatgen.core.composition import Composition

    return frozenset(e.symbol for e in Composition(formula))
