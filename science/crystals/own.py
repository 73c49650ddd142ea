"""A user's own crystals as a training table: files, folders, archives and tables on one card."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from science.core.allow import configurable
from science.core.datasets import card as find
from science.core.datasets import fetch
from science.core.errors import UserError
from science.crystals.crystal_table import CrystalTable, from_structures, reduced_formulas
from science.crystals.read import Entry, read
from science.crystals.read_rows import NAMES
from science.crystals.splits import SHARES, drawn

_SHOWN = 5  # bad files named in the warning; `fifth crystals evaluate` names all


@configurable
def own(card: str, strict: bool = False, seed: int = 0) -> CrystalTable:
    """Every readable structure of a card's files, its names, splits and columns of numbers.

    A structure's split is the column ``split`` of its table, else its file or the file's folder if
    that is called train, val or test, else drawn: 80, 10 and 10 % of the formulas.

    Args:
        card: path of a dataset card.
        strict: refuse the card if anything in it cannot be read; otherwise leave that out and say
            so in a warning.
        seed: of the drawn split.

    Raises:
        UserError: nothing can be read, or with ``strict`` not everything.
    """
    entries = list(read(fetch(card).values()))
    good = [entry for entry in entries if entry.structure is not None]
    bad = [entry for entry in entries if entry.structure is None]
    _report(find(card).name, good, bad, strict)
    crystals = from_structures(_names(good), [e.structure for e in good if e.structure is not None])
    said = np.array([_split(entry) for entry in good], dtype="<U5")
    rest = drawn(reduced_formulas(crystals.species), seed, "crystals", "own split")
    split = np.where(said == "", rest, said)
    return replace(crystals, split=split, properties=_numbers([e.columns or {} for e in good]))


def _report(name: str, good: Sequence[Entry], bad: Sequence[Entry], strict: bool) -> None:
    said = "; ".join(f"{entry.name}: {entry.problem}" for entry in bad[:_SHOWN])
    said += f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    if not good:
        raise UserError(f"{name}: no structure can be read", said)
    if bad and strict:
        raise UserError(f"{name}: {len(bad)} of {len(bad) + len(good)} cannot be read", said)
    if bad:
        left = f"{name}: {len(bad)} of {len(bad) + len(good)} left out"
        warnings.warn(f"{left}: {said}", stacklevel=3)


def _names(entries: Sequence[Entry]) -> list[str]:
    """What the tables or files call them if that is unique, else where they lie."""
    called = [_called(entry) for entry in entries]
    return called if len(set(called)) == len(called) else [entry.name for entry in entries]


def _called(entry: Entry) -> str:
    columns = entry.columns or {}
    return next((columns[key] for key in NAMES if columns.get(key)), PurePath(entry.name).name)


def _split(entry: Entry) -> str:
    said = (entry.columns or {}).get("split", "")
    if said and said not in SHARES:
        raise UserError(f"{entry.name}: split {said!r}", f"one of {', '.join(SHARES)}")
    path = PurePath(entry.name.partition(", ")[0])
    places = (path.name.partition(".")[0], path.parent.name)
    return said or next((place for place in places if place in SHARES), "")


def _numbers(rows: Sequence[Mapping[str, str]]) -> dict[str, NDArray[np.float64]]:
    """Columns that hold nothing but numbers and gaps; ``nan`` for a gap."""
    names = dict.fromkeys(key for row in rows for key in row)
    found = {}
    for name in names:
        if name in (*NAMES, "split", "n_atoms"):
            continue
        try:
            values = [float(row.get(name) or "nan") for row in rows]
        except ValueError:
            continue
        if not np.isnan(values).all():
            found[name] = np.array(values)
    return found
