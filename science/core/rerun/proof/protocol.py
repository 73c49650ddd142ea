"""Does what is said of reruns hold? Counted on experiments in a short form.

A protocol for experiments that train nothing of their own: it kills, mutates, tampers, and counts
how often the outcome is what it has to be.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from science import paths
from science.core.config import build, checked
from science.core.data import CardData
from science.core.files import write_json
from science.core.frozen import freeze
from science.core.provenance.environment import environment
from science.core.recipe import Recipe
from science.core.rerun.launch import Warm
from science.core.rerun.proof import bundles, kills, lean, mutations, reruns, stores
from science.core.rerun.proof.count import Count, Trial
from science.core.rerun.proof.numbers import statistics
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import Place, must, repeat

_TOLD = "trials.jsonl"
_SEEDS = 1000  # first seed of the real ensemble
DEFAULTS: Mapping[str, int] = {
    "kills": 50,
    "torn": 200,
    "clean": 20,
    "mutations": 5,
    "pairs": 15,
    "bundles": 5,
    "tampered": 250,
    "surroundings": 6,
    "stores": 100,
    "secrets": 30,
    "verdicts": 400,
    "seeds": 40,
}


class Proof:
    """Count what holds of runs that are killed, mutated, passed on and tampered with.

    What is done already is read from ``trials.jsonl``, so that a proof that was cut short goes on
    with the next kind of harm.

    Args:
        experiments: name -> ``overrides`` that let it end in seconds, ``configs`` that change its
            numbers (see `mutations.mutations`), and whether to ``freeze`` its data into files.
        counts: of each kind of harm, instead of `DEFAULTS`. ``kills`` (for each number of
            workers), ``clean``, ``mutations`` (of each layer), ``pairs``, ``bundles``,
            ``tampered`` and ``surroundings`` are counted for each experiment; ``torn`` for each
            file system; the others once.
        workers: numbers of processes that fetch batches.
        threads: numbers of threads on emulated machines.
    """

    def __init__(
        self,
        experiments: Mapping[str, Mapping[str, Any]],
        counts: Mapping[str, int] | None = None,
        workers: Sequence[int] = (0, 2),
        threads: Sequence[int] = (1, 2),
    ) -> None:
        self.experiments, self.workers, self.threads = experiments, workers, threads
        self.counts = {**DEFAULTS, **(counts or {})}

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Do it all and return the results: one row per kind of harm."""
        told = Told(recipe.folder / _TOLD)
        scratch = recipe.folder.resolve() / "trials"
        tree = paths.PACKAGE.parent
        with Warm(tree) as warm:
            env = {**os.environ, lean.KNOWN: str(_known(scratch))}
            place = Place(scratch, env, (tree,), warm, Path(lean.__file__), install=False)
            runs = {name: self._first(name, place) for name in self.experiments}
            for name, run in runs.items():
                there = replace(place, scratch=scratch / name.replace("/", "-"))
                for kind, trials in self._harm(name, run, there, recipe.seed):
                    told.add(f"{name}: {kind}", trials, recipe)
            any_ = next(iter(runs.values()))
            for kind, trials in self._once(any_, place, recipe.seed):
                told.add(kind, trials, recipe)
        with Warm(tree, reruns.ABROAD) as abroad:
            for name, run in runs.items():
                there = replace(place, scratch=scratch / name.replace("/", "-"))
                every = reruns.SURROUNDINGS[: self.counts["surroundings"]]
                done = reruns.surrounded(run, there, abroad, every)
                told.add(f"{name}: surroundings", done, recipe)
        machines = reruns.emulated(list(runs.values()), place, self.threads, tree)
        told.add("emulated machines", machines, recipe)
        shutil.rmtree(scratch, ignore_errors=True)
        rows = [count.row(what) for what, count in told.counts().items()]
        return {"rows": rows, "goals": {"held": {"goal": 1.0}}, "notes": _NOTES}

    def _harm(
        self, name: str, run: Recorded, place: Place, seed: int
    ) -> Iterator[tuple[str, Iterator[Trial]]]:
        count = self.counts
        for workers in self.workers:
            kind = f"kills with {workers} workers"
            yield kind, kills.killed(run, place, seed, workers, count["kills"])
        yield "clean reruns", reruns.clean(run, place, count["clean"])
        configs = self.experiments[name]["configs"]
        given = (run, place.scratch / "altered", configs)
        ones = mutations.mutations(*given, count["mutations"])
        yield "mutations", _each(run, place, ones)
        single = list(mutations.mutations(*given, 1))
        strong = [m for m in single if not set(m.layers) & reruns.ROUNDING]
        pairs = itertools.cycle(itertools.combinations(strong, 2))
        both = (mutations.together(*next(pairs)) for _ in range(count["pairs"]))
        yield "pairs", _each(run, place, both)
        for number in range(count["bundles"]):
            there = replace(place, scratch=place.scratch / f"bundle-{number}")
            there.scratch.mkdir(parents=True, exist_ok=True)
            yield f"bundle {number}", bundles.verified(run, there)
        yield "tampering", bundles.tampered(run, place, seed, count["tampered"])

    def _once(
        self, run: Recorded, place: Place, seed: int
    ) -> Iterator[tuple[str, Iterator[Trial]]]:
        count = self.counts
        own = place.scratch / "torn"
        own.mkdir(parents=True, exist_ok=True)
        other = kills.elsewhere(own)
        for where in (own, *([other] if other else [])):
            yield f"torn, TMPDIR {where.name}", kills.torn(place, seed, where, count["torn"])
        yield "stores", stores.stored(run, place, seed, count["stores"])
        secrets = bundles.invented(seed, count["secrets"])
        drawn = replace(place, env={**place.env, lean.PAGES: "1"})
        yield "secrets", bundles.planted(run, drawn, secrets)
        yield "verdicts", statistics(seed, count["verdicts"])
        yield "real verdicts", self._real(run, place, seed)

    def _real(self, run: Recorded, place: Place, seed: int) -> Iterator[Trial]:
        """Verdicts on a measure of many seeds of one experiment."""
        known = []
        for number in range(self.counts["seeds"]):
            config = {**run.config, "seed": _SEEDS + number}
            done = must(repeat(run, place, f"seed-{number}", config))
            known.append(next(iter(read(done.folder).values.values())))
            shutil.rmtree(done.folder.parent)
        if known:
            yield from statistics(seed, self.counts["verdicts"], known)

    def _first(self, name: str, place: Place) -> Recorded:
        """An unbroken run of an experiment in its short form, on files if it is to be frozen."""
        about = self.experiments[name]
        folder = place.scratch / name.replace("/", "-")
        if (folder / "original/run/manifest.json").is_file():
            return read(folder / "original/run")
        config = checked(name, about.get("overrides", ()))
        if about.get("freeze"):
            data: CardData = build(config["data"])
            card = freeze(data.samples, folder / "frozen", f"frozen/{name.replace('/', '-')}")
            section = {k: v for k, v in config["data"].items() if k not in ("options", "most")}
            config = {**config, "data": {**section, "card": str(card)}}
        blank = Recorded(folder, {"data": {}}, config)
        there = replace(place, scratch=folder)
        return read(must(repeat(blank, there, "original", config)).folder)


def _known(scratch: Path) -> Path:
    """What is installed, looked through once."""
    write_json(scratch / "environment.json", environment())
    return scratch / "environment.json"


class Told:
    """Trials as they were told, kept line by line in a file."""

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


def _each(run: Recorded, place: Place, given: Iterator[reruns.Mutation]) -> Iterator[Trial]:
    for number, mutation in enumerate(given):
        label = f"{'+'.join(mutation.layers)}-{number}"
        yield reruns.mutated(run, place, mutation, label)
        shutil.rmtree(place.scratch / f"mutated-{label}", ignore_errors=True)


_NOTES = [
    "Each row counts trials; what it holds against is the whole run, bit for bit.",
    "Verdicts are drawn: 8 declared seeds, a margin of 4 standard deviations; at least 0.95 and "
    "0.90 are asked of them.",
]
