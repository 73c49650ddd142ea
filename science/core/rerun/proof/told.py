"""Trials as they were told, kept in a file, so that a proof that was cut short goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from science.core.recipe import Recipe
from science.core.rerun.proof.count import Count, Trial


class Told:
    """Trials as they were told, a line for each kind of harm that was tried to its end.

    Args:
        path: of the file; what it holds is not tried again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, list[Trial]] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                kind, trials = json.loads(line)
                self.done[kind] = [Trial(*trial) for trial in trials]

    def add(self, kind: str, trials: Iterator[Trial], recipe: Recipe) -> None:
        """Try one kind of harm, unless that was done before."""
        if kind in self.done:
            return
        found = []
        for number, trial in enumerate(trials, 1):
            found.append(trial)
            note = "" if trial.held else trial.note[:200]
            recipe.tell(kind, number, number, note)
        self.done[kind] = found
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([kind, found], ensure_ascii=True) + "\n")

    def counts(self) -> dict[str, Count]:
        """What was tried -> how often it held."""
        found: dict[str, Count] = {}
        for kind, trials in self.done.items():
            for trial in trials:
                found.setdefault(trial.what, Count()).add(trial.held, f"{kind}: {trial.note}")
        return found
