"""Niggli-reduced cells: one choice of lattice vectors for each lattice, the shortest ones."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import replace

import numpy as np

from science.core.errors import UserError
from science.crystals.crystal_table import CrystalTable, Floats

# [Angstrom]. The cells of the cards are rounded, and now and then a tolerance meets the very
# rounding at which the search for the shortest vectors goes round in circles; the next one helps.
_TOLERANCES = (1e-3, 1e-4, 1e-2, 1e-5)


def niggli(crystals: CrystalTable) -> CrystalTable:
    """The same crystals in their Niggli cells (spglib; Grosse-Kunstleve et al. 2004, Acta A 60, 1).

    Sites keep their order and their places in space.
    """
    matrix, frac = crystals.matrix.copy(), crystals.frac.copy()
    with warnings.catch_warnings():
        # spglib 2.8 warns at every call that it will raise one day; `_reduced` is ready for it.
        warnings.simplefilter("ignore", DeprecationWarning)
        for row, cell in enumerate(crystals.matrix):
            matrix[row] = _reduced(cell, crystals.id[row])
    for row, cell in enumerate(crystals.matrix):
        frac[row] = crystals.frac[row] @ cell @ np.linalg.inv(matrix[row])
    return replace(crystals, matrix=matrix, frac=frac)


def _reduced(cell: Floats, name: str) -> Floats:
    import spglib

    for tolerance in _TOLERANCES:
        with contextlib.suppress(spglib.SpglibError):
            reduced = spglib.niggli_reduce(cell, eps=tolerance)
            if reduced is not None:
                return np.asarray(reduced)
    raise UserError(f"{name}: this cell cannot be reduced", "set niggli: false")
