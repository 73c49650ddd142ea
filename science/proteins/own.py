"""A user's own families: a folder of alignments and a folder of structures, without code.

An alignment and a structure belong together if their files are called the same but for the ending:
``abc.a3m`` and ``abc.pdb``. The structure is put at the alignment's query. A family's split is the
folder its alignment lies in, if that is called train, val or test; else it is drawn by name.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from pathlib import Path

from science.core import read_bytes
from science.core.allow import configurable
from science.core.datasets import card as find
from science.core.datasets import fetch
from science.core.errors import UserError
from science.proteins.alphabet import GAP
from science.proteins.families import Family
from science.proteins.read import read, same_protein
from science.proteins.read_structure import read_structure

ALIGNMENTS = (".a3m", ".a2m", ".sto", ".stk", ".aln", ".fasta", ".fa", ".afa", ".msa")
STRUCTURES = (".pdb", ".ent", ".cif", ".mmcif")
SPLITS = ("train", "val", "test")
_SHARES = (("train", 80), ("val", 90), ("test", 100))  # of a hundred names
_SHOWN = 5  # bad families named in the warning


@configurable
def own(card: str, strict: bool = False, least_coverage: float = 0.5) -> list[Family]:
    """Every family of a card's folders ``alignments`` and ``structures``, by name.

    Args:
        card: path of a dataset card with those two files, each a folder or one file.
        strict: refuse the card if anything in it cannot be read; otherwise leave that out and say
            so in a warning.
        least_coverage: share of a query's residues that must have coordinates.

    Raises:
        UserError: nothing can be read, or with ``strict`` not everything.
    """
    there = fetch(card)
    if not {"alignments", "structures"} <= set(there):
        raise UserError(f"{card}: no files called alignments and structures", "name them so")
    structures = {_stem(path): path for path in _files(there["structures"], STRUCTURES)}
    good, bad = [], []
    for path in _files(there["alignments"], ALIGNMENTS):
        try:
            good.append(_family(path, structures, least_coverage))
        except UserError as problem:
            bad.append(str(problem))
    _report(find(card).name, len(good), bad, strict)
    return good


def _family(path: Path, structures: dict[str, Path], least: float) -> Family:
    name = _stem(path)
    if name not in structures:
        raise UserError(f"{path}: no structure called {name}", "name both files alike")
    alignment = read(path)
    if GAP in alignment.tokens[0]:
        chain = read_structure(structures[name])
        alignment = same_protein(alignment, chain.sequence)
    else:
        chain = read_structure(structures[name], alignment.query)
    if chain.known.mean() < least:
        share = f"{chain.known.mean():.0%}"
        raise UserError(
            f"{structures[name]}: {share} of the query has coordinates",
            "give a fuller structure, or lower least_coverage",
        )
    return Family(name, alignment, chain.distances(), chain, _split(path))


def _files(place: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for path in sorted(place.rglob("*")):
        if path.is_file() and Path(read_bytes.plain_name(path.name)).suffix.lower() in endings:
            yield path


def _stem(path: Path) -> str:
    return read_bytes.plain_name(path.name).rsplit(".", 1)[0]


def _split(path: Path) -> str:
    if path.parent.name in SPLITS:
        return path.parent.name
    place = int(hashlib.sha256(_stem(path).encode()).hexdigest(), 16) % 100
    return next(name for name, share in _SHARES if place < share)


def _report(name: str, good: int, bad: list[str], strict: bool) -> None:
    said = "; ".join(bad[:_SHOWN])
    said += f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    if not good:
        raise UserError(f"{name}: no family can be read", said or "there are no alignments")
    if bad and strict:
        raise UserError(f"{name}: {len(bad)} of {len(bad) + good} cannot be read", said)
    if bad:
        warnings.warn(f"{name}: {len(bad)} of {len(bad) + good} left out: {said}", stacklevel=3)
