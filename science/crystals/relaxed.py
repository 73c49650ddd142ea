"""What a relaxation gave, and a folder that remembers it by the content of what went in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from science.core.files import write_json

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

DIGITS = 4  # of Angstrom, degrees and fractions: finer differences vanish in the relaxation


@dataclass(frozen=True)
class Relaxed:
    """A structure after relaxation.

    Attributes:
        structure: of the lowest energy met; the one put in if there was a problem at once.
        energy: eV/atom, ``nan`` if there is a problem.
        converged: forces and stress are below the limit.
        steps: moves made.
        problem: why it was given up; empty if it was not.
        start: eV/atom before the first move.
    """

    structure: Structure
    energy: float
    converged: bool
    steps: int
    problem: str = ""
    start: float = float("nan")


class Memory:
    """A folder of finished relaxations, one file each, written whole or not at all.

    Args:
        folder: where; made when the first result is kept.
        how: what the result depends on besides the structure: oracle and settings.
    """

    def __init__(self, folder: Path, how: dict[str, Any]) -> None:
        self.folder, self.how = folder, how

    def key(self, structure: Structure) -> str:
        """Digest of structure and settings; of the order of atoms and the rotation it is free."""
        words = json.dumps([_canonical(structure), self.how], sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()

    def get(self, key: str) -> Relaxed | None:
        """What is remembered under a key, ``None`` if nothing is."""
        try:
            data = json.loads(self._path(key).read_text(encoding="utf-8"))
            return _decode(data)
        except (OSError, ValueError, KeyError):
            return None

    def put(self, key: str, result: Relaxed) -> None:
        """Remember a result."""
        write_json(self._path(key), _encode(result) | {"how": self.how})

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def _canonical(structure: Structure) -> list[Any]:
    cell = np.round(structure.lattice.parameters, DIGITS) + 0.0
    frac = np.round(structure.frac_coords % 1, DIGITS) % 1 + 0.0
    names = [str(s.species.element_composition) for s in structure]
    sites = sorted(zip(names, frac.tolist(), strict=True))
    return [cell.tolist(), sites]


def _encode(result: Relaxed) -> dict[str, Any]:
    structure = result.structure
    return {
        "cell": structure.lattice.matrix.tolist(),
        "numbers": [int(z) for z in structure.atomic_numbers],
        "frac": structure.frac_coords.tolist(),
        "energy": _number(result.energy),
        "start": _number(result.start),
        "converged": result.converged,
        "steps": result.steps,
        "problem": result.problem,
    }


def _decode(data: dict[str, Any]) -> Relaxed:
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.periodic_table import Element
    from pymatgen.core.structure import Structure

    elements = [Element.from_Z(z) for z in data["numbers"]]
    structure = Structure(Lattice(data["cell"]), elements, data["frac"])
    energy, start = (np.nan if data[k] is None else data[k] for k in ("energy", "start"))
    return Relaxed(structure, energy, data["converged"], data["steps"], data["problem"], start)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
