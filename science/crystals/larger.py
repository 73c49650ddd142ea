"""Phases with more than 20 atoms a cell, for the hull: listed with energies of an older scheme.

The list of known materials (card ``crystals/known-index``) has cells of all sizes, with the
Materials Project's corrections of 2019. Formulas that it shares with the hull's entries, which have
those of 2020, tell how the two differ: by a number for each element, mostly the corrections that
Se, Te, Br and I had not yet, and Sb (Wang et al. 2021, Sci. Rep. 11, 15496).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.crystals import known
from science.crystals.hull import Phase
from science.crystals.novelty import counts

Floats = NDArray[np.float64]
Counts = dict[str, int]
LARGE = 20  # atoms; cells up to this many are the hull's own
MARGIN = 0.03  # eV/atom by which they are raised, lest errors of the scheme unseat what is stable
_ROUNDS, _SOFT = 20, 0.0025  # eV/atom; differences beyond count as they are, not squared


class Shifts(NamedTuple):
    """How energies of the list differ from those of the hull's entries.

    Attributes:
        of: element -> eV for each atom, to add.
        residual: (formulas,) what is left of the difference on shared formulas [eV/atom].
    """

    of: dict[str, float]
    residual: Floats


@cache
def larger(
    index: str = "crystals/known-index", card: str = "crystals/mp-hull"
) -> tuple[Phase, ...]:
    """The lowest listed phase of each formula whose cell has more than 20 atoms.

    Formation energies are on the scale of the hull's entries, to about 0.01 eV/atom, plus `MARGIN`.
    """
    shift = shifts(index, card).of
    frame = known.known_index(index)
    lowest: dict[str, Phase] = {}
    for name, formula, e_form in zip(
        frame["mbid"], frame["composition"], frame["e_form"], strict=True
    ):
        amounts = counts(formula)
        total = sum(amounts.values())
        if total <= LARGE or not amounts.keys() <= shift.keys():
            continue
        energy = float(e_form) + sum(shift[e] * n for e, n in amounts.items()) / total + MARGIN
        key = _unit(amounts)
        if key not in lowest or energy < lowest[key].e_form:
            lowest[key] = Phase(str(name), formula, energy)
    return tuple(lowest.values())


@cache
def shifts(index: str = "crystals/known-index", card: str = "crystals/mp-hull") -> Shifts:
    """Fit the difference of both lists, on formulas whose lowest phase is on the hull."""
    here, there = known.hull_entries(card), known.known_index(index)
    here = here[here["e_above_hull"] == 0]
    ours = _lowest(here["formula"], here["formation_energy_per_atom"])
    theirs = _lowest(there["composition"], there["e_form"])
    shared = sorted(ours.keys() & theirs.keys())
    gap = np.array([ours[key] - theirs[key] for key in shared])
    return _fitted([counts(key) for key in shared], gap)


def _fitted(amounts: Sequence[Counts], gap: Floats) -> Shifts:
    """Least absolute differences: formulas that were calculated anew may differ by anything."""
    elements = sorted({e for one in amounts for e in one})
    place = {e: i for i, e in enumerate(elements)}
    share = np.zeros((len(amounts), len(elements)))
    for row, one in enumerate(amounts):
        for element, n in one.items():
            share[row, place[element]] = n / sum(one.values())
    weight = np.ones(len(gap))
    for _ in range(_ROUNDS):
        found, *_ = np.linalg.lstsq(share * weight[:, None], gap * weight, rcond=None)
        residual = gap - share @ found
        weight = np.abs(residual).clip(_SOFT) ** -0.5
    return Shifts(dict(zip(elements, found.tolist(), strict=True)), residual)


def _lowest(formulas: pd.Series, energies: pd.Series) -> dict[str, float]:
    lowest: dict[str, float] = {}
    for formula, energy in zip(formulas, energies, strict=True):
        key = _unit(counts(formula))
        lowest[key] = min(lowest.get(key, math.inf), float(energy))
    return lowest


def _unit(amounts: Counts) -> str:
    unit = math.gcd(*amounts.values())
    return "".join(f"{e}{amounts[e] // unit}" for e in sorted(amounts))
