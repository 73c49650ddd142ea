"""``contacts``: from alignment files to contact maps on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from science.core import command
from science.core.errors import UserError
from science.core.progress import narrator
from science.proteins import commands_files as files
from science.proteins import page
from science.proteins.alignment import Alignment
from science.proteins.alphabet import GAP
from science.proteins.contacts import LEAST, separated
from science.proteins.infer import Inferred, chosen, infer
from science.proteins.maps import write_matrix, write_rr
from science.proteins.metrics import precisions
from science.proteins.read import read, same_protein
from science.proteins.structure import Chain

Options = Mapping[str, Any]
Tell = Callable[[str, int, int, str], None]


def contacts(names: Sequence[str], options: Options, out: Path | None) -> None:
    """A map for each alignment; a bad file costs itself and nothing else."""
    paths = command.expanded(names)
    called = files.unique([files.stem(path) for path in paths])
    where = files.folder(out, "contacts", called[0] if len(called) == 1 else f"{len(called)}")
    files.ready(where)
    structures = files.Structures(options["structure"], options["chain"])
    proteins, failures = [], []
    with narrator() as tell:
        for place, (path, name) in enumerate(zip(paths, called, strict=True)):
            tell("contacts", place, len(paths), name)
            try:
                proteins.append(_one(path, name, options, structures, len(paths) == 1, where, tell))
            except UserError as problem:
                failures.append((str(path), str(problem)))
        tell("contacts", len(paths), len(paths), "")
    story = page.Story("Contacts", _lead(proteins, options), proteins, options, failures=failures)
    files.finish(story, where)


def _one(
    path: Path,
    name: str,
    options: Options,
    structures: files.Structures,
    only: bool,
    where: Path,
    tell: Tell,
) -> page.Protein:
    alignment, truth = read(path, options["query"]), None
    doubt: tuple[str, ...] = ()
    try:
        alignment, truth = _with_truth(alignment, name, structures, only)
    except UserError as problem:  # contacts can be told without the truth
        doubt = (f"The structure is left out: {problem}",)
    found = infer(
        alignment, options["method"], options["release"], options["most"], options["seed"], tell
    )
    _write(where, name, found, options["format"])
    notes = (*doubt, *found.notes, *(truth.notes if truth is not None else ()))
    return page.Protein(
        name,
        _values(name, found, truth),
        found.probability,
        None if truth is None else truth.distances(),
        found.alignment.coverage(),
        found.alignment.depth,
        found.neff,
        notes=notes,
    )


def _with_truth(
    alignment: Alignment, name: str, structures: files.Structures, only: bool
) -> tuple[Alignment, Chain | None]:
    """The alignment with the structure of its query, which tells the query where rows do not."""
    if GAP not in alignment.tokens[0]:
        return alignment, structures.of(name, alignment.query, only)
    truth = structures.of(name, None, only)
    if truth is not None and len(truth) == alignment.length:
        return same_protein(alignment, truth.sequence), truth
    return alignment, structures.of(name, alignment.query.replace("-", "X"), only)


def _write(where: Path, name: str, found: Inferred, form: str) -> None:
    sequence = found.alignment.query.replace("-", "X")
    try:
        write_rr(where / f"{name}.rr", sequence, found.probability, name, found.method)
        arrays = {"probability": found.probability, "score": found.score}
        write_matrix(where / f"{name}.{form}", arrays, sequence)
        table = pairs(found, sequence)
        table.to_csv(where / f"{name}.csv", index=False, lineterminator="\n")
    except OSError as problem:
        raise UserError(f"{where}: {problem.strerror}", "give another folder with --out") from None


def pairs(found: Inferred, sequence: str) -> pd.DataFrame:
    """Every pair at least six apart, likeliest first: residues, probability, score."""
    i, j = separated(len(sequence), LEAST)
    order = np.argsort(-found.probability[i, j], kind="stable")
    i, j = i[order], j[order]
    letters = np.array(list(sequence))
    return pd.DataFrame(
        {
            "i": i + 1,
            "j": j + 1,
            "residue_i": letters[i],
            "residue_j": letters[j],
            "probability": found.probability[i, j].round(6),
            "score": found.score[i, j].round(6),
        }
    )


def _values(name: str, found: Inferred, truth: Chain | None) -> dict[str, Any]:
    i, j = separated(found.alignment.length, 24)
    values: dict[str, Any] = {
        "protein": name,
        "L": found.alignment.length,
        "N": found.alignment.depth,
        "Neff": round(found.neff, 1),
        "method": found.method,
        "trust": found.trust,
        "expected long contacts": round(float(found.probability[i, j].sum()), 1),
    }
    if truth is not None:
        measured = precisions(found.probability, truth.distances())
        values |= {
            "long P@L": measured["long_L"],
            "long P@L/2": measured["long_L2"],
            "long P@L/5": measured["long_L5"],
        }
    return values


def _lead(proteins: Sequence[page.Protein], options: Options) -> str:
    how = chosen(options["method"], options["release"])
    weak = sum(protein.values["trust"] != "good" for protein in proteins)
    said = f"{len(proteins)} contact map{'' if len(proteins) == 1 else 's'} by {how}."
    return said + (f" Alignments too shallow to trust: {weak}; see the notes." if weak else "")
