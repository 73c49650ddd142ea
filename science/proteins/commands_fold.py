"""``fold``: backbones from alignments or contact maps, with a confidence, over the truth."""

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
from science.proteins import fold_files, fold_view, page
from science.proteins import geometry as g
from science.proteins.contacts import Floats32
from science.proteins.fold import Fold, Folder
from science.proteins.infer import infer
from science.proteins.maps import read_map
from science.proteins.read import read
from science.proteins.restraints import Distogram
from science.proteins.structure import Chain
from science.proteins.tmscore import compare

Options = Mapping[str, Any]
Tell = Callable[[str, int, int, str], None]
_MAPS = (".rr", ".safetensors", ".npz")
_LONGEST = 500  # residues; longer chains take minutes and seldom fold


def fold(names: Sequence[str], options: Options, out: Path | None) -> None:
    """A structure file for each input; a bad one costs itself and nothing else."""
    paths = command.expanded(names)
    called = files.unique([files.stem(path) for path in paths])
    where = files.folder(out, "fold", called[0] if len(called) == 1 else f"{len(called)}")
    files.ready(where)
    structures = files.Structures(options["structure"], options["chain"])
    proteins, failures = [], []
    with narrator() as tell:
        for place, (path, name) in enumerate(zip(paths, called, strict=True)):
            tell("folding", place, len(paths), name)
            try:
                proteins.append(_one(path, name, options, structures, len(paths) == 1, where))
            except UserError as problem:
                failures.append((str(path), str(problem)))
        tell("folding", len(paths), len(paths), "")
    lead = f"{len(proteins)} backbones folded from predicted contacts or distances."
    story = page.Story("Folds", lead, proteins, options, failures=failures, read=[_CONFIDENCE])
    files.finish(story, where)


_CONFIDENCE = (
    "Confidence: share of a residue's neighbours within 15 Å that stand within 2 Å of where the"
    " prediction expects them. It judges how well the fold obeys the prediction, not the"
    " prediction. TM-score: 1 for the same fold, about 0.2 for unrelated ones; above 0.5 folds"
    " agree."
)


def _one(
    path: Path, name: str, options: Options, structures: files.Structures, only: bool, where: Path
) -> page.Protein:
    sequence, distogram, contact, notes = _believed(path, options)
    if len(sequence) > _LONGEST:
        raise UserError(f"{path}: {len(sequence)} residues", f"cut it to {_LONGEST} at most")
    truth = structures.of(name, sequence, only)
    made = Folder().fold(distogram, options["seed"])
    fold_files.write(where / f"{name}.{options['format']}", sequence, made)
    table = pd.DataFrame(
        {
            "residue": np.arange(1, len(sequence) + 1),
            "letter": list(sequence),
            "confidence": made.confidence.round(3),
        }
    )
    table.to_csv(where / f"{name}-confidence.csv", index=False, lineterminator="\n")
    values, scene = _told(name, sequence, made, truth)
    distance = None if truth is None else truth.distances()
    return page.Protein(name, values, contact, distance, scene=scene, notes=notes)


def _believed(path: Path, options: Options) -> tuple[str, Distogram, Floats32, Sequence[str]]:
    """Sequence, distances, contacts and notes of a contact map or an alignment."""
    if path.suffix in _MAPS:
        found = read_map(path)
        if not found.sequence:
            raise UserError(f"{path}: does not say the sequence", "write it into the file")
        return found.sequence, Distogram.of_contacts(found.score), found.score, ()
    alignment = read(path, options["query"])
    inferred = infer(alignment, options["method"], options["release"], seed=options["seed"])
    sequence = inferred.alignment.query.replace("-", "X")
    if inferred.method != "network":
        made = Distogram.of_contacts(inferred.probability)
        return sequence, made, inferred.probability, inferred.notes
    from science.proteins.predict import RELEASE, predictor

    seen = predictor(options["release"] or RELEASE).distogram(inferred.alignment)
    distogram = Distogram(seen.probability, seen.edges)
    return sequence, distogram, inferred.probability, inferred.notes


def _told(name: str, sequence: str, made: Fold, truth: Chain | None) -> tuple[dict[str, Any], Any]:
    ca = made.atoms[:, g.CA]
    values: dict[str, Any] = {
        "protein": name,
        "L": len(sequence),
        "confidence": round(float(made.confidence.mean()), 3),
    }
    native = None
    if truth is not None:
        native = truth.cb if truth.backbone is None else truth.backbone[:, 1]
        mine = made.atoms[:, g.CB] if truth.backbone is None else ca
        score = compare(mine, native)
        values |= {"TM-score": round(float(score[0]), 3), "RMSD [Å]": round(float(score[1]), 2)}
    lines = [f"{key}: {value}" for key, value in values.items() if key != "protein"]
    return values, fold_view.scene(name, ca, native, lines)
