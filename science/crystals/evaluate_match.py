"""Which reference of the same formula a structure is, and which references are met at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from science.crystals.matcher import Reduced, Tell, reduce, rms

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure


Floats = NDArray[np.float64]


class Found(NamedTuple):
    """The nearest reference.

    Attributes:
        asked: whether any reference has the formula.
        name: of the nearest that matches; empty if none does.
        rms: how far it is, in units of (V / N)^(1/3); ``nan`` if none matches.
    """

    asked: bool
    name: str
    rms: float


def nearest(
    structures: Sequence[Structure | None],
    reference: Sequence[tuple[str, Structure]],
    jobs: int = 1,
    tell: Tell | None = None,
) -> tuple[list[Found], Floats]:
    """The nearest reference of each structure, and the nearest structure of each reference.

    Returns:
        One ``Found`` a structure, also for what is no structure; and the least rms of every
        reference whose formula any structure has, ``nan`` where none matches (METRe, see
        `science.crystals.csp_metre`).
    """
    formulas = [_formula(s) for s in structures]
    known, names = _known(reference, set(formulas)), [name for name, _ in reference]
    pairs = [(i, j) for i, formula in enumerate(formulas) for j in known.get(formula, {})]
    asked = {i for i, _ in pairs}
    made = {i: reduce([s])[0] for i, s in enumerate(structures) if s is not None and i in asked}
    every = {j: one for some in known.values() for j, one in some.items()}
    found = rms([made[i] for i, _ in pairs], [every[j] for _, j in pairs], jobs=jobs, tell=tell)
    best = [Found(bool(known.get(formula)), "", np.nan) for formula in formulas]
    met = dict.fromkeys(every, np.inf)
    for (i, j), distance in zip(pairs, found, strict=True):
        if not distance >= best[i].rms and np.isfinite(distance):
            best[i] = Found(True, names[j], float(distance))
        met[j] = min(met[j], float(np.nan_to_num(distance, nan=np.inf)))
    least = np.array([met[j] for j in sorted(met)], dtype=np.float64)
    return best, np.where(np.isfinite(least), least, np.nan)


def _known(
    reference: Sequence[tuple[str, Structure]], formulas: set[str]
) -> dict[str, dict[int, Reduced]]:
    known: dict[str, dict[int, Reduced]] = defaultdict(dict)
    for j, (_, structure) in enumerate(reference):
        formula = _formula(structure)
        if formula in formulas:
            known[formula][j] = reduce([structure])[0]
    return known


def _formula(structure: Structure | None) -> str:
    return "" if structure is None else str(structure.composition.reduced_formula)
