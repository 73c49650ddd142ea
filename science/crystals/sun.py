"""S.U.N.: the share of generated structures that are stable, unique and novel at once.

The measure of MatterGen (Zeni et al. 2025, Nature 639, 624) with a potential in the place of
density-functional theory, so numbers compare with each other and not with published ones. Each
structure is relaxed; it counts if it lies below a threshold above the hull, is the first of its
kind in the set, and matches nothing known. Whatever cannot be relaxed or judged does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from science.core.seeds import rng
from science.crystals import read
from science.crystals.account import Account
from science.crystals.energies import interval
from science.crystals.known import compositions
from science.crystals.matcher import reduce, rms
from science.crystals.novelty import SAME, Known
from science.crystals.oracle import Oracle, chgnet
from science.crystals.relax import relax
from science.crystals.stability import Judge, judged

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from science.crystals.hull import Hull

Flags = NDArray[np.bool_]

CARD = "crystals/mp-20"
FMAX, STEPS = 0.1, 150  # eV/Angstrom; a few meV/atom from tighter limits at half the cost
EXACT = 0.01  # Angstrom, for cells that were made with symmetry and say so
THRESHOLDS = {"0": 0.0, "100": 0.1}  # meV/atom in the names, eV/atom


@dataclass(frozen=True)
class Sun:
    """What a set of structures is worth.

    Attributes:
        metrics: name -> ``{value, low, high, n}``: ``relaxed``, ``converged``, ``unique``,
            ``novel``, ``novel_training``, and for both thresholds ``stable_*``, ``sun_*`` and
            ``sun_training_*``; shares of all structures, with 95 % bootstrap intervals.
        account: one row a structure, as of ``stability``, with ``unique`` and ``novel_training``.
        structures: the relaxed ones, in the order of the rows.
    """

    metrics: dict[str, dict[str, float | int]]
    account: Account
    structures: list[Structure]


def measure(
    structures: Sequence[Structure],
    name: str = "samples",
    n: int | None = None,
    seed: int = 0,
    oracle: Oracle | None = None,
    judge: Judge | None = None,
    training: Known | None = None,
    cache: str | Path | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Sun:
    """S.U.N. of ``n`` structures drawn from a set.

    Against MP-20 unless told otherwise: the hull competes without the test split, novelty is
    against everything known, and ``*_training`` against what a model of MP-20 has seen.

    Args:
        structures: as generated, not relaxed.
        name: of the set; also of the random draw, so a larger ``n`` contains the smaller.
        n: how many to draw; all unless given.
        seed: of the draw and the bootstrap.
        oracle: CHGNet unless given.
        judge: hull and everything known.
        training: what the model has seen.
        cache, workers, progress: of ``relax``.
    """
    oracle, judge = oracle or chgnet(), judge or mp20_judge()
    rows = rng(seed, "sun", name).permutation(len(structures))[:n]
    small = [primitive(structures[row]) for row in rows]
    results = relax(small, oracle, FMAX, STEPS, cache, workers, progress=progress)
    account = judged([f"{name} {row}" for row in rows], results, oracle, judge)
    relaxed = [result.structure for result in results]
    good = np.array([not result.problem for result in results], bool)
    unique = first_of_kind(relaxed, good)
    seen = training or mp20_training()
    for row, structure, fine, first in zip(account.rows, relaxed, good, unique, strict=True):
        row.values["unique"] = bool(first)
        row.values["novel_training"] = bool(fine and seen.judge(structure).novel)
    return Sun(_metrics(account, good, seed), account, relaxed)


def first_of_kind(structures: Sequence[Structure], good: Flags) -> Flags:
    """(n,) which structures match none that stands before them; those not ``good`` never count."""
    kinds: dict[str, list[int]] = defaultdict(list)
    first = np.zeros(len(structures), bool)
    reduced = reduce(structures)
    for i in np.flatnonzero(good).tolist():
        others = kinds[structures[i].composition.reduced_formula]
        apart = rms([reduced[i]] * len(others), [reduced[j] for j in others], SAME)
        first[i] = not np.isfinite(apart).any()
        if first[i]:
            others.append(i)
    return first


def primitive(structure: Structure) -> Structure:
    """The smallest cell of a structure whose symmetry is exact; the structure itself if not."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    try:
        found = SpacegroupAnalyzer(structure, symprec=EXACT).find_primitive()
    except (TypeError, ValueError):  # what pymatgen makes of spglib's failures
        return structure
    return structure if found is None else found


@once
def mp20_judge() -> Judge:
    """The hull without the test split of MP-20, and everything known."""
    return Judge(hull=_hull(), known=Known.cards())


@once
def mp20_training() -> Known:
    """MP-20 without its test split; where coordinates are missing, every structure of a formula."""
    listed = compositions(CARD, "train")
    bare = listed.loc[~listed["id"].isin(read.table(CARD).id), "formula"]
    return Known.cards(splits=("train", "val"), index=None, formulas=bare)


def _hull() -> Hull:
    from science.crystals.hull import Hull

    return Hull.known(leave_out=set(compositions(CARD, "test")["id"]))


def _metrics(account: Account, good: Flags, seed: int) -> dict[str, dict[str, float | int]]:
    def flag(name: str) -> Flags:
        return np.array([row.values.get(name) is True for row in account.rows], bool)

    e_hull = np.array([row.values.get("e_hull", np.nan) for row in account.rows], float)
    novel, unique, unseen = flag("novel"), flag("unique"), flag("novel_training")
    shares = {"relaxed": good, "converged": flag("converged"), "unique": unique}
    shares |= {"novel": novel, "novel_training": unseen}
    for word, threshold in THRESHOLDS.items():
        stable = e_hull <= threshold  # false where it is not a number
        shares[f"stable_{word}"] = stable
        shares[f"sun_{word}"] = stable & unique & novel
        shares[f"sun_training_{word}"] = stable & unique & unseen
    return {name: _share(values, seed) for name, values in shares.items()}


def _share(values: Any, seed: int) -> dict[str, float | int]:
    def mean(rows: NDArray[np.int64]) -> float:
        return float(values[rows].mean())

    return interval(mean, np.arange(len(values)), seed)
