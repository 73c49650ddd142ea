"""A structure that was made, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure


@dataclass(frozen=True)
class Made:
    """A structure from a network.

    Attributes:
        structure: what was made.
        how: in words: by which release, from what, and what was changed of the question.
        score: higher is better; for predictions the share of samples that agree with it.
        seed: of the random numbers.
    """

    structure: Structure
    how: str
    score: float | None = None
    seed: int = 0
