"""Grade a student's run: untouched, fair, as it was set, and it repeats."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from science.core import memory
from science.core.errors import UserError
from science.core.protocols import CrossFit
from science.core.rerun.grade import MEANING, Grade
from science.core.rerun.layers import changes
from science.core.rerun.records import Recorded, read
from science.core.rerun.verify import unpacked
from science.core.samples import Samples
from science.core.teach import machine
from science.core.teach.play import python_path

_FEW = 3


@dataclass
class Graded:
    """What was found.

    Attributes:
        grade: of the rerun, R4 to R0, or RX if it did not end.
        unfair: why its numbers cannot count; empty if they can.
        changed: what differs from the experiment that was set.
        cause: what the rerun holds responsible for a difference.
        reasons: why not a better grade, one sentence each.
    """

    grade: Grade
    unfair: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    cause: str = ""
    reasons: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether the numbers count and come again."""
        return not self.unfair and self.grade in {"R4", "R3", "R2"}

    def lines(self) -> list[str]:
        """For a terminal."""
        meaning = MEANING[self.grade]
        said = [f"NOT FAIR: {why}" for why in self.unfair]
        said += [f"changed: {what}" for what in self.changed]
        said.append(f"{self.grade}: {meaning}" + (f" (cause: {self.cause})" if self.cause else ""))
        said += [f"  {reason}" for reason in self.reasons]
        passed = "passed, but is what was changed as it was to be?" if self.changed else "passed"
        return [*said, passed if self.passed else "not passed"]


def grade(
    bundle: str | Path, reference: str = "", out: Path | None = None, seconds: float = 600.0
) -> Graded:
    """Verify, look for test samples in training, compare with what was set, and rerun.

    Args:
        bundle: what ``fifth export`` wrote, or a run's folder.
        reference: the experiment that was set; its data and evaluation must be those of the run.
        out: folder of the rerun.
        seconds: after which the rerun is stopped.

    Raises:
        UserError: the bundle was altered, or is none.
    """
    with tempfile.TemporaryDirectory(prefix="grade-") as scratch:
        given = Path(bundle)
        if given.suffix == ".zip":
            given = unpacked(given, Path(scratch))
        run = read(given)
        unfair = list(trained_on_judged(run))
        changed = list(_changes(run, reference)) if reference else []
        found = _again(run, out or Path(scratch) / "rerun", seconds)
    cause = " + ".join((found.get("cause") or {}).get("layers") or [])
    return Graded(found["grade"], unfair, changed, cause, list(found.get("reasons") or []))


def trained_on_judged(run: Recorded) -> Iterator[str]:
    """Sentences about judged samples that the run's networks learned from, by identifiers."""
    if run.config.get("protocol", {}).get("_target_", "").endswith(f".{CrossFit.__name__}"):
        return  # every sample is judged by networks that did not see its group
    learned, judged = _learned(run), _judged(run)
    samples = _samples(run)
    if not judged or not learned or samples is None:
        return
    known = _rows_of(samples, learned)
    if known is None:
        yield "which samples it learned from does not follow from its data: not as it says"
        return
    ids = set(samples.id[known].astype(str))
    both = sorted(ids & judged)
    if both:
        few = ", ".join(both[:_FEW])
        yield f"trained on the test set: {len(both)} of {len(judged)} judged samples, such as {few}"
    groups = set(map(str, samples.group[known]))
    where = np.isin(samples.id.astype(str), sorted(judged))
    shared = sum(str(g) in groups for g in samples.group[where])
    if shared and not both:
        yield f"{shared} of {len(judged)} judged samples have relatives (one group) in training"


def _rows_of(samples: Samples, learned: Mapping[str, Any]) -> np.ndarray[Any, Any] | None:
    """Rows whose identifiers have the digest that the run noted, among unions of splits."""
    names = sorted(map(str, np.unique(samples.split)))
    sets = (c for size in range(1, len(names) + 1) for c in itertools.combinations(names, size))
    for chosen in sets:
        rows = np.flatnonzero(np.isin(samples.split.astype(str), chosen))
        ids = "\n".join(sorted(map(str, samples.id[rows])))
        if hashlib.sha256(ids.encode()).hexdigest() == learned.get("ids"):
            return rows
    return None


def _samples(run: Recorded) -> Samples | None:
    from science.core.config import build
    from science.core.data import CardData

    data = build(run.config["data"])
    return data.samples if isinstance(data, CardData) else None


def _learned(run: Recorded) -> dict[str, Any]:
    file = run.folder / "learned.json"
    if not file.is_file():
        return {}
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")).get("trained_on", {})
    return known


def _judged(run: Recorded) -> set[str]:
    file = run.folder / "predictions.csv"
    if not file.is_file():
        return set()
    with file.open(encoding="utf-8", newline="") as opened:
        return {row["id"] for row in csv.DictReader(opened)}


def _changes(run: Recorded, reference: str) -> Iterator[str]:
    """Parts of the config that a student was not to change."""
    from science.core.config import load

    wanted = load(reference)
    for part in ("data", "protocol", "evaluation"):
        for line in changes({part: wanted.get(part)}, {part: run.config.get(part)}):
            yield f"{line} ({reference} -> this run)"


def _again(run: Recorded, out: Path, seconds: float) -> dict[str, Any]:
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "science", "rerun", str(run.folder.resolve())]
    command += ["--json", "--out", str(out.resolve())]
    ended = machine.held(command, seconds, {"PYTHONPATH": python_path()}, out)
    if ended.late:
        raise UserError(f"the rerun was stopped after {seconds:.0f} s", "give more --seconds")
    try:
        found: dict[str, Any] = json.loads((out / "verdict.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = memory.ended(ended.status, ended.said)
        return {"grade": "RX", "reasons": [f"the rerun left no verdict: {told}"]}
    return found
