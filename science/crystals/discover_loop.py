"""Rounds of choosing and judging, in files, so that a kill costs at most what was under way.

Two files a round and arm: which candidates were chosen and why, and what became of them. Each is
whole or absent. Whatever follows is a function of the files before it, so a campaign that was cut
short goes on as if nothing had happened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from science.core.files import write_json
from science.core.seeds import rng
from science.crystals.discover_judge import Judge, Verdict
from science.crystals.propose import Proposal

Floats = NDArray[np.float64]
Tell = Callable[[str, int, int, str], None]
Quotas = Mapping[str, int]


@dataclass(frozen=True)
class Choice:
    """A chosen candidate and what was expected of it.

    Attributes:
        name: of the candidate.
        score: lower was chosen first.
        e_form: expected formation energy [eV/atom]; ``None`` where nothing was expected.
        spread: over the networks [eV/atom].
        e_hull: expected energy above the hull [eV/atom].
        chance: probability that it is within the threshold.
    """

    name: str
    score: float
    e_form: float | None = None
    spread: float | None = None
    e_hull: float | None = None
    chance: float | None = None


@dataclass(frozen=True)
class Try:
    """A relaxation that was paid for."""

    arm: str
    round: int
    choice: Choice
    verdict: Verdict


class Arm(Protocol):
    """A way to choose."""

    name: str

    def score(self, pool: Sequence[Proposal], tries: Sequence[Try], number: int) -> list[Choice]:
        """What it expects of every candidate, in the order of the pool, before round ``number``."""


class Random:
    """Choose by lot."""

    def __init__(self, seed: int, name: str = "random") -> None:
        self.seed, self.name = seed, name

    def score(self, pool: Sequence[Proposal], tries: Sequence[Try], number: int) -> list[Choice]:  # noqa: ARG002
        """A random order."""
        drawn = rng(self.seed, "random arm", number).random(len(pool))
        return [Choice(p.name, float(x)) for p, x in zip(pool, drawn, strict=True)]


def campaign(
    pool: Sequence[Proposal],
    arm: Arm,
    judge: Judge,
    folder: Path,
    rounds: int,
    quotas: Quotas,
    tell: Tell | None = None,
) -> list[Try]:
    """All tries of an arm, each round's choice made with what the earlier rounds found.

    Args:
        pool: candidates.
        arm: says which to take.
        judge: says what they are.
        folder: of this arm.
        rounds: how many.
        quotas: pipeline -> candidates a round.
        tell: is told of every finished round.
    """
    by_name = {p.name: p for p in pool}
    tries: list[Try] = []
    for number in range(rounds):
        chosen = _choices(folder / f"round-{number}-chosen.json", pool, arm, tries, number, quotas)
        path = folder / f"round-{number}-judged.json"
        if not path.is_file():
            verdicts = judge([by_name[c.name] for c in chosen])
            write_json(path, [v.as_dict() for v in verdicts])
        found = [Verdict.from_dict(v) for v in _read(path)]
        tries += [Try(arm.name, number, c, v) for c, v in zip(chosen, found, strict=True)]
        if tell is not None:
            tell(f"arm: {arm.name}", number + 1, rounds, "")
    return tries


def take(
    scored: Sequence[Choice], pool: Sequence[Proposal], gone: set[str], quotas: Quotas
) -> list[Choice]:
    """The best of each pipeline, one per formula, none that was tried before."""
    by_name = {p.name: p for p in pool}
    left, formulas, taken = dict(quotas), set(), []
    for choice in sorted(scored, key=lambda c: (c.score, c.name)):
        proposal = by_name[choice.name]
        free = choice.name not in gone and proposal.formula not in formulas
        if free and left.get(proposal.pipeline, 0) > 0:
            left[proposal.pipeline] -= 1
            formulas.add(proposal.formula)
            taken.append(choice)
    return taken


def _choices(
    path: Path,
    pool: Sequence[Proposal],
    arm: Arm,
    tries: Sequence[Try],
    number: int,
    quotas: Quotas,
) -> list[Choice]:
    if not path.is_file():
        scored = arm.score(pool, tries, number)
        chosen = take(scored, pool, {t.choice.name for t in tries}, quotas)
        write_json(path, [asdict(c) for c in chosen])
    return [Choice(**c) for c in _read(path)]


def _read(path: Path) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return data
