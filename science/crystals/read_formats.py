"""Texts that hold structures: CIF with any number of blocks, POSCAR, extended XYZ and SHELX."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING

from science.crystals.ase import from_ase
from science.crystals.read_entry import Entry, entry

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

_BLOCK = re.compile(r"data_(\S*)", re.IGNORECASE)
_PLAIN = re.compile(
    r"^_(?:symmetry_space_group_name_h-m|space_group_name_h-m_alt)\s+['\"]?p\s*1['\"]?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_SITES = re.compile(r"^\s*_atom_site_fract_x", re.IGNORECASE | re.MULTILINE)


def cif(name: str, text: str, closest: float) -> Iterator[Entry]:
    """Each block of a CIF that has atoms; one problem if none has."""
    blocks = [(title, lines) for title, lines in _blocks(text) if _SITES.search(lines)]
    if not blocks:
        yield Entry(name, None, "no atoms in this CIF; give a cell and _atom_site_fract_x, y, z")
    for number, (title, lines) in enumerate(blocks, start=1):
        where = name if len(blocks) == 1 else f"{name}, block {number} ({title})"
        yield attempt(where, partial(_from_cif, lines), closest)


def poscar(name: str, text: str, closest: float) -> Iterator[Entry]:
    """The one structure of a POSCAR or CONTCAR."""
    yield attempt(name, partial(_from_poscar, text), closest)


def ase(name: str, text: str, closest: float, kind: str = "extxyz") -> Iterator[Entry]:
    """Each frame of a text that ASE reads; ``kind`` is ASE's name of the format."""
    from ase.io import iread

    number = 0
    try:
        for number, atoms in enumerate(iread(StringIO(text), index=":", format=kind), start=1):
            where = f"{name}, frame {number}"
            yield attempt(where, partial(from_ase, atoms), closest)
    except Exception as problem:  # ASE raises what it likes on a text that it cannot read
        yield Entry(f"{name}, frame {number + 1}", None, f"not {kind}: {_said(problem)}")
    else:
        if not number:
            yield Entry(name, None, f"no frame of {kind} in it")


def attempt(name: str, make: Callable[[], Structure], closest: float) -> Entry:
    """The checked structure that ``make`` gives, or what it failed with as a problem."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return entry(name, make(), closest)
    except Exception as problem:  # parsers raise what they like, and one bad row is no defect
        return Entry(name, None, f"cannot be read as a structure: {_said(problem)}")


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Title and lines of each data block; ``data_`` in a text field begins none and is left out."""
    title, lines, quoted = "", list[str](), False
    for line in text.splitlines():
        quoted ^= line.startswith(";")
        begins = _BLOCK.match(line.lstrip())
        if begins and quoted:  # pymatgen would cut the block here
            continue
        if begins:
            yield title, "\n".join(lines)
            title, lines = begins[1], []
        lines.append(line)
    yield title, "\n".join(lines)


def _from_cif(text: str) -> Structure:
    from pymatgen.io.cif import CifParser

    # Where symmetry makes further sites, 0.3333 has to mean 1/3; without, it is what it says.
    rounding = 0.0 if _PLAIN.search(text) else 1e-4
    parser = CifParser.from_str(text, frac_tolerance=rounding, check_cif=False)
    found = parser.parse_structures(primitive=False, on_error="raise")
    return found[0]


def _from_poscar(text: str) -> Structure:
    from pymatgen.io.vasp.inputs import Poscar

    read = Poscar.from_str(text)
    if not read.true_names:
        raise ValueError("no line of element symbols; add it above the counts (VASP 5)")
    return read.structure


def _said(problem: Exception) -> str:
    if "thickness" in str(problem) or "Singular" in str(problem):
        return "the cell has no volume; correct lengths and angles or lattice vectors"
    if "NaN" in str(problem):
        return "a coordinate or length is not a number (nan); correct it"
    kinds = {
        ZeroDivisionError: "a table in it has too few or too many values",
        IndexError: "it ends too early",
        KeyError: f"{problem} is missing",
    }
    said = kinds.get(type(problem), " ".join(str(problem).split()) or type(problem).__name__)
    return said.removeprefix("No structure parsed for section 1 in CIF. ")[:300]
