"""One question answered in five ways: by looking, by theory, by computing, from data, by learning.

The ways are the paradigms of science as Gray (2009, "The Fourth Paradigm") counts them, and machine
learning beside them. A domain offers ``science/<domain>/ladder.py`` with a ``ROW``: a problem, one
function a way and one score. All ways get the same questions and are judged alike, the truth stays
with the judge, and only ways that say so are shown solved examples.
"""

from __future__ import annotations

import importlib
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science import paths
from science.core.errors import UserError
from science.core.glossary import term
from science.core.ladder_score import Draws, Scores, draw, judged
from science.core.progress import narrator

Paradigm = Literal["observe", "theory", "compute", "data", "learn"]
PARADIGMS: tuple[Paradigm, ...] = get_args(Paradigm)
Source = Literal["embedded", "mirror"]
SOURCES: tuple[Source, ...] = get_args(Source)
FILE = "ladder.py"
MAIN = ""  # the name of the place that headlines are about
Marks = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Size:
    """How large a problem to pose: ``short`` for a check in seconds, ``data`` made here or real."""

    seed: int = 0
    short: bool = False
    data: Source = "embedded"

    @property
    def effort(self) -> float:
        """Share of the usual training."""
        return 0.1 if self.short else 1.0


@dataclass(frozen=True)
class Asked:
    """All that a way is given.

    Attributes:
        questions: in the domain's own form; the truth is not among it.
        examples: solved ones that share nothing with the questions; ``None`` for ways that say
            they learn from none.
        seed: of whatever is random in answering.
        folder: to write in; it is gone afterwards.
        effort: share of the usual training and search; less where the ladder is a check.
    """

    questions: Any
    examples: Any
    seed: int
    folder: Path
    effort: float = 1.0

    def share(self, count: int) -> int:
        """So many steps, batches or starts at this effort, one at least."""
        return max(1, round(count * self.effort))


@dataclass(frozen=True)
class Answer:
    """What one way says: a value in the form that the row's marks take, and a remark on it."""

    value: Any
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """One way.

    Attributes:
        paradigm: one of ``PARADIGMS``.
        name: short.
        knows: what it knows beforehand.
        solve: from what is asked to an answer, for all ways alike.
        learns: whether it is shown the examples.
    """

    paradigm: Paradigm
    name: str
    knows: str
    solve: Callable[[Asked], Answer]
    learns: bool = False


@dataclass(frozen=True)
class Problem:
    """Questions with their truth, and examples.

    Attributes:
        ids: name of each question; marks have one entry for each.
        questions, truth: what ways see, and what the judge alone sees.
        examples: anything that ``Row.fewer`` can cut.
        example_ids: name of each example; none may be the name of a question.
        axis: (n,) how hard each question is, on the row's axis; ``nan`` belongs to all of it.
        part: (n,) where each question is from; the first part is that of the examples.
        group: (n,) questions of one group share information.
    """

    ids: tuple[str, ...]
    questions: Any
    truth: Any
    examples: Any
    example_ids: tuple[str, ...]
    axis: NDArray[np.float64]
    part: NDArray[np.str_]
    group: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not self.ids:
            raise UserError("a ladder without questions", "ask for at least one")
        lengths = {len(self.ids), len(self.axis), len(self.part), len(self.group)}
        if len(lengths) > 1 or len(set(self.ids)) < len(self.ids):
            raise UserError("each question needs a name, a place on the axis, a part and a group")
        both = sorted(set(self.ids) & set(self.example_ids))
        if both:
            problem = f"{len(both)} questions are among the examples, {both[0]} for one"
            raise UserError(problem, "keep them apart, or the score says nothing")


@dataclass(frozen=True)
class Axis:
    """How hard questions are: what it is called, the edges of its stretches, and their names."""

    name: str
    edges: tuple[float, ...]
    names: tuple[str, ...] = ()

    @property
    def stretches(self) -> list[tuple[str, float, float]]:
        """Name, least and first too large value of each stretch."""
        pairs = list(itertools.pairwise(self.edges))
        usual = [f"{a:g} and more" if np.isinf(b) else f"{a:g} to {b:g}" for a, b in pairs]
        names = self.names or usual
        return [(name, *pair) for name, pair in zip(names, pairs, strict=True)]


