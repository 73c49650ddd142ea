"""``align``: homologues of a sequence from the user's own file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from science.core.errors import UserError
from science.core.progress import narrator
from science.proteins import commands_files as files
from science.proteins import page
from science.proteins.align import Found, read_queries, search, write
from science.proteins.infer import doubts
from science.proteins.weights import neff

Options = Mapping[str, Any]


def align(sequence: str, options: Options, out: Path | None) -> None:
    """An A3M and a table of hits for each query."""
    queries = _queries(sequence)
    names = files.unique([name.replace("/", "-") for name, _ in queries])
    where = files.folder(out, "align", names[0])
    files.ready(where)
    proteins, failures, tables = [], [], {}
    with narrator() as tell:
        for name, (_, letters) in zip(names, queries, strict=True):
            try:
                found = search(
                    letters,
                    options["db"],
                    name,
                    options["rounds"],
                    options["e_value"],
                    options["coverage"],
                    tell,
                )
            except UserError as problem:
                failures.append((name, str(problem)))
                continue
            write(where / f"{name}.a3m", found)
            tables[f"{name}-hits"] = pd.DataFrame([vars(hit) for hit in found.hits])
            proteins.append(_protein(name, found))
    lead = f"Homologues of {len(queries)} sequences in {Path(options['db']).name}."
    story = page.Story("Homologues", lead, proteins, options, failures=failures)
    files.finish(story, where, tables)


def _queries(sequence: str) -> list[tuple[str, str]]:
    path = Path(sequence).expanduser()
    try:
        there = path.is_file()
    except OSError:  # a long sequence is no file name
        there = False
    if there:
        return read_queries(path)
    if not sequence.isalpha():
        raise UserError(f"{sequence[:60]}: no such file, and no sequence", "give FASTA or letters")
    return [("query", sequence)]


def _protein(name: str, found: Found) -> page.Protein:
    effective = neff(found.alignment.tokens)
    best = found.hits[0] if found.hits else None
    values = {
        "protein": name,
        "L": found.alignment.length,
        "N": found.alignment.depth,
        "Neff": round(effective, 1),
        "best hit": best.name if best else None,
        "E-value": best.e_value if best else None,
    }
    notes = (*found.notes, *doubts(found.alignment, effective))
    return page.Protein(
        name,
        values,
        coverage=found.alignment.coverage(),
        depth=found.alignment.depth,
        neff=effective,
        notes=notes,
    )
