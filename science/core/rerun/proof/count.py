"""How often something held, of how many times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scipy import stats


class Trial(NamedTuple):
    """One time: what was tried, whether it held, and what to say of it if it did not."""

    what: str
    held: bool
    note: str = ""


@dataclass
class Count:
    """How often something held; ``notes`` tell of the times it did not."""

    held: int = 0
    of: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, held: bool, note: str) -> None:
        """One more time."""
        self.held, self.of = self.held + held, self.of + 1
        if not held:
            self.notes.append(note)

    def row(self, what: str) -> dict[str, Any]:
        """As a row of ``metrics.json``: the share with its 95 % interval (Clopper and Pearson)."""
        between = stats.binomtest(self.held, self.of).proportion_ci() if self.of else None
        cell = {"value": self.held / max(1, self.of), "n": self.of}
        cell |= {"low": between.low, "high": between.high} if between else {}
        note = f"{self.held} of {self.of}"
        told = "; ".join([note, *self.notes[:3]])
        return {"model": what, "metrics": {"held": cell}, "note": told}


def counted(trials: Iterable[Trial]) -> dict[str, Count]:
    """What was tried -> how often it held."""
    counts: dict[str, Count] = {}
    for trial in trials:
        counts.setdefault(trial.what, Count()).add(trial.held, trial.note)
    return counts
