"""Trials as they were told, kept in a file, so that a proof that was cut short goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from science.core.files import write_json
from science.core.manifest import source_digest
from science.core.recipe import Recipe
from science.core.rerun.proof.count import Count, Trial


class Told:
    """Trials as they were told, a line for each kind of harm that was tried to its end.

    Args:
        path: of the file; what it holds is not tried again. A hidden file beside it says which
            sources made what: results must not differ by a comment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, list[Trial]] = {}
        self._sources = path.with_name(f".{path.stem}-sources.json")
        self.made_by: dict[str, str] = {}
        if self._sources.is_file():
            self.made_by = json.loads(self._sources.read_text(encoding="utf-8"))
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
        self.done[kind], self.made_by[kind] = found, source_digest()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([kind, found], ensure_ascii=True) + "\n")
        write_json(self._sources, self.made_by)

    def sources(self) -> list[str]:
        """A sentence on the sources that were tried, if they were not all these."""
        tried: dict[str, int] = {}
        for kind, trials in self.done.items():
            by = self.made_by.get(kind, "")
            tried[by] = tried.get(by, 0) + len(trials)
        if {*tried} <= {source_digest()}:
            return []
        said = ", ".join(f"{n:,} of {by[:12] or 'not noted'}" for by, n in sorted(tried.items()))
        return [f"Trials by the digest of their sources: {said}."]

    def counts(self) -> dict[str, Count]:
        """What was tried -> how often it held."""
        found: dict[str, Count] = {}
        for kind, trials in self.done.items():
            for trial in trials:
                found.setdefault(trial.what, Count()).add(trial.held, f"{kind}: {trial.note}")
        return found
