"""How alike two crystals are: pymatgen's ``StructureMatcher``, hundreds of times as fast.

The field counts a prediction as right if ``StructureMatcher(ltol=0.3, stol=0.5, angle_tol=10)``
matches it to the truth, and asks how far its sites are off, in units of (V / N)^(1/3) (Xie et al.
2022, ICLR; Ong et al. 2013, Comput. Mater. Sci. 68, 314). Here the same is computed by compiled
code with bounds. Where the bounds differ - a distance that ties, a length on the edge of its
tolerance - pymatgen is asked, so both agree by construction.

    rms(predicted, truth)                          # one number a pair, nan where they do not match
    table([[s1, s2], [s3]], truth)                 # every sample of every target
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from science.crystals.crystals import Crystals
from science.crystals.matcher_compiled import Floats, Ints
from science.crystals.matcher_pair import pair
from science.crystals.matcher_reduce import Reduced, reduce

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

__all__ = ["CSP", "Reduced", "Tolerances", "reduce", "rms", "table"]

_SAME = 1e-5  # bounds closer than this are one number
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Tolerances:
    """How different two crystals may be and still match; the field's choice unless given.

    Attributes:
        ltol: lengths, as a fraction.
        stol: sites, as a fraction of (V / N)^(1/3).
        angle_tol: angles [degree].
    """

    ltol: float = 0.3
    stol: float = 0.5
    angle_tol: float = 10.0


CSP = Tolerances()
Many = Crystals | Sequence["Structure"] | Sequence[Reduced]


def rms(
    one: Many, two: Many, tolerances: Tolerances = CSP, jobs: int = 1, tell: Tell | None = None
) -> Floats:
    """Rms displacement of each pair / (V / N)^(1/3), (pairs,); nan where they do not match.

    Args:
        one: predictions. Equal to ``StructureMatcher(...).get_rms_dist(one, two)[0]``.
        two: what they are compared with, as many.
        tolerances: of lengths, sites and angles.
        jobs: processes to spread the pairs over.
        tell: told how many pairs are done, and of how many.
    """
    if jobs > 1:
        return _spread(one, two, tolerances, jobs)
    first, second = _made(one), _made(two)
    found = np.empty(len(first))
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        found[i] = _single(a, b, tolerances)
        if tell is not None:
            tell(i + 1, len(first))
    return found


def table(
    predicted: Sequence[Sequence[Structure]],
    truth: Many,
    tolerances: Tolerances = CSP,
    jobs: int = 1,
    tell: Tell | None = None,
) -> Floats:
    """The rms of every prediction of every target, (targets, most predictions of one); else nan."""
    references = _made(truth)  # each reduced once for all its predictions
    flat = [s for samples in predicted for s in samples]
    against = [r for r, samples in zip(references, predicted, strict=True) for _ in samples]
    found = rms(flat, against, tolerances, jobs, tell)
    out = np.full((len(predicted), max((len(p) for p in predicted), default=0)), np.nan)
    rest = iter(found)
    for row, samples in enumerate(predicted):
        out[row, : len(samples)] = [next(rest) for _ in samples]
    return out


def _made(many: Many) -> list[Reduced]:
    if isinstance(many, Crystals):
        return reduce(many)
    return [one if isinstance(one, Reduced) else reduce([one])[0] for one in many]


def _single(one: Reduced, two: Reduced, tolerances: Tolerances) -> float:
    if not len(one.species) or not np.array_equal(one.species, two.species):
        return np.nan
    t, two = tolerances, two.reference
    low, high = pair(
        one.frac, one.cell, two.frac, two.cell, two.block, two.anchor, t.ltol, t.stol, t.angle_tol
    )
    if low > t.stol + _SAME:
        return np.nan
    if high - low > _SAME or abs(high - t.stol) <= _SAME:
        return _asked(one, two, tolerances)
    return float(high)


def _asked(one: Reduced, two: Reduced, tolerances: Tolerances) -> float:
    from pymatgen.core.structure_matcher import StructureMatcher

    matcher: Any = StructureMatcher(tolerances.ltol, tolerances.stol, tolerances.angle_tol)
    found = matcher.get_rms_dist(one.structure, two.structure)
    return np.nan if found is None else float(found[0])


def _spread(one: Many, two: Many, tolerances: Tolerances, jobs: int) -> Floats:
    from joblib import Parallel, delayed

    count = len(one.species) if isinstance(one, Crystals) else len(one)
    parts = [p for p in np.array_split(np.arange(count), 4 * jobs) if len(p)]
    found: Iterable[Floats] = Parallel(jobs)(
        delayed(rms)(_some(one, p), _some(two, p), tolerances) for p in parts
    )
    return np.concatenate([np.zeros(0), *found])


def _some(many: Many, rows: Ints) -> Many:
    if isinstance(many, Crystals):
        return many.take(torch.from_numpy(rows))
    return [many[i] for i in rows]
