"""Several independent runs of the circulation model at the same time, each on its own core."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from science.core.errors import UserError
from science.core.files import write_json
from science.weather.simulate import simulate

Tell = Callable[[str, int, int, str], None]
_DAYS = "days.json"


def simulate_many(
    folder: Path, years: int, start: int, seed: int, processes: int, tell: Tell
) -> list[Path]:
    """Years of weather, split over independent runs ``folder/run0``, ``folder/run1``, ...

    Each run has its own spin-up and its own seed; together they cover the years without overlap.

    Args:
        folder: of all runs.
        years: in all.
        start: the first.
        seed: of run 0; run k has ``seed + k``.
        processes: runs at the same time.
        tell: called with what, done, total and a note.

    Returns:
        Path of each run's truth.

    Raises:
        UserError: fewer years than runs, or a run cannot go on.
    """
    if years < processes:
        raise UserError(f"{years} years for {processes} processes", "ask for a year each, at least")
    shares = [years // processes + (k < years % processes) for k in range(processes)]
    firsts = [start + sum(shares[:k]) for k in range(processes)]
    jobs = [
        (folder / f"run{k}", share, first, seed + k)
        for k, (share, first) in enumerate(zip(shares, firsts, strict=True))
    ]
    if processes == 1:
        return [simulate(*jobs[0], tell=lambda done, all_: tell("run0", done, all_, "days"))]
    # Fresh interpreters: JAX must not be forked.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return _watch([(job[0], pool.submit(_one, *job)) for job in jobs], tell)


def _one(folder: Path, years: int, start: int, seed: int) -> Path:
    def note(done: int, total: int) -> None:
        write_json(folder / _DAYS, [done, total])

    return simulate(folder, years, start, seed, note)


def _watch(running: list[tuple[Path, Future[Path]]], tell: Tell) -> list[Path]:
    import json

    while not all(job.done() for _, job in running):
        time.sleep(1)
        for folder, _ in running:
            if (folder / _DAYS).exists():
                done, total = json.loads((folder / _DAYS).read_text())
                tell(folder.name, done, total, "days")
    return [job.result() for _, job in running]
