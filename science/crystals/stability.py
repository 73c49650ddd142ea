"""Is it stable, and is it new: one row a structure, with everything that led to the answer.

    account = stability(read(["mine.cif"]), chgnet())
    account.table()

Each structure is relaxed, its energy compared with the elements and with every mixture of known
phases, and the result looked up among known crystals. What goes wrong stays with its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from science.core.errors import UserError
from science.crystals import known as listed
from science.crystals.account import Account, Row
from science.crystals.hull import Hull, formation_energy
from science.crystals.novelty import Known
from science.crystals.oracle import Oracle
from science.crystals.read_entry import Entry
from science.crystals.relax import Relaxed, relax

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

DEEPEST = -5.0  # eV/atom; no known compound is below -4.5, so this is a hole in the potential
BELOW = -0.5  # eV/atom from the hull: as deep below all known phases nothing has been found


@dataclass
class Judge:
    """What structures are judged by; made once, since reading the known ones takes seconds.

    Attributes:
        hull: competing phases.
        known: crystals that are not new; ``None`` leaves the question out.
        references: element -> eV/atom.
    """

    hull: Hull = field(default_factory=Hull.known)
    known: Known | None = None
    references: Mapping[str, float] = field(default_factory=listed.elements)

    def values(self, structure: Structure, energy: float) -> tuple[dict[str, Any], str]:
        """Columns of one relaxed structure with its energy [eV/atom], and a problem if any.

        ``e_form``, ``e_hull`` [eV/atom], ``decays_to``; ``novel``, ``kind``, ``nearest``,
        ``nearest_formula``, ``rms`` as in ``novelty.Novelty``.
        """
        values: dict[str, Any] = {}
        if self.known is not None:
            seen = self.known.judge(structure)
            values = {"novel": seen.novel, "kind": seen.kind, "nearest": seen.nearest}
            values |= {"nearest_formula": seen.formula, "rms": seen.rms}
        try:
            e_form = formation_energy(structure.composition, energy, self.references)
        except UserError as problem:
            return values, problem.problem
        above = self.hull.above(structure.composition, e_form)
        problem_ = above.problem or _unlikely(e_form, above.e_hull)
        values |= {"e_form": e_form, "e_hull": above.e_hull, "decays_to": above.products}
        if problem_:
            values["e_hull"] = np.nan
        return values, problem_


def stability(
    entries: Iterable[Entry],
    oracle: Oracle,
    judge: Judge | None = None,
    fmax: float = 0.05,
    steps: int = 200,
    cache: str | Path | None = None,
    workers: int = 1,
    client: Any = None,
    progress: Callable[[int], None] | None = None,
) -> Account:
    """Relax and judge; one row an entry, also those that could not be read.

    Args:
        entries: of ``science.crystals.read.read``, or ``Entry(name, structure)``.
        oracle: gives energies on the scale of the Materials Project.
        judge: hull and known crystals; the cards' unless given.
        fmax, steps, cache, workers, client, progress: of ``relax``.
    """
    judge = judge or Judge(known=Known.cards())
    rows = [Row(e.name, e.structure, e.note, e.problem) for e in entries]
    good = [row for row in rows if row.structure is not None]
    results = relax(
        [row.structure for row in good if row.structure is not None],
        oracle, fmax, steps, cache, workers, client, progress,
    )  # fmt: skip
    for row, result in zip(good, results, strict=True):
        _tell(row, result, oracle, judge)
    return Account(rows)


def judged(
    names: Sequence[str], results: Sequence[Relaxed], oracle: Oracle, judge: Judge
) -> Account:
    """The account of structures that were relaxed already."""
    rows = [Row(name, result.structure) for name, result in zip(names, results, strict=True)]
    for row, result in zip(rows, results, strict=True):
        _tell(row, result, oracle, judge)
    return Account(rows)


def _tell(row: Row, result: Relaxed, oracle: Oracle, judge: Judge) -> None:
    row.structure = result.structure
    row.values |= {"energy": result.energy, "start_energy": result.start}
    row.values |= {"converged": bool(result.converged), "steps": result.steps}
    if result.problem:
        row.problem = result.problem
        return
    how = f"relaxed with {oracle.name} in {result.steps} steps"
    row.how = f"{row.how}; {how}" if row.how else how
    values, row.problem = judge.values(result.structure, result.energy)
    row.values |= values
    if not row.problem and not result.converged:
        row.problem = f"not at rest after {result.steps} steps"


def _unlikely(e_form: float, e_hull: float) -> str:
    if e_form < DEEPEST or e_hull < BELOW:
        return f"formation energy {e_form:.2f} eV/atom: the potential is out of its depth here"
    return ""
