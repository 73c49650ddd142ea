"""Does what is said of reruns hold? Counted on experiments in a short form.

A protocol for experiments that train nothing of their own: it kills, mutates, tampers, and counts
how often the outcome is what it has to be.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from science import paths
from science.core.config import checked
from science.core.errors import UserError
from science.core.files import write_json
from science.core.provenance.environment import environment
from science.core.recipe import Recipe
from science.core.rerun.launch import Warm, modules
from science.core.rerun.proof import bundles, kills, lean, mutations, reruns, stores
from science.core.rerun.proof.count import Trial
from science.core.rerun.proof.numbers import statistics
from science.core.rerun.proof.rounds import Kinds, Round, anew, first
from science.core.rerun.proof.told import Told
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import Place, must, repeat
from science.core.seeds import derive

_TOLD = "trials.jsonl"
HARMS = (
    *("verdicts", "torn", "stores", "secrets", "bundle", "tampering", "clean", "surroundings"),
    *("kills", "mutations", "pairs", "emulated", "real"),
)
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

    Every kind of harm is dealt over some rounds, so that a proof that is cut short has counted a
    part of all kinds. What is done is read from ``trials.jsonl``: it goes on from there.

    Args:
        experiments: name -> ``overrides`` that let it end in seconds, ``configs`` that change its
            numbers (see `mutations.mutations`), and whether to ``freeze`` its data into files.
        counts: of each kind of harm, instead of `DEFAULTS`. ``kills`` (for each number of
            workers), ``clean``, ``mutations`` (of each layer), ``pairs``, ``bundles``,
            ``tampered`` and ``surroundings`` are counted for each experiment; ``torn`` for each
            file system; the others once.
        workers: numbers of processes that fetch batches.
        threads: numbers of threads on emulated machines.
        rounds: how many.
        only: of the experiments; with none, verdicts are counted on drawn numbers and that is all.
        harms: of `HARMS`, the kinds to count now; those that were counted before still count.
        most_s: seconds after which no further kind of harm is begun.

    Raises:
        UserError: no such harm.
    """

    def __init__(
        self,
        experiments: Mapping[str, Mapping[str, Any]],
        counts: Mapping[str, int] | None = None,
        workers: Sequence[int] = (0, 2),
        threads: Sequence[int] = (1, 2),
        rounds: int = 5,
        only: Sequence[str] | None = None,
        harms: Sequence[str] = HARMS,
        most_s: float | None = None,
    ) -> None:
        odd = sorted({*harms} - {*HARMS})
        if odd:
            raise UserError(f"no harm {', '.join(odd)}", f"known: {', '.join(HARMS)}")
        self.experiments = {
            name: about for name, about in experiments.items() if only is None or name in only
        }
        self.workers, self.threads, self.rounds = workers, threads, rounds
        self.counts, self.most_s = {**DEFAULTS, **(counts or {})}, most_s
        self.harms = {*harms}

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Do it all and return the results: one row per kind of harm."""
        told, began, whole = Told(recipe.folder / _TOLD), time.monotonic(), True
        if "verdicts" in self.harms:
            told.add("verdicts", statistics(recipe.seed, self.counts["verdicts"]), recipe)
        scratch = recipe.folder.resolve() / "trials"
        for kind, trials in self._kinds(scratch, recipe.seed) if self.experiments else ():
            if kind.rpartition(": ")[2].replace(",", " ").split()[0] not in self.harms:
                continue
            if self.most_s is not None and time.monotonic() - began > self.most_s:
                whole = False
                break
            told.add(kind, trials, recipe)
        shutil.rmtree(scratch, ignore_errors=True)
        rows = [count.row(what) for what, count in told.counts().items()]
        left = sorted({*HARMS} - self.harms)
        notes = [*_NOTES, *([] if whole else [f"Cut short after {self.most_s:.0f} s."])]
        notes += [f"Not tried now: {', '.join(left)}."] if left and self.experiments else []
        notes += told.sources()
        return {"rows": rows, "goals": {"held": {"goal": 1.0}}, "notes": notes}

    def _kinds(self, scratch: Path, seed: int) -> Kinds:
        tree = paths.PACKAGE.parent
        used = modules(checked(n, a.get("overrides", ())) for n, a in self.experiments.items())
        with contextlib.ExitStack() as stack:
            warm, abroad = (
                stack.enter_context(Warm(tree, variables, used))
                for variables in ({}, reruns.ABROAD)
            )
            env = {**os.environ, lean.KNOWN: str(_known(scratch))}
            place = Place(scratch, env, (tree,), warm, Path(lean.__file__), install=False)
            runs = {
                name: first(name, about, replace(place, scratch=_of(scratch, name)))
                for name, about in self.experiments.items()
            }
            for part in range(self.rounds):
                now = Round(part, self.rounds, self.counts, derive(seed, "round", part))
                for kind, trials in self._round(runs, place, abroad, now):
                    yield f"round {part}: {kind}", trials
            any_ = replace(place, scratch=scratch / "now")
            real = self._real(next(iter(runs.values())), any_, seed)
            yield from anew(any_, iter([("real verdicts", real)]))

    def _round(self, runs: Mapping[str, Recorded], place: Place, abroad: Warm, now: Round) -> Kinds:
        common = replace(place, scratch=place.scratch / "now")
        yield from anew(common, self._once(next(iter(runs.values())), common, now))
        moved = partial(self._moved, abroad)
        for harm in (self._passed_on, self._repeated, moved, self._killed, self._mutated):
            for name, run in runs.items():
                own = replace(place, scratch=_of(place.scratch, name) / "now")
                for kind, trials in anew(own, harm(name, run, own, now)):
                    yield f"{name}: {kind}", trials
        these = list(runs.values())[now.part :: now.of]
        machines = reruns.emulated(these, common, self.threads, paths.PACKAGE.parent)
        yield from anew(common, iter([("emulated machines", machines)]))

    def _moved(self, abroad: Warm, _: str, run: Recorded, place: Place, now: Round) -> Kinds:
        every = [reruns.SURROUNDINGS[i] for i in now.numbers("surroundings")]
        yield "surroundings", reruns.surrounded(run, place, abroad, every)

    def _killed(self, _: str, run: Recorded, place: Place, now: Round) -> Kinds:
        for workers in self.workers:
            trials = kills.killed(run, place, now.seed, workers, now.many("kills"))
            yield f"kills with {workers} workers", trials

    def _repeated(self, _: str, run: Recorded, place: Place, now: Round) -> Kinds:
        yield "clean reruns", reruns.clean(run, place, now.many("clean"))

    def _mutated(self, name: str, run: Recorded, place: Place, now: Round) -> Kinds:
        given = (run, place.scratch.parent / "altered", self.experiments[name]["configs"])
        ones = mutations.mutations(*given, [n + 1 for n in now.numbers("mutations")])
        yield "mutations", _each(run, place, ones)
        yield "pairs", _each(run, place, _pairs(mutations.mutations(*given, [1]), now))

    def _passed_on(self, _: str, run: Recorded, place: Place, now: Round) -> Kinds:
        for number in now.numbers("bundles"):
            there = replace(place, scratch=place.scratch / f"bundle-{number}")
            yield f"bundle {number}", bundles.verified(run, there)
        yield "tampering", bundles.tampered(run, place, now.seed, now.many("tampered"))

    def _once(self, run: Recorded, place: Place, now: Round) -> Kinds:
        other = kills.elsewhere(place.scratch.parent)
        for where in (place.scratch / "tmp", *([other] if other else [])):
            torn = kills.torn(place, now.seed, where, now.many("torn"))
            yield f"torn, TMPDIR {where.name}", torn
        yield "stores", stores.stored(run, place, now.seed, now.many("stores"))
        if not now.part:  # all secrets are planted in one run
            secrets = bundles.invented(now.seed, self.counts["secrets"])
            drawn = replace(place, env={**place.env, lean.PAGES: "1"})
            yield "secrets", bundles.planted(run, drawn, secrets)

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


def _of(scratch: Path, name: str) -> Path:
    """The folder of an experiment."""
    return scratch / name.replace("/", "-")


def _known(scratch: Path) -> Path:
    """What is installed, looked through once."""
    write_json(scratch / "environment.json", environment())
    return scratch / "environment.json"


def _pairs(single: Iterator[reruns.Mutation], now: Round) -> Iterator[reruns.Mutation]:
    """Two mutations at once, of those that are sure to change a bit."""
    strong = [m for m in single if not set(m.layers) & reruns.ROUNDING]
    every = list(itertools.combinations(strong, 2))
    for number in now.numbers("pairs"):
        yield mutations.together(*every[number % len(every)])


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
