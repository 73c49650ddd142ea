"""What is known without a structure: formulas, formation energies, references, space groups."""

from __future__ import annotations

import pandas as pd

from science.core.datasets import card as find
from science.core.datasets import fetch
from science.core.errors import UserError
from science.crystals.read_table import frame


def compositions(card: str = "crystals/mp-20", split: str | None = None) -> pd.DataFrame:
    """Every row's ``id``, ``split``, ``formula`` (of the cell) and ``n_atoms``.

    Rows without coordinates are there as well, and so are a card's columns of numbers.
    """
    read = _table(card).rename(columns={"material_id": "id", "row_id": "id", "sample": "id"})
    read = read.drop(columns=["species", "frac", "frac_source"], errors="ignore")
    if split is None:
        return read
    if "split" not in read or not (read["split"] == split).any():
        raise UserError(f"{card}: no {split!r} split")
    return read[read["split"] == split].reset_index(drop=True)


def hull_entries(card: str = "crystals/mp-hull") -> pd.DataFrame:
    """Formula, ``formation_energy_per_atom`` and ``e_above_hull`` [eV/atom] of known materials."""
    return _table(card)


def elements(card: str = "crystals/elements") -> dict[str, float]:
    """Energy of each element in its most stable phase [eV/atom], MP2020 corrections included."""
    read = _table(card)
    return dict(zip(read["element"], read["energy_per_atom"].astype(float), strict=True))


def known_index(card: str = "crystals/known-index") -> pd.DataFrame:
    """Composition, space group (``spg_num``) and ``e_form`` [eV/atom] of known materials."""
    return _table(card)


def _table(card: str) -> pd.DataFrame:
    return frame(fetch(card, find(card).files[0].name))
