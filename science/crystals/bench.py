"""What ``fifth bench crystals`` measures: matching predictions to the truth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from science.core.bench import Case
from science.core.seeds import rng
from science.core.throughput import Round

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

_TARGETS, _SAMPLES = 10, 20  # 20 samples of each target, as the field judges
_ELEMENTS = ("Sr", "Ti", "O", "K", "Nb", "F", "Ba", "Zr", "S")


def cases() -> list[Case]:
    """Ours first, then what it is compared with."""
    found = []
    for what, formula in (("5 sites, 3 elements", (1, 1, 3)), ("12 sites, 3 elements", (2, 4, 6))):
        measure = f"matching {what} [pairs/CPU-s]"
        found += [
            Case(measure, "matcher", partial(_ours, formula), rounds=3),
            Case(measure, "pymatgen StructureMatcher", partial(_peer, formula), rounds=3),
        ]
    return found


def _pairs(counts: tuple[int, ...]) -> tuple[list[list[Structure]], list[Structure]]:
    """Samples of targets, from nearly right to wrong, as a generator makes them."""
    draw = rng(3, "bench", *counts)
    truth = [_drawn(draw, counts) for _ in range(_TARGETS)]
    return [[_moved(draw, one, k) for k in range(_SAMPLES)] for one in truth], truth


def _drawn(draw: np.random.Generator, counts: tuple[int, ...]) -> Structure:
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    symbols = draw.choice(_ELEMENTS, len(counts), replace=False)
    species = [s for s, n in zip(symbols, counts, strict=True) for _ in range(n)]
    cell = np.eye(3) * (14.0 * len(species)) ** (1 / 3) * (1 + draw.normal(0, 0.05, 3))
    return Structure(Lattice(cell), species, draw.random((len(species), 3)))


def _moved(draw: np.random.Generator, one: Structure, step: int) -> Structure:
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    cell = one.lattice.matrix @ (np.eye(3) + draw.normal(0, 0.03, (3, 3)))
    frac = one.frac_coords + draw.normal(0, 0.2 * step / _SAMPLES, (len(one), 3)) + draw.random(3)
    return Structure(Lattice(cell), one.species, frac)


def _ours(counts: tuple[int, ...]) -> Round:
    from science.crystals.matcher import table

    made, truth = _pairs(counts)
    table([made[0][:1]], truth[:1])  # compiles

    def work() -> float:
        table(made, truth)
        return float(_TARGETS * _SAMPLES)

    return work


def _peer(counts: tuple[int, ...]) -> Round:
    from pymatgen.core import structure_matcher

    made, truth = _pairs(counts)
    matcher: Any = structure_matcher.StructureMatcher(ltol=0.3, stol=0.5, angle_tol=10)

    def work() -> float:
        for samples, one in zip(made, truth, strict=True):
            for sample in samples:
                matcher.get_rms_dist(sample, one)
        return float(_TARGETS * _SAMPLES)

    return work