@dataclass(frozen=True)
class Row:
    """One domain's question.

    Attributes:
        title, question: as a lecturer would put them.
        pose: makes the problem; nothing in it depends on who is going to solve it.
        cells: the ways; several may share a paradigm.
        mark: from truth and an answer's value to numbers for each question, by name.
        measures: name -> function of marks and the rows that count, the headline first.
        axis: along which questions get harder, or easier.
        labels: what measures are called, with their units, where the glossary does not say.
        fewer: the first ``n`` of the examples.
        amounts: shares of the examples with which learning ways answer again.
        figures: further pictures of problem and answers, each with its caption.
    """

    title: str
    question: str
    pose: Callable[[Size], Problem]
    cells: Sequence[Cell]
    mark: Callable[[Any, Any], Marks]
    measures: Mapping[str, Callable[[Marks, NDArray[np.int64]], float]]
    axis: Axis
    fewer: Callable[[Any, int], Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    amounts: tuple[float, ...] = (1 / 16, 1 / 4)
    figures: Callable[[Problem, Mapping[str, Answer]], list[tuple[Figure, str]]] | None = None

    @property
    def headline(self) -> str:
        """The measure that is compared."""
        return next(iter(self.measures))

    def label(self, measure: str) -> str:
        """What a measure is called."""
        return self.labels.get(measure) or term(measure).label


@dataclass(frozen=True)
class Rung:
    """One way as it went, with so many examples.

    Attributes:
        cell: the way.
        examples: how many it was shown.
        scores: place (``MAIN``, a part of the axis, another part) -> measure -> score.
        cpu_s, wall_s: what answering took, learning included [s].
        note, problem: a remark, and why there is no answer.
    """

    cell: Cell
    examples: int
    scores: Mapping[str, Scores] = field(default_factory=dict)
    cpu_s: float = 0.0
    wall_s: float = 0.0
    note: str = ""
    problem: str = ""

    @property
    def learned(self) -> bool:
        """Whether it is machine learning."""
        return self.cell.paradigm == "learn"


@dataclass(frozen=True)
class Climbed:
    """A ladder that has been climbed: ``rungs`` in full, ``less`` with fewer examples."""

    row: Row
    problem: Problem
    places: Mapping[str, NDArray[np.int64]]
    answers: Mapping[str, Answer]
    rungs: Sequence[Rung]
    less: Sequence[Rung]

    @property
    def main(self) -> str:
        """Where the examples are from, and the questions that headlines are about."""
        return str(self.problem.part[0])

    @property
    def bins(self) -> list[str]:
        """Places along the axis, in order."""
        return [name for name, *_ in self.row.axis.stretches if name in self.places]

    @property
    def elsewhere(self) -> list[str]:
        """Other parts than that of the examples."""
        return [name for name in self.places if name != MAIN and name not in self.bins]


def row_of(domain: str) -> Row:
    """The row that a domain offers.

    Raises:
        UserError: there is no such domain, or it offers none.
    """
    known = sorted(file.parent.name for file in paths.PACKAGE.glob(f"*/{FILE}"))
    known.remove("core")
    if domain not in known:
        raise UserError(f"{domain!r} has no ladder", f"known: {', '.join(known) or 'none'}")
    row: Row = importlib.import_module(f"science.{domain}.ladder").ROW
    return row


def climb(row: Row, size: Size) -> Climbed:
    """Pose the problem, let every way answer it, and judge the answers.

    A way that cannot answer (a package is missing, say) costs itself and nothing else.
    """
    problem = row.pose(size)
    places = places_of(problem, row.axis)
    draws = draw(problem.group, places)
    cells = sorted(row.cells, key=lambda cell: PARADIGMS.index(cell.paradigm))
    total = len(problem.example_ids)
    full = [(cell, total if cell.learns else 0) for cell in cells]
    shares = () if size.short else row.amounts
    part = [(c, max(1, round(total * a))) for c in cells if c.learns for a in shares]
    answers: dict[str, Answer] = {}
    rungs = []
    with narrator() as tell, single_threaded():
        for done, (cell, count) in enumerate([*full, *part]):
            tell(row.title, done, len(full) + len(part), cell.name)
            rung, answer = _rung(row, problem, cell, count, size, draws)
            rungs.append(rung)
            if answer is not None and done < len(full):
                answers[cell.name] = answer
        tell(row.title, len(rungs), len(rungs), "")
    return Climbed(row, problem, places, answers, rungs[: len(full)], rungs[len(full) :])


def _rung(
    row: Row, problem: Problem, cell: Cell, count: int, size: Size, draws: Draws
) -> tuple[Rung, Answer | None]:
    shown = row.fewer(problem.examples, count) if cell.learns else None
    began = (_spent(), time.perf_counter())
    with tempfile.TemporaryDirectory(prefix="ladder-") as folder:
        try:
            asked = Asked(problem.questions, shown, size.seed, Path(folder), size.effort)
            answer = cell.solve(asked)
        except UserError as wrong:
            return Rung(cell, count, problem=str(wrong)), None
    cost = (_spent() - began[0], time.perf_counter() - began[1])
    marks = row.mark(problem.truth, answer.value)
    short = sorted(name for name, mark in marks.items() if len(mark) != len(problem.ids))
    if short:
        raise ValueError(f"{cell.name}: {short} have not one entry a question")
    scores = judged(marks, row.measures, draws)
    return Rung(cell, count, scores, *cost, answer.note), answer


def places_of(problem: Problem, axis: Axis) -> dict[str, NDArray[np.int64]]:
    """Rows of the main part, of each stretch of the axis within it, and of the other parts."""
    parts = list(dict.fromkeys(problem.part.tolist()))
    inside = problem.part == parts[0]
    found = {MAIN: np.flatnonzero(inside)}
    always = np.isnan(problem.axis)
    for name, low, high in axis.stretches:
        here = (problem.axis >= low) & (problem.axis < high)
        if (here & inside).any():
            found[name] = np.flatnonzero(inside & (here | always))
    return found | {name: np.flatnonzero(problem.part == name) for name in parts[1:]}


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread for all arithmetic, so that costs compare and results repeat."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def _spent() -> float:
    """Processor seconds of this process and of those that it started and that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def ladder(domain: str, size: Size | None = None, out: str | Path | None = None) -> Path:
    """Climb a domain's ladder and write its figures, tables and ``report.html``.

    Args:
        domain: name of a domain.
        size: of the problem.
        out: folder; else one below the folder of runs.

    Returns:
        The folder. ``scores.csv`` and ``metrics.json`` repeat bit for bit on one machine;
        ``ladder.csv``, which tells costs too, does not.

    Raises:
        UserError: the domain offers no ladder, or its problem needs data that are not here.
    """
    from science.core.ladder_page import write

    size = size or Size()
    if size.data not in SOURCES:
        raise UserError(f"no data {size.data!r}", f"one of {', '.join(SOURCES)}")
    row = row_of(domain)
    folder = Path(out) if out else paths.runs() / "ladder" / domain
    write(folder, climb(row, size), size)
    return folder
