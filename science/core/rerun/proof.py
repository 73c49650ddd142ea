"""Does what is said of reruns hold? Counted on experiments in their short profiles.

A protocol for experiments that train nothing of their own: it kills, mutates, tampers, and counts
how often the outcome is what it has to be.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scipy import stats

from science.core.callbacks.recorder import read_trace
from science.core.config import checked
from science.core.errors import UserError
from science.core.recipe import Recipe
from science.core.rerun import expected
from science.core.rerun.bundle import SUMS, export
from science.core.rerun.equivalence import equivalent, needed
from science.core.rerun.launch import Warm
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import Place, must, repeat
from science.core.rerun.rerun import rerun
from science.core.rerun.verify import verify
from science.core.seeds import rng

_ENSEMBLE = 8  # seeds of the simulated reference
_WORSE = 4.0  # standard deviations of a model that got worse
_KILLED = -9


@dataclass
class Count:
    """How often something held, of how many times; ``notes`` tell of those it did not."""

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
        return {"model": what, "metrics": {"held": cell}, "note": "; ".join(self.notes[:3])}


class Proof:
    """Count what holds of runs that are killed, mutated, passed on and tampered with.

    Args:
        experiments: names of experiments with a short profile in their ``expected.json``.
        mutations: layer -> overrides and environment variables that change it and nothing else.
        kills: kills at a random step, by experiment and number of workers.
        workers: numbers of processes that fetch batches.
        clean: reruns with nothing changed, by experiment.
        tampered: alterations of a bundle, by experiment.
        simulated: statistical verdicts, of unchanged models and of worse ones.
    """

    def __init__(
        self,
        experiments: Sequence[str],
        mutations: Mapping[str, Sequence[str]],
        kills: int = 5,
        workers: Sequence[int] = (0, 2),
        clean: int = 3,
        tampered: int = 25,
        simulated: int = 400,
    ) -> None:
        self.experiments, self.mutations = list(experiments), dict(mutations)
        self.kills, self.workers, self.clean = kills, list(workers), clean
        self.tampered, self.simulated = tampered, simulated

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Do it all and return the results: one row per kind of harm."""
        counts: dict[str, Count] = {}
        with Warm() as warm:
            for name in self.experiments:
                scratch = recipe.folder.resolve() / "trials" / name.replace("/", "-")
                scratch.mkdir(parents=True, exist_ok=True)
                place = Place(scratch, launcher=warm, install=False)
                original = _first(name, place)
                for what, held, note in self._harm(name, original, place, recipe):
                    counts.setdefault(what, Count()).add(held, f"{name}: {note}")
                    recipe.tell(f"{name}: {what}", counts[what].of, counts[what].of, "")
        for what, held, note in self._statistics(recipe.seed):
            counts.setdefault(what, Count()).add(held, note)
        rows = [count.row(what) for what, count in counts.items()]
        return {"rows": rows, "goals": {"held": {"goal": 1.0}}, "notes": _NOTES}

    def _harm(
        self, name: str, original: Recorded, place: Place, recipe: Recipe
    ) -> Iterator[tuple[str, bool, str]]:
        yield from self._killed(name, original, place, recipe.seed)
        for number in range(self.clean):
            out = place.scratch / f"clean-{number}"
            verdict = rerun(original.folder, out=out, place=_inside(place, out))
            yield "clean rerun is R4", verdict.graded.grade == "R4", str(verdict.graded.reasons)
        for layer, changes in self.mutations.items():
            out = place.scratch / f"mutated-{layer}"
            variables = dict(c.removeprefix("env:").split("=", 1) for c in changes if "env:" in c)
            there = _inside(place, out)
            there = replace(there, env={**there.env, **variables})
            words = [c for c in changes if not c.startswith("env:")]
            verdict = rerun(original.folder, words, out=out, place=there, noise=1)
            found = verdict.cause.layers if verdict.cause else []
            fine = sorted(found or []) == sorted(layer.split("+"))
            yield "cause of a mutation is named", fine, f"{layer}: named {found}"
        yield from self._tampered(original, place, recipe.seed)

    def _killed(
        self, name: str, original: Recorded, place: Place, seed: int
    ) -> Iterator[tuple[str, bool, str]]:
        traces = sorted((original.folder / "trace").glob("*.npy"))
        steps = sum(len(read_trace(path)) for path in traces)
        wanted = original.manifest["results"]["artifacts"]
        for workers in self.workers:
            for number in range(self.kills if steps > 1 else 0):
                step = int(rng(seed, "kill", name, workers, number).integers(1, steps))
                config = {**original.config}
                config["data"] = {**config["data"], "workers": workers}
                label = f"killed-{workers}-{number}"
                task = {"kill": step}
                died = repeat(original, place, label, config, task=task)
                must(repeat(original, place, label, config))
                fine = read(died.folder).manifest["results"]["artifacts"] == wanted
                note = f"killed at step {step}, {workers} workers"
                fine = fine and died.status == _KILLED
                yield "killed run ends with the same bits", fine, note

    def _tampered(
        self, original: Recorded, place: Place, seed: int
    ) -> Iterator[tuple[str, bool, str]]:
        bundle = export(original.folder, place.scratch / "run.zip")
        yield "bundle verifies", not verify(bundle), "it does not"
        with zipfile.ZipFile(bundle) as archive:
            files = {n: archive.read(n) for n in archive.namelist()}
        names = sorted(n for n in files if n != SUMS and files[n])
        draw = rng(seed, "tamper", original.manifest["recipe_id"])
        broken = place.scratch / "tampered.zip"
        for _ in range(self.tampered):
            name = names[int(draw.integers(len(names)))]
            at = int(draw.integers(len(files[name])))
            data = bytearray(files[name])
            data[at] ^= 1 << int(draw.integers(8))
            with zipfile.ZipFile(broken, "w") as archive:
                for other, kept in files.items():
                    archive.writestr(other, bytes(data) if other == name else kept)
            yield "tampering is named", [n for n, _ in verify(broken)] == [name], name

    def _statistics(self, seed: int) -> Iterator[tuple[str, bool, str]]:
        draw, m = rng(seed, "statistics"), needed(_ENSEMBLE) or 1
        for _ in range(self.simulated):
            reference = draw.normal(size=_ENSEMBLE).tolist()
            same = equivalent(reference, draw.normal(size=m).tolist()).equivalent
            yield "unchanged model is found equivalent", same, "false alarm"
            worse = equivalent(reference, draw.normal(-_WORSE, 1.0, size=m).tolist()).equivalent
            yield "model worse by 4 sigma is refused", not worse, "missed"


_NOTES = [
    "Each row counts trials; what it holds against is the whole run, bit for bit.",
    f"Statistical rows are simulated: {_ENSEMBLE} declared seeds, the margin is 4 standard "
    "deviations; at least 0.95 and 0.90 are asked of them.",
]


def _first(name: str, place: Place) -> Recorded:
    """An unbroken run of an experiment's short profile."""
    entry = expected.read(name).get(expected.SHORT)
    if entry is None:
        raise UserError(f"{name}: declares no short profile", "fifth rerun NAME --short --declare")
    config = checked(name, entry.overrides)
    blank = Recorded(place.scratch, {"data": {}}, config)
    return read(must(repeat(blank, place, "original", config)).folder)


def _inside(place: Place, folder: Path) -> Place:
    return replace(place, scratch=folder / "trials")
