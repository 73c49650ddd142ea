"""Find a protein's homologues in the user's own sequence file, and align them to it.

HMMER's iterative search (jackhmmer; Johnson, Eddy and Portugaly 2010, BMC Bioinformatics 11, 431),
by pyhmmer, offline: each round's hits make the profile of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from science.core import read_bytes
from science.core.errors import UserError
from science.core.files import write_text
from science.core.read_bytes import UnreadableError
from science.proteins.alignment import Alignment
from science.proteins.alphabet import GAP, encode

E_VALUE = 1e-3  # hits above it do not enter the profile, nor the alignment
ROUNDS = 3
_MOST_BYTES = 2 * 2**30
_GAPS = "-._~"

Tell = Callable[[str, int, int, str], None]


@dataclass(frozen=True)
class Hit:
    """One homologue.

    Attributes:
        name: in the sequence file.
        e_value: of the whole sequence in the last round.
        score: [bit].
        coverage: share of the query's residues that it aligns to.
        identity: share of those that are the same.
    """

    name: str
    e_value: float
    score: float
    coverage: float
    identity: float


@dataclass(frozen=True)
class Found:
    """What a search gives.

    Attributes:
        alignment: query first.
        a3m: the same as text, insertions and all.
        hits: best first.
        notes: what to know of it.
    """

    alignment: Alignment
    a3m: str
    hits: tuple[Hit, ...]
    notes: tuple[str, ...]


def search(
    query: str,
    database: str | Path,
    name: str = "query",
    rounds: int = ROUNDS,
    e_value: float = E_VALUE,
    least_coverage: float = 0.5,
    tell: Tell | None = None,
) -> Found:
    """Homologues of ``query`` in a FASTA file, aligned.

    Args:
        query: one sequence.
        database: FASTA file, compressed or not.
        name: of the query.
        rounds: of the search; it stops once a round finds nothing new.
        e_value: of a hit that enters the profile.
        least_coverage: share of the query that a homologue must align to, to enter the alignment.
        tell: progress, round by round.

    Raises:
        UserError: the query or the file is not of protein sequences.
    """
    from pyhmmer import easel
    from pyhmmer.plan7 import Background, Builder, Pipeline

    alphabet = easel.Alphabet.amino()
    letters = _query(query)
    wanted = easel.TextSequence(name=name.encode(), sequence=letters).digitize(alphabet)
    targets = _database(Path(database).expanduser(), alphabet)
    builder = Builder(alphabet, architecture="hand", seed=1)
    pipeline = Pipeline(alphabet, background=Background(alphabet), E=e_value, incE=e_value, seed=1)
    result: Any = None
    for result in pipeline.iterate_seq(wanted, targets, builder):
        if tell is not None:
            tell("searching", int(result.iteration), rounds, f"{len(result.hits.included)} hits")
        if result.converged or result.iteration >= rounds:
            break
    rows = _rows(result.hits.to_msa(alphabet, sequences=[wanted], traces=_own(wanted, result)))
    return _made(rows, name, letters, result.hits, least_coverage, Path(database).name)


def read_queries(path: str | Path) -> list[tuple[str, str]]:
    """Names and sequences of a FASTA file with one or more queries.

    Raises:
        UserError: the file is unreadable or holds none.
    """
    from science.proteins.read_rows import fasta

    text = _text(Path(path).expanduser(), "give a FASTA file")
    found = fasta(text, str(path))
    names = [label.split()[0] if label.split() else "query" for label in found.names]
    return list(zip(names, found.sequences, strict=True))


def write(path: str | Path, found: Found) -> None:
    """Write the alignment as A3M."""
    write_text(path, found.a3m)


def _text(path: Path, cure: str) -> str:
    try:
        return read_bytes.text(read_bytes.content(path)[0])
    except UnreadableError as problem:
        raise UserError(f"{path}: {problem}", cure) from None


def _query(query: str) -> str:
    letters = "".join(query.split()).upper().rstrip("*")
    for gap in _GAPS:
        letters = letters.replace(gap, "")
    encode(letters)
    if len(letters) < 10:
        raise UserError(f"the query has {len(letters)} residues", "give at least 10")
    return letters


def _database(path: Path, alphabet: Any) -> Any:
    from pyhmmer.easel import DigitalSequenceBlock, SequenceFile, TextSequence

    from science.proteins.read_rows import fasta

    if path.suffix in (".gz", ".bz2", ".xz"):
        rows = fasta(_text(path, "give a FASTA file"), str(path))
        pairs = zip(rows.names, rows.sequences, strict=True)
        return DigitalSequenceBlock(
            alphabet,
            [
                TextSequence(name=_word(n, k).encode(), sequence=s.upper()).digitize(alphabet)
                for k, (n, s) in enumerate(pairs)
            ],
        )
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"{path}: larger than 2 GB", "split it")
        with SequenceFile(str(path), digital=True, alphabet=alphabet, format="fasta") as file:
            block = file.read_block()
    except (OSError, ValueError, EOFError) as problem:
        raise UserError(f"{path}: no FASTA file ({problem})", "give protein sequences") from None
    if not len(block):
        raise UserError(f"{path}: no sequences", "give protein sequences as FASTA")
    return block


def _word(name: str, place: int) -> str:
    return name.split()[0] if name.split() else f"sequence-{place + 1}"


def _own(wanted: Any, result: Any) -> list[Any]:
    """The query's own path through the last profile."""
    from pyhmmer.easel import DigitalSequenceBlock
    from pyhmmer.plan7 import TraceAligner

    block = DigitalSequenceBlock(wanted.alphabet, [wanted])
    return list(TraceAligner().compute_traces(result.hmm, block))


def _rows(msa: Any) -> list[tuple[str, str]]:
    names = [n.decode() if isinstance(n, bytes) else str(n) for n in msa.names]
    return list(zip(names, msa.alignment, strict=True))


def _made(
    rows: Sequence[tuple[str, str]],
    name: str,
    letters: str,
    hits: Any,
    least_coverage: float,
    source: str,
) -> Found:
    place = next(k for k, (label, _) in enumerate(rows) if label == name)
    own = np.array([c not in _GAPS for c in rows[place][1]])
    query = encode(letters)
    values = {_decoded(hit.name): (float(hit.evalue), float(hit.score)) for hit in hits}
    tokens, names, text, found, short = [query], [name], [f">{name}\n{letters}\n"], [], 0
    for label, row in (row for k, row in enumerate(rows) if k != place):
        matched = encode("".join(c for c, kept in zip(row, own, strict=True) if kept))
        residues = matched != GAP
        if residues.mean() < least_coverage:
            short += 1
            continue
        tokens.append(matched)
        names.append(label)
        text.append(f">{label}\n{_a3m(row, own)}\n")
        e_value, score = values.get(label.rpartition("/")[0] or label, (float("nan"),) * 2)
        same = float((matched == query)[residues].mean())
        found.append(Hit(label, e_value, score, float(residues.mean()), same))
    alignment = Alignment(np.stack(tokens), tuple(names), source)
    notes = [f"{short} hits cover too little of the query and are left out."] if short else []
    if not found:
        notes.append("No homologue was found; search a larger file, or raise --e-value.")
    ranked = sorted(found, key=lambda hit: (hit.e_value, hit.name))
    return Found(alignment, "".join(text), tuple(ranked), tuple(notes))


def _decoded(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _a3m(row: str, own: np.ndarray) -> str:
    return "".join(
        (c.upper() if c not in _GAPS else "-") if kept else (c.lower() if c not in _GAPS else "")
        for c, kept in zip(row, own, strict=True)
    )
