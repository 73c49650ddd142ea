"""``evaluate``: contact maps against structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from science.core import command
from science.core.errors import UserError
from science.core.report import Measure
from science.proteins import commands_files as files
from science.proteins import page
from science.proteins.contacts import RANGES, pairs
from science.proteins.maps import read_map
from science.proteins.metrics import DIVISORS, averaged, ece, precisions, spelled

Options = Mapping[str, Any]


def evaluate(names: Sequence[str], options: Options, out: Path | None) -> None:
    """Nine precisions, a mean over proteins with intervals, and calibration where it applies."""
    paths = command.expanded(names)
    called = files.unique([files.stem(path) for path in paths])
    where = files.folder(out, "evaluate", called[0] if len(called) == 1 else f"{len(called)}")
    structures = files.Structures(options["structure"], options["chain"])
    proteins, failures = [], []
    for path, name in zip(paths, called, strict=True):
        try:
            proteins.append(judge(path, name, structures, len(paths) == 1))
        except UserError as problem:
            failures.append((str(path), str(problem)))
    measures = summary(proteins, options["resamples"], options["seed"])
    story = page.Story(
        "Contacts against structures",
        f"Contact maps judged by the structures of their proteins: {len(proteins)}.",
        proteins,
        options,
        measures,
        failures,
        _calibration(proteins),
    )
    files.finish(story, where)


def judge(path: Path, name: str, structures: files.Structures, only: bool) -> page.Protein:
    """One map by its structure.

    Raises:
        UserError: one of them cannot be read, or they are of different proteins.
    """
    found = read_map(path)
    truth = structures.of(name, found.sequence, only)
    if truth is None:
        raise UserError(f"{path}: no structure is given", "give --structure FILE")
    if len(found.score) != len(truth):
        raise UserError(
            f"{path}: a map of {len(found.score)} residues, a structure of {len(truth)}",
            "write the sequence into the file, so that residues can be aligned",
        )
    distance = truth.distances()
    values: dict[str, Any] = {"protein": name, "L": len(truth), "known": int(truth.known.sum())}
    for key, value in precisions(found.score, distance).items():
        which, _, divisor = key.partition("_")
        label = divisor.replace("L2", "L/2").replace("L5", "L/5")
        values[f"{which} P@{label}"] = value
    return page.Protein(name, values, found.score, distance, notes=truth.notes)


def summary(proteins: Sequence[page.Protein], resamples: int, seed: int) -> dict[str, Measure]:
    """Means over proteins with bootstrap intervals; of one protein, Wilson's interval of a share.

    The latter takes its best pairs for independent draws, so it is narrower than the truth.
    """
    judged = [page.judged(protein) for protein in proteins]
    made: dict[str, Measure] = {}
    for which in reversed(RANGES):
        for divisor in DIVISORS:
            key = f"{which}_{spelled(divisor)}"
            values = [row[key] for row in judged if np.isfinite(row[key])]
            if not values:
                continue
            if len(proteins) == 1:
                made[key] = _share(proteins[0], values[0], which, divisor)
            else:
                got = averaged(values, resamples, seed)
                made[key] = Measure(got.value, got.low, got.high)
    return made


def _share(protein: page.Protein, value: float, which: Any, divisor: int) -> Measure:
    distance = protein.distance
    if distance is None:
        return Measure(value)
    known = int(np.isfinite(distance[pairs(len(distance), which)]).sum())
    count = min(max(1, len(distance) // divisor), known)
    interval = binomtest(round(value * count), count).proportion_ci(method="wilson")
    return Measure(value, float(interval.low), float(interval.high))


def _calibration(proteins: Sequence[page.Protein]) -> list[str]:
    maps = [
        (p.probability, p.distance)
        for p in proteins
        if p.probability is not None and p.distance is not None
    ]
    if not maps:
        return []
    low = min(float(score.min()) for score, _ in maps)
    high = max(float(score.max()) for score, _ in maps)
    if low < 0 or high > 1:
        return ["The scores are no probabilities, so only their order was judged."]
    said = f"Calibration error (ECE) over all pairs at least 6 apart: {ece(maps):.3f}."
    return [f"{said} Pairs that an RR file leaves out count as 0."]
