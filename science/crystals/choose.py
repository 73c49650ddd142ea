"""Of many crystals that were made, those worth a relaxation: new ones, and the likeliest stable.

A generator may look at more of its samples than it hands over, as long as it says how many and does
not ask the oracle that will judge it. Here the screening networks say what stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from science.crystals.hull import Hull
from science.crystals.novelty import Known
from science.crystals.oracle import unfit
from science.crystals.stability import BELOW

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure
    from torch import nn

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NETWORK = "crystals/screening"
DOUBT = 2.0  # spreads; of 150 relaxed crystals it put the stable ones lowest (crystals/mp20-sun)
_ALL = frozenset(range(1, 119))


def best(structures: Sequence[Structure], above: Floats, count: int) -> Ints:
    """Rows of the ``count`` lowest, one of each formula; others of it only if there is room.

    Args:
        structures: to choose from.
        above: (n,) expected energy above the hull [eV/atom]; ``nan`` comes last.
        count: how many to take.
    """
    order = np.argsort(np.nan_to_num(above, nan=np.inf), kind="stable")
    seen: set[str] = set()
    first: list[int] = []
    again: list[int] = []
    for row in order.tolist():
        formula = structures[row].composition.reduced_formula
        (again if formula in seen else first).append(row)
        seen.add(formula)
    return np.array([*first, *again][:count], dtype=np.int64)


def above_hull(
    structures: Sequence[Structure],
    network: str = NETWORK,
    hull: Hull | None = None,
    accelerator: str = "auto",
    doubt: float = DOUBT,
) -> Floats:
    """(n,) energy above the hull [eV/atom] as screening networks expect it.

    It is ``nan`` for what no network can be asked about, and where it is deeper below the hull than
    anything has been found: the lowest of many expectations are mostly mistakes.

    Args:
        structures: any; they need not be at rest.
        network: release, or folder of a run of crystals/screening.
        hull: of what is known; all of it unless given.
        accelerator: where the networks run.
        doubt: how many times the spread of the networks is added, so that no crystal is chosen for
            one network's mistake.
    """
    from science.crystals.energies import energies, samples

    found = np.full(len(structures), np.nan)
    fit = np.array([i for i, s in enumerate(structures) if not unfit(s, _ALL)], dtype=np.int64)
    if not len(fit):
        return found
    hull = Hull.known() if hull is None else hull
    each = energies(_nets(network), samples([structures[i] for i in fit]), accelerator)
    for row, e_form, spread in zip(fit, each.mean(0), each.std(0), strict=True):
        above = hull.above(structures[row].composition, float(e_form)).e_hull
        found[row] = above + doubt * spread if above > BELOW else np.nan
    return found


def fresh(known: Known | None = None) -> Callable[[Structure], bool]:
    """Whether a structure's composition is on no list of known materials."""
    known = Known.cards() if known is None else known
    return lambda structure: not known.lists(structure.composition.reduced_formula)


def _nets(network: str) -> tuple[nn.Module, ...]:
    from science.core.releases import load

    return tuple(load(network).members)  # anew for every run, which notes what it opens
