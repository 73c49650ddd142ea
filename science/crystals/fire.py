"""FIRE: slide downhill with inertia, many crystals side by side, atoms and cell together.

Bitzek et al. 2006 (Phys. Rev. Lett. 97, 170201). The first step is twice ASE's and the wait before
the next larger one shorter than the paper's, which saves a fifth of the steps. The cell moves by
strain: beside the atoms there are three more rows of coordinates, the strain of the present cell
times the number of atoms, as in ASE's cell filters, which puts both kinds on the same scale. Strain
is measured from the present cell and applied as a matrix exponential, so forces are exact however
far the cell has come, and a symmetric strain never turns the crystal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import expm

from science.crystals.oracle import Floats, Oracle, Response
from science.crystals.relaxed import Relaxed

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

STEP, LONGEST_STEP = 0.2, 1.0
PATIENCE, FASTER, SLOWER = 3, 1.1, 0.5
MIX, LESS = 0.1, 0.99
MOVE = 0.2  # Angstrom, the farthest any atom goes in one step
BLOWN = 4.0  # times the volume it began with, or its inverse: no longer the same crystal
ATOMS = 160  # moved side by side


class Walker:
    """One crystal on its way down."""

    def __init__(self, structure: Structure) -> None:
        self.structure = self.best = self.first = structure
        self.energy, self.start = np.inf, np.nan
        self.velocity = np.zeros((len(structure) + 3, 3))
        self.step, self.mix, self.downhill = STEP, MIX, 0
        self.moves, self.converged, self.problem = 0, False, ""

    def hear(self, response: Response, fmax: float) -> Floats:
        """Take in what the oracle says of the present place; forces on atoms and strain."""
        self.problem = response.problem or self._blown()
        if self.problem:
            return np.zeros_like(self.velocity)
        if self.moves == 0:
            self.start = response.energy
        if response.energy <= self.energy:
            self.energy, self.best = response.energy, self.structure
        pull = -self.structure.volume * response.stress / len(self.structure)
        forces: Floats = np.concatenate([response.forces, pull])
        self.converged = bool(np.linalg.norm(forces, axis=1).max() < fmax)
        return forces

    def move(self, forces: Floats) -> None:
        """One FIRE step."""
        power = np.vdot(forces, self.velocity)
        if power > 0:
            size, scale = np.linalg.norm(self.velocity), np.linalg.norm(forces)
            self.velocity = (1 - self.mix) * self.velocity + self.mix * size / scale * forces
            if self.downhill > PATIENCE:
                self.step = min(self.step * FASTER, LONGEST_STEP)
                self.mix *= LESS
            self.downhill += 1
        elif self.moves:
            self.velocity[:] = 0
            self.step, self.mix, self.downhill = self.step * SLOWER, MIX, 0
        self.velocity += self.step * forces
        way = self.step * self.velocity
        way *= min(1.0, MOVE / max(np.linalg.norm(way, axis=1).max(), 1e-12))
        self.structure = _moved(self.structure, way)
        self.moves += 1

    def result(self) -> Relaxed:
        """The lowest place it has been to."""
        if self.problem:
            return Relaxed(self.first, np.nan, False, self.moves, self.problem, self.start)
        return Relaxed(self.best, self.energy, self.converged, self.moves, "", self.start)

    def _blown(self) -> str:
        ratio = self.structure.volume / self.first.volume
        if not np.isfinite(ratio) or not 1 / BLOWN < ratio < BLOWN:
            return f"volume went to {ratio:.2g} times that of the start"
        return ""


def descend(
    structures: Sequence[Structure],
    oracle: Oracle,
    fmax: float,
    steps: int,
    done: Callable[[int, Relaxed], None],
) -> None:
    """Relax all; whoever has arrived leaves the batch and makes room for the next.

    Args:
        structures: in any order of size.
        oracle: asked once per step for the whole batch.
        fmax: eV/Angstrom; also the limit of the pull on the strain [eV/atom].
        steps: most moves per structure.
        done: told ``(row, result)`` as soon as a structure is finished.
    """
    queue = deque(enumerate(structures))
    active: dict[int, Walker] = {}
    while queue or active:
        while queue and _fits(active, queue[0][1]):
            row, structure = queue.popleft()
            active[row] = Walker(structure)
        said = oracle.forces_stress([w.structure for w in active.values()])
        for (row, walker), response in zip(list(active.items()), said, strict=True):
            forces = walker.hear(response, fmax)
            if walker.converged or walker.problem or walker.moves >= steps:
                done(row, walker.result())
                del active[row]
            else:
                walker.move(forces)


def _fits(active: dict[int, Walker], structure: Structure) -> bool:
    return not active or sum(len(w.first) for w in active.values()) + len(structure) <= ATOMS


def _moved(structure: Structure, way: Floats) -> Structure:
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    atoms = len(structure)
    there = structure.cart_coords + way[:atoms]
    frac = structure.lattice.get_fractional_coords(there)
    bend = expm(0.5 * (way[atoms:] + way[atoms:].T) / atoms)
    return Structure(Lattice(structure.lattice.matrix @ bend), structure.species, frac)
