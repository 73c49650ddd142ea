"""A user's own families: a folder of alignments and one of structures, named alike."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from science.core.allow import configurable
from science.core.datasets import fetch
from science.core.errors import UserError
from science.core.read_bytes import plain_name
from science.proteins.families import Family
from science.proteins.read import read, same_protein
from science.proteins.read_structure import read_structure

_ALIGNMENTS = (".a3m", ".a2m", ".sto", ".stk", ".aln", ".fasta", ".fa")
_STRUCTURES = (".pdb", ".ent", ".cif", ".mmcif")


@configurable
def pairs(card: str) -> Iterator[Family]:
    """Families of a card with two folders, ``alignments`` and ``structures``.

    ``alignments/NAME.a3m`` (or Stockholm, FASTA, plain rows) goes with ``structures/NAME.pdb`` (or
    mmCIF) of its query. What cannot be read or does not fit is told on the terminal and left out.

    Raises:
        UserError: no alignment has a structure, or none of them can be used.
    """
    alignments = _by_name(fetch(card, "alignments"), _ALIGNMENTS)
    structures = _by_name(fetch(card, "structures"), _STRUCTURES)
    both = sorted(alignments.keys() & structures.keys())
    if not both:
        raise UserError(
            f"{card}: no alignment has a structure of the same name",
            "call them NAME.a3m and NAME.pdb",
        )
    made = 0
    for name in both:
        try:
            family = _family(name, alignments[name], structures[name])
        except UserError as problem:
            sys.stderr.write(f"left out: {name}: {problem}\n")
            continue
        made += 1
        yield family
    if not made:
        raise UserError(f"{card}: none of its {len(both)} families can be used", "see above")


def _family(name: str, alignment: Path, structure: Path) -> Family:
    found = read(alignment)
    chain = read_structure(structure, found.query.replace("-", "X"))
    return Family(name, same_protein(found, chain.sequence), chain.distances(), chain)


def _by_name(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no folder", "let `path` in the card name a folder")
    plain = {path: Path(plain_name(path.name)) for path in sorted(folder.iterdir())}
    return {name.stem: path for path, name in plain.items() if name.suffix.lower() in endings}
