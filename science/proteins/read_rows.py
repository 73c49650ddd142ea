"""Names and raw rows of an alignment's text, and which of their letters are insertions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from science.core.errors import UserError

_INSERTED = {ord(letter): None for letter in "abcdefghijklmnopqrstuvwxyz."}
_STOCKHOLM = "# STOCKHOLM"


@dataclass(frozen=True)
class Rows:
    """Sequences as they stand in a file, with their names if it has any."""

    names: list[str]
    sequences: list[str]

    def moved(self, place: int) -> Rows:
        """The same rows with the one at ``place`` first."""
        order = [place, *(i for i in range(len(self.sequences)) if i != place)]
        names = [self.names[i] for i in order] if self.names else []
        return Rows(names, [self.sequences[i] for i in order])

    def called(self, place: int) -> str:
        """What to call a row in a message."""
        name = self.names[place] if self.names else ""
        return f"{place + 1} ({name[:40]})" if name else str(place + 1)


def rows(text: str, name: str) -> tuple[Rows, bool]:
    """Rows of a file called ``name``, and whether they are plain rows without names.

    Raises:
        UserError: the text holds no alignment.
    """
    start = text.lstrip()
    if start.startswith(_STOCKHOLM):
        return _stockholm(start, name), False
    if start.startswith((">", "#", ";")):
        return fasta(text, name), False
    return _plain(text, name)


def without_insertions(found: Rows, name: str, said: list[str]) -> list[str]:
    """Rows of equal length.

    Raises:
        UserError: no reading of the letters makes the rows equally long.
    """
    raw = found.sequences
    length = len(raw[0])
    if all(len(row) == length for row in raw):
        return _inserted_columns(raw, said)
    matched = [row.translate(_INSERTED) for row in raw]
    length = len(matched[0])
    for place, row in enumerate(matched):
        if len(row) != length:
            raise UserError(
                f"{name}: sequence {found.called(place)} has {len(row)} columns, the first"
                f" {length}",
                "align the sequences first (`fifth proteins align`), or restore what was cut",
            )
    if not length:
        raise UserError(f"{name}: the first sequence has no residue in upper case", "see A3M")
    return matched


def _inserted_columns(raw: Sequence[str], said: list[str]) -> list[str]:
    """A2M's insert columns go: they hold lower case and dots alone, where others do not.

    A file all in lower case has no insertions; lower case here and there in columns of upper case
    marks what somebody masked, and counts as residues.
    """
    letters = np.frombuffer("".join(raw).encode("latin-1", "replace"), np.uint8)
    table = letters.reshape(len(raw), -1)
    lower = (table >= ord("a")) & (table <= ord("z"))
    upper = (table >= ord("A")) & (table <= ord("Z"))
    dots = table == ord(".")
    insert = (lower | dots).all(0)
    if not upper.any() or not insert.any() or not (table[:, ~insert].size):
        if lower.any() and upper.any():
            said.append("Lower case counts as upper: the columns are aligned.")
        return list(raw)
    kept = np.ascontiguousarray(table[:, ~insert])
    return [row.tobytes().decode("latin-1") for row in kept]


def fasta(text: str, name: str) -> Rows:
    """Names and sequences of FASTA text, aligned or not.

    Raises:
        UserError: there is no sequence, or one is empty.
    """
    names: list[str] = []
    parts: list[list[str]] = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith(">"):
            names.append(line[1:].strip())
            parts.append([])
        elif line and not line.startswith(("#", ";")):
            if not parts:
                raise UserError(f"{name}: letters before the first '>'", "is it a FASTA file?")
            parts[-1].append("".join(line.split()).rstrip("*"))
    sequences = ["".join(part) for part in parts]
    empty = next((i for i, row in enumerate(sequences) if not row), None)
    if not sequences:
        raise UserError(f"{name}: no sequence", "get the file again")
    if empty is not None:
        called = Rows(names, sequences).called(empty)
        raise UserError(f"{name}: sequence {called} is empty", "the file may be cut short")
    return Rows(names, sequences)


def _stockholm(text: str, name: str) -> Rows:
    from pyhmmer.easel import MSAFile

    unix = "\n".join(text.splitlines()) + "\n"
    try:
        with MSAFile(io.BytesIO(unix.encode()), format="stockholm") as file:
            found = file.read()
    except (ValueError, EOFError, OSError) as problem:
        raise UserError(f"{name}: broken Stockholm file ({problem})", "get it again") from None
    if found is None or not len(found.names):
        raise UserError(f"{name}: no sequence", "get the file again")
    # In Stockholm '.' and '-' are both gaps, and case means nothing that all writers agree on.
    rows = [row.replace(".", "-").upper() for row in found.alignment]
    return Rows([str(label) for label in found.names], rows)


def _plain(text: str, name: str) -> tuple[Rows, bool]:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    widths = {len(line) for line in lines}
    if widths == {1}:
        return Rows([], [line[0] for line in lines]), True
    if widths == {2}:
        return Rows([line[0] for line in lines], [line[1] for line in lines]), False
    raise UserError(
        f"{name}: no alignment", "give A3M, A2M, aligned FASTA, Stockholm or plain aligned rows"
    )
