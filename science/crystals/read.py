"""Read crystals from files of many kinds; a bad one costs itself and nothing else.

for entry in read(["mine.cif", "POSCAR", "samples.csv.gz", "folder"]):
    print(entry.name, entry.structure or entry.problem)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from science.core import read_bytes
from science.core.data import read_card
from science.core.errors import UserError
from science.core.read_bytes import UnreadableError
from science.crystals import read_formats, read_rows
from science.crystals.crystal_table import CrystalTable
from science.crystals.read_entry import CLOSEST, Entry

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

__all__ = ["Entry", "read", "structures", "table"]

_Reader = Callable[[str, str, float], Iterator[Entry]]
_READERS: dict[str, _Reader] = {
    ".cif": read_formats.cif,
    ".mcif": read_formats.cif,
    ".vasp": read_formats.poscar,
    ".poscar": read_formats.poscar,
    ".csv": read_rows.rows,
    ".xyz": read_formats.ase,
    ".extxyz": read_formats.ase,
    ".res": partial(read_formats.ase, kind="res"),
    ".xsf": partial(read_formats.ase, kind="xsf"),
}
_KINDS = "CIF, POSCAR, CSV, extended XYZ, RES or XSF, compressed or not, or a folder or archive"


def read(paths: str | Path | Iterable[str | Path], closest: float = CLOSEST) -> Iterator[Entry]:
    """Every structure in the files, in order; folders and archives by name of what is in them.

    Args:
        paths: files, folders, or zip and tar archives.
        closest: distance [Angstrom] below which two atoms overlap; 0 accepts any distance, as for
            a count of how many samples of a model do overlap.
    """
    for path in [paths] if isinstance(paths, str | Path) else paths:
        yield from _path(Path(path).expanduser(), closest)


def structures(
    card: str, split: str | None = None, most: int | None = None, **options: Any
) -> list[tuple[str, Structure]]:
    """Names and structures of a dataset card, cells and sites as published.

    Args:
        card: name of a dataset card or path to one's own.
        split: only these rows; all unless given.
        most: so many of them at most, taken evenly.
        options: further arguments of the card's reader.
    """
    crystals = table(card, **options)
    if split is not None:
        crystals = crystals.take(crystals.split == split)
        if not len(crystals):
            raise UserError(f"{card}: no {split!r} split")
    if most is not None and most < len(crystals):
        from science.core.data import evenly

        crystals = crystals.take(evenly(np.full(len(crystals), "all"), most))
    return list(zip(crystals.id.tolist(), crystals.structures(), strict=True))


def table(card: str, **options: Any) -> CrystalTable:
    """What the ``reader`` of a dataset card makes of it.

    Raises:
        UserError: the card has no reader of structures.
    """
    made = read_card(card, options)
    if not isinstance(made, CrystalTable):
        raise UserError(f"{card}: this card holds no structures")
    return made


def _path(path: Path, closest: float) -> Iterator[Entry]:
    name = path.as_posix()
    try:
        if path.is_dir():
            yield from _folder(path, closest)
        elif read_bytes.is_archive(path.name):
            yield from _archive(path, closest)
        else:
            yield from _file(name, *read_bytes.content(path), closest)
    except UnreadableError as problem:
        yield Entry(name, None, f"{problem}")


def _folder(path: Path, closest: float) -> Iterator[Entry]:
    inside = sorted(p for p in path.rglob("*") if p.is_file() and _reader(p.name))
    if not inside:
        yield Entry(path.as_posix(), None, f"no structures in this folder; it may hold {_KINDS}")
    for file in inside:
        yield from _path(file, closest)


def _archive(path: Path, closest: float) -> Iterator[Entry]:
    found = False
    for name, data, warning in read_bytes.members(path):
        if _reader(name):
            found = True
            yield from _file(f"{path.as_posix()}/{name}", data, warning, closest)
    if not found:
        yield Entry(path.as_posix(), None, f"no structures in this archive; it may hold {_KINDS}")


def _file(name: str, data: bytes, warning: str, closest: float) -> Iterator[Entry]:
    reader = _reader(Path(name).name)
    if reader is None:
        yield Entry(name, None, f"no structure file by its name; give {_KINDS}")
        return
    try:
        whole = read_bytes.text(data)
    except UnreadableError as problem:
        yield Entry(name, None, str(problem))
        return
    if not warning:
        yield from reader(name, whole, closest)
        return
    if reader is read_rows.rows:  # the rows before the damage are as good as ever
        yield from read_rows.rows(name, whole, closest, cut=True)
    yield Entry(name, None, warning)


def _reader(name: str) -> _Reader | None:
    plain = read_bytes.plain_name(name)
    if plain.upper().startswith(("POSCAR", "CONTCAR")):
        return read_formats.poscar
    return _READERS.get(Path(plain).suffix.lower())
