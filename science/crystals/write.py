"""Write crystals: CIF that says how it was made, POSCAR, extended XYZ, and one table of all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from science import __version__
from science.core.errors import UserError
from science.core.files import atomic, write_text
from science.crystals.ase import to_ase

if TYPE_CHECKING:
    import pandas as pd
    from pymatgen.core.structure import Structure

Facts = Mapping[str, object]
_PLACES = 8  # decimal places of cells and coordinates in tables


def cif(structure: Structure, facts: Facts | None = None, name: str = "") -> str:
    """One CIF block in space group P1, every site written out.

    Args:
        structure: what to write.
        facts: how it was made and what is known of it; they stand in ``_audit_creation_method``,
            one ``key: value`` a line, where any reader of CIF keeps them.
        name: of the block; the reduced formula unless given.
    """
    from pymatgen.io.cif import CifWriter

    written = str(CifWriter(structure, significant_figures=_PLACES))
    lines = [line for line in written.splitlines() if not line.startswith("#")]
    block = re.sub(r"\s+", "_", name or structure.reduced_formula)
    said = [f"{key}: {_line(value)}" for key, value in (facts or {}).items()]
    audit = ["_audit_creation_method", ";", f"fifth-paradigm {__version__}", *said, ";"]
    return "\n".join([f"data_{block}", *audit, *lines[1:]]) + "\n"


def poscar(structure: Structure, facts: Facts | None = None) -> str:
    """A POSCAR with direct coordinates; the facts share its first line."""
    from pymatgen.io.vasp.inputs import Poscar

    said = "; ".join(f"{key}: {_line(value)}" for key, value in (facts or {}).items())
    comment = f"{structure.reduced_formula}{'; ' if said else ''}{said}"
    return str(Poscar(structure, comment=comment).get_str(significant_figures=12))


def extxyz(structure: Structure, facts: Facts | None = None) -> str:
    """One frame of extended XYZ, the facts as its key=value pairs."""
    from ase.io import write

    atoms = to_ase(structure)
    atoms.info.update({key: _plain(value) for key, value in (facts or {}).items()})
    text = StringIO()
    write(text, atoms, format="extxyz")
    return text.getvalue()


FORMATS: Mapping[str, tuple[str, Callable[..., str]]] = {
    "cif": (".cif", cif),
    "poscar": (".vasp", poscar),
    "extxyz": (".extxyz", extxyz),
}


def save(
    folder: str | Path,
    structures: Mapping[str, Structure],
    facts: Mapping[str, Facts] | None = None,
    form: str = "cif",
) -> list[Path]:
    """One file a structure, named after it; the paths.

    Args:
        folder: made if it is not there.
        structures: name -> structure.
        facts: name -> what the file should say of it.
        form: ``cif``, ``poscar`` or ``extxyz``.
    """
    if form not in FORMATS:
        raise UserError(f"there is no format {form!r} to write", f"one of {', '.join(FORMATS)}")
    suffix, write = FORMATS[form]
    paths = [Path(folder) / (_file_name(name) + suffix) for name in structures]
    twice = sorted({path.name for path in paths if paths.count(path) > 1})
    if twice:
        raise UserError(f"two structures would be written to {twice[0]}", "give them other names")
    for path, (name, structure) in zip(paths, structures.items(), strict=True):
        write_text(path, write(structure, (facts or {}).get(name)))
    return paths


def table(
    structures: Mapping[str, Structure], columns: Mapping[str, Sequence[Any]] | None = None
) -> pd.DataFrame:
    """One row a structure, in the schema that ``read`` takes, with further columns behind it."""
    import pandas as pd

    rows = [_row(name, structure) for name, structure in structures.items()]
    return pd.DataFrame(rows).assign(**(columns or {}))


def save_table(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a table as CSV, atomically; compressed if the name says so."""
    with atomic(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def _row(name: str, structure: Structure) -> dict[str, object]:
    a, b, c, alpha, beta, gamma = (round(x, _PLACES) for x in structure.lattice.parameters)
    frac = structure.frac_coords.round(_PLACES) % 1
    return {
        "id": name,
        "formula": structure.formula.replace(" ", ""),
        "n_atoms": len(structure),
        "a": a,
        "b": b,
        "c": c,
        "alpha": alpha,
        "beta": beta,
        "gamma": gamma,
        "species": " ".join(site.specie.symbol for site in structure),
        "frac": " ".join(f"{x:.{_PLACES}f}".rstrip("0").rstrip(".") for x in frac.flat),
    }


def _line(value: object) -> str:
    return " ".join(str(value).split())


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float) else _line(value)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", name).strip("._") or "structure"
