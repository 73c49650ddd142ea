"""Read alignments of any common format; columns become the query's residues.

A3M, A2M, aligned FASTA, Stockholm, and PSICOV's plain rows (``.aln``), compressed or not; what a
file holds decides, not its name. Lower case and dots in A3M and A2M are insertions, which no column
has, and go. Columns where the query has a gap go as well, except in plain rows: they have no names,
their first row need not be the query, and their columns are the query's already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from science.core import read_bytes
from science.core.errors import UserError
from science.core.read_bytes import UnreadableError
from science.proteins import read_rows
from science.proteins.alignment import Alignment
from science.proteins.alphabet import GAPS, UNCERTAIN, UNKNOWN, Tokens, encode, lookup
from science.proteins.read_rows import Rows

_NOT_QUERY = (
    "The first row has gaps, so it is not the query; the columns are taken as its residues."
)
LONGEST = 5_000  # columns; pair maps of longer chains do not fit in a laptop's memory
_FORMATS = "A3M, A2M, aligned FASTA, Stockholm or plain aligned rows"


@dataclass(frozen=True)
class Entry:
    """One file: an alignment, or why there is none."""

    name: str
    alignment: Alignment | None = None
    problem: str = ""
    cure: str = field(default="", repr=False)


def read_many(paths: Sequence[str | Path], query: str | None = None) -> Iterator[Entry]:
    """Each file's alignment; a bad one costs itself and nothing else."""
    for path in paths:
        try:
            yield Entry(str(path), read(path, query))
        except UserError as problem:
            yield Entry(str(path), None, problem.problem, problem.cure)


def read(path: str | Path, query: str | None = None) -> Alignment:
    """The alignment in a file.

    Args:
        path: the file.
        query: name of the row, or its sequence without gaps, that the columns follow; the first
            row if not given.

    Raises:
        UserError: the file is unreadable, empty, ragged, holds something else, or has no such row.
    """
    path = Path(path).expanduser()
    try:
        data, warning = read_bytes.content(path)
        text = read_bytes.text(data)
    except UnreadableError as problem:
        raise UserError(f"{path}: {problem}", f"give {_FORMATS}") from None
    return parse(text, str(path), query, [f"{path.name}: {warning}"] if warning else [])


def parse(text: str, name: str, query: str | None = None, notes: Sequence[str] = ()) -> Alignment:
    """The alignment in the text of a file called ``name``; as `read` otherwise."""
    said = list(notes)
    rows, plain = read_rows.rows(text, name)
    if query is not None:
        rows = _first(rows, query, name)
    stripped = read_rows.without_insertions(rows, name, said)
    tokens = _tokens(stripped, rows, name, said)
    lead = np.array([letter in GAPS for letter in stripped[0]])
    if lead.all():
        raise UserError(f"{name}: the first sequence is all gaps", "put the query first")
    if lead.any() and (query or not plain):
        tokens = np.ascontiguousarray(tokens[:, ~lead])
    elif lead.any():
        said.append(_NOT_QUERY)
    if tokens.shape[1] > LONGEST:
        raise UserError(
            f"{name}: {tokens.shape[1]} columns, more than {LONGEST}",
            "cut the protein into its domains",
        )
    names = tuple(rows.names) if rows.names else ()
    return Alignment(tokens, names, name, tuple(said))


def _tokens(stripped: Sequence[str], rows: Rows, name: str, said: list[str]) -> Tokens:
    joined = np.frombuffer("".join(stripped).encode("latin-1", "replace"), np.uint8)
    tokens = lookup(joined).reshape(len(stripped), -1)
    wrong = np.argwhere(tokens == UNKNOWN)
    if len(wrong):
        row, column = (int(v) for v in wrong[0])
        letter = stripped[row][column]
        raise UserError(
            f"{name}: {letter!r} in sequence {rows.called(row)} is no residue",
            f"is it a protein alignment? Give {_FORMATS}",
        )
    letters = joined.reshape(tokens.shape)
    uncertain = np.isin(letters, np.frombuffer((UNCERTAIN + UNCERTAIN.lower()).encode(), np.uint8))
    if uncertain.any():
        count = int(uncertain.sum())
        said.append(f"{count} uncertain residues ({', '.join(UNCERTAIN)}) count as gaps.")
    if uncertain[0].any():
        said.append(f"{int(uncertain[0].sum())} of them are in the query; their columns stay.")
    return tokens


def _first(rows: Rows, query: str, name: str) -> Rows:
    """The rows with the wanted one first."""
    for place, called in enumerate(rows.names):
        if query in (called, called.split()[0] if called.split() else ""):
            return rows.moved(place)
    wanted = query.upper()
    for place, row in enumerate(rows.sequences):
        if "".join(letter for letter in row if letter.isalpha()).upper() == wanted:
            return rows.moved(place)
    raise UserError(f"{name}: no sequence {query!r}", "give a row's name or whole sequence")


def same_protein(alignment: Alignment, sequence: str) -> Alignment:
    """The alignment with ``sequence`` as its query, where the first row is another one.

    For plain rows whose query is known from elsewhere.

    Raises:
        UserError: the sequence has not as many residues as the alignment has columns.
    """
    tokens = encode(sequence)
    if len(tokens) != alignment.length:
        raise UserError(
            f"{alignment.source}: {alignment.length} columns, but the query has {len(tokens)}",
            "give the sequence that the alignment was made for",
        )
    notes = tuple(note for note in alignment.notes if note != _NOT_QUERY)
    same = np.flatnonzero((alignment.tokens == tokens).all(1))
    if len(same):
        order = np.concatenate([same[:1], np.delete(np.arange(alignment.depth), same[0])])
        return replace(alignment.take(order), notes=notes)
    names = ("query", *alignment.names) if alignment.names else ()
    whole = np.concatenate([tokens[None], alignment.tokens])
    return Alignment(whole, names, alignment.source, notes)
