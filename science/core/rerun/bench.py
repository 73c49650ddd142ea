"""What the record of a run and the portable profile cost: ``fifth bench reruns``.

Every quickstart trains its first network for some steps, on as much data as its short profile
makes, in processes that are forked from warm ones: as it stands, without the record, and in the
portable profile, in turns. Counted are the processor seconds of training alone. Apart from that,
what a manifest says of packages and sources is gathered, which costs every run the same once.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from science import paths
from science.core.config import checked, experiments
from science.core.files import write_json, write_text
from science.core.provenance.code import code
from science.core.provenance.environment import environment
from science.core.provenance.numeric import PORTABLE
from science.core.provenance.snapshot import snapshot
from science.core.provenance.store import Store
from science.core.rerun import expected
from science.core.rerun.launch import Job, Warm, finish
from science.core.rerun.repeat import WORKER
from science.core.throughput import Rates, summary

STEPS = 50  # two of them with a digest of the weights
TURNS = 7
PLAIN, RECORDED, PORTABLY = "without the record", "as it stands", "portable profile"
Tell = Callable[[str], None]


def costs(tell: Tell, steps: int = STEPS, turns: int = TURNS) -> list[dict[str, Any]]:
    """Rows as `science.core.bench` writes them: rate [steps/CPU-s] and ratio to the first.

    Args:
        tell: is told what is measured now.
        steps: of training in a turn.
        turns: of each way, after one that warms up.
    """
    rows = _manifests(tell, turns)
    with Warm(paths.PACKAGE.parent) as fast, Warm(paths.PACKAGE.parent, PORTABLE) as portable:
        ways: dict[str, tuple[Warm, bool, Mapping[str, str]]] = {
            PLAIN: (fast, False, {}),
            RECORDED: (fast, True, {}),
            PORTABLY: (portable, True, PORTABLE),
        }
        for name in (n for n in experiments() if n.endswith("/quickstart")):
            found: dict[str, list[float]] = {way: [] for way in ways}
            for turn in range(turns + 1):
                tell(f"{name}: turn {turn} of {turns}")
                for way, (warm, trace, variables) in ways.items():
                    rate = steps / _spent(name, steps, trace, warm, variables)
                    if turn:
                        found[way].append(rate)
            measured = {way: np.array(values) for way, values in found.items()}
            rows += [_row(f"{name}: training [steps/CPU-s]", way, measured) for way in ways]
    return rows


def _manifests(tell: Tell, turns: int) -> list[dict[str, Any]]:
    """Manifests a processor second, by what is gathered for them; git's time is counted too."""
    parts: dict[str, tuple[Callable[[], None], Callable[[Path], Any]]] = {
        "packages": (environment.cache_clear, lambda _: environment()),
        "sources and their archive": (snapshot.cache_clear, lambda folder: code(Store(folder))),
    }
    found: dict[str, list[float]] = {name: [] for name in parts}
    for turn in range(turns + 1):
        tell(f"manifests: turn {turn} of {turns}")
        for name, (forget, gather) in parts.items():
            forget()
            with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
                began = sum(os.times()[:4])
                gather(Path(scratch))
                spent = max(sum(os.times()[:4]) - began, 0.01)  # a tick of that clock
            if turn:
                found[name].append(1 / spent)
    measure = "manifest [manifests/CPU-s]"
    every = {name: np.array(values) for name, values in found.items()}
    return [_row(measure, name, every) for name in every]


def _row(measure: str, way: str, found: Mapping[str, Rates]) -> dict[str, Any]:
    """A way is compared with the one it adds to: the record with none, portable with the record."""
    than = {RECORDED: PLAIN, PORTABLY: RECORDED}.get(way)
    ratio = summary(found[than] / found[way]) if than else None
    return {"measure": measure, "name": way, "rate": summary(found[way]), "ours_over_this": ratio}


def _spent(name: str, steps: int, trace: bool, warm: Warm, variables: Mapping[str, str]) -> float:
    """Processor seconds that training took."""
    short = expected.read(name).get(expected.SHORT, expected.Entry()).overrides
    fewer = [one for one in short if one.startswith("data.options")]  # made in less time than used
    overrides = [*fewer, "trainer.max_epochs=-1", f"++trainer.max_steps={steps}"]
    config = checked(name, [*overrides, f"+record.trace={str(trace).lower()}", _RECORD])
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        write_text(folder / "config.yaml", yaml.safe_dump(config, sort_keys=False))
        task = {"kind": "price", "config": str(folder / "config.yaml"), "out": str(folder / "run")}
        write_json(folder / "task.json", task)
        env = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        given, log = [str(folder / "task.json")], folder / "log.txt"
        job = Job(WORKER, given, log, env, folder, [paths.PACKAGE.parent])
        if finish(warm, job):
            raise RuntimeError(f"{name}: {job.said()}")
        cost = json.loads((folder / "run/cost.json").read_text(encoding="utf-8"))
        return float(next(iter(cost.values()))["cpu_s"])


_RECORD = "+record._target_=science.core.callbacks.record.Record"
