"""A protein chain's coordinates at the residues of its sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.proteins.contacts import distances

Floats32 = NDArray[np.float32]
BACKBONE = ("N", "CA", "C", "O")


@dataclass(frozen=True)
class Chain:
    """One chain, L residues.

    Attributes:
        name: of the structure and chain.
        sequence: L letters; of the protein, so that residues without coordinates have theirs too.
        cb: (L, 3) C-beta, C-alpha for glycine [Angstrom]; ``nan`` where unknown.
        backbone: (L, 4, 3) N, CA, C, O [Angstrom], ``nan`` where unknown; ``None`` if not kept.
        source: file or card.
        notes: what a reader had to change or assume, one sentence each.
    """

    name: str
    sequence: str
    cb: Floats32
    backbone: Floats32 | None = None
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        length = len(self.sequence)
        if self.cb.shape != (length, 3):
            raise UserError(f"{self.name}: {self.cb.shape} positions for {length} residues")
        if self.backbone is not None and self.backbone.shape != (length, 4, 3):
            raise UserError(f"{self.name}: {self.backbone.shape} atoms for {length} residues")

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(L,) which residues have a position."""
        return np.asarray(np.isfinite(self.cb).all(-1), np.bool_)

    def distances(self) -> Floats32:
        """(L, L) C-beta distances [Angstrom], ``nan`` where unknown."""
        return distances(self.cb)


def beta(backbone: Floats32) -> Floats32:
    """(L, 3) where C-beta must be, from (L, 4, 3) N, CA, C, O: ideal tetrahedral geometry.

    The coefficients are those of ProteinMPNN's and trRosetta's public code.
    """
    b = backbone[:, 1] - backbone[:, 0]
    c = backbone[:, 2] - backbone[:, 1]
    place = -0.58273431 * np.cross(b, c) + 0.56802827 * b - 0.54067466 * c + backbone[:, 1]
    return np.asarray(place, np.float32)


def cb_of(sequence: str, backbone: Floats32, given: Floats32 | None = None) -> Floats32:
    """(L, 3) C-beta: as ``given``, else from the backbone, else C-alpha; C-alpha for glycine."""
    ideal = beta(backbone)
    cb = ideal if given is None else np.where(np.isfinite(given), given, ideal)
    glycine = np.array([letter == "G" for letter in sequence])
    use_ca = glycine | ~np.isfinite(cb).all(-1)
    chosen: Floats32 = np.where(use_ca[:, None], backbone[:, 1], cb).astype(np.float32)
    return chosen
