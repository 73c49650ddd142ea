"""Tables of crystals: one line a structure, as the benchmark cards hold them.

A line has the cell (``a``, ``b``, ``c`` in Angstrom, ``alpha``, ``beta``, ``gamma`` in degrees),
the ``species`` (symbols between blanks) and ``frac`` (x y z of every site between blanks). Any
further column of numbers is a property.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.errors import UserError
from science.crystals.crystal_table import CrystalTable, Floats

LENGTHS, ANGLES = ("a", "b", "c"), ("alpha", "beta", "gamma")
SITES = ("species", "frac")
SCHEMA = (*LENGTHS, *ANGLES, *SITES)
TEXT = ("id", "material_id", "row_id", "sample", "split", "nsplit", "formula", *SITES)


def frame(path: str | Path) -> pd.DataFrame:
    """A table of crystals as pandas reads it: text stays text, the rest are numbers.

    Sodium nitride is ``NaN`` to a chemist and missing to pandas, so text is never guessed at.
    """
    try:
        read = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, EOFError, ValueError) as problem:
        cure = "give an unbroken CSV file, compressed or not"
        raise UserError(f"{path}: cannot be read as a table ({problem})", cure) from None
    for name in read.columns.difference(list(TEXT)):
        numbers = pd.to_numeric(read[name], errors="coerce")
        if numbers.notna().any() or not read[name].str.strip().any():
            read[name] = numbers
    return read


def table(read: pd.DataFrame, source: str, key: str | None = None) -> CrystalTable:
    """The crystals of a frame with the columns of ``SCHEMA``.

    Args:
        read: the frame; every row must have coordinates.
        source: what to call it where something is wrong.
        key: column of names; the first of ``TEXT`` that there is, else the row number.

    Raises:
        UserError: a column is missing, or a row has unknown elements or other than three numbers
            for each site.
    """
    missing = [name for name in SCHEMA if name not in read]
    if missing:
        raise UserError(f"{source}: no column {', '.join(missing)}", f"needed: {', '.join(SCHEMA)}")
    key = key or next((name for name in TEXT[:4] if name in read), None)
    names = read[key].to_numpy(dtype=np.str_) if key else np.arange(len(read)).astype(np.str_)
    words = read["species"].str.split().tolist()
    size = np.array([len(row) for row in words], dtype=np.int64)
    numbers, sites = _numbers(words, names, source), _sites(read["frac"], size, names, source)
    real = np.arange(size.max(initial=0)) < size[:, None]
    species, frac = np.zeros(real.shape, dtype=np.int64), np.zeros((*real.shape, 3))
    species[real], frac[real] = numbers, sites
    others = [n for n in read.columns if n not in (*TEXT, *SCHEMA, "n_atoms")]
    return CrystalTable(
        id=names,
        split=read["split"].to_numpy("<U5")
        if "split" in read
        else np.full(len(read), "test", "<U5"),
        species=species,
        frac=frac,
        matrix=_matrix(read),
        properties={
            name: read[name].to_numpy(np.float64)
            for name in others
            if pd.api.types.is_numeric_dtype(read[name])
        },
    )


@cache
def atomic_numbers() -> Mapping[str, int]:
    """Symbol -> atomic number of every element; D and T are hydrogen."""
    from pymatgen.core.periodic_table import Element

    return {element.symbol: int(element.Z) for element in Element} | {"D": 1, "T": 1}


def _numbers(words: Sequence[list[str]], names: NDArray[np.str_], source: str) -> list[int]:
    known = atomic_numbers()
    found = []
    for name, row in zip(names, words, strict=True):
        try:
            found += [known[symbol] for symbol in row]
        except KeyError as problem:
            raise UserError(f"{source}, {name}: no element is called {problem}") from None
    return found


def _sites(
    column: pd.Series, size: NDArray[np.int64], names: NDArray[np.str_], source: str
) -> Floats:
    words = column.str.split().tolist()
    short = np.flatnonzero(np.array([len(row) for row in words], dtype=np.int64) != 3 * size)
    if len(short):
        row = short[0]
        problem = f"{len(words[row])} coordinates for {size[row]} atoms"
        raise UserError(f"{source}, {names[row]}: {problem}", "give x y z of every site")
    try:
        return np.array([word for row in words for word in row], np.float64).reshape(-1, 3)
    except ValueError as problem:
        raise UserError(f"{source}: {problem}", "coordinates are numbers between blanks") from None


def _split(read: pd.DataFrame) -> NDArray[np.str_]:
    split = read["split"].tolist() if "split" in read else ["test"] * len(read)
    return np.array(split, dtype="<U5")


def _matrix(read: pd.DataFrame) -> Floats:
    import torch

    from science.crystals.lattice import from_lengths_angles

    lengths, angles = (read[list(names)].to_numpy(np.float64) for names in (LENGTHS, ANGLES))
    rows = from_lengths_angles(torch.from_numpy(lengths), torch.from_numpy(angles))
    made: Floats = rows.numpy()
    return made
