"""Write an experiment's ``expected.json`` from runs of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from science.core.errors import UserError
from science.core.provenance.claims import proposed
from science.core.provenance.facts import portable_config
from science.core.rerun.expected import FULL, SHORT, Entry, read, write
from science.core.rerun.records import Recorded
from science.core.rerun.records import read as read_run
from science.core.rerun.repeat import Place
from science.core.rerun.rerun import measured_noise


def declare(
    experiment: str,
    runs: Sequence[str | Path],
    *,
    short: bool = False,
    noise: int = 0,
    place: Place | None = None,
) -> Path:
    """Declare what a repetition of ``experiment`` should find, and return the file.

    Args:
        experiment: its name or folder.
        runs: finished runs of it; the first is what is expected, all are the ensemble of seeds.
        short: declare the short profile; its overrides are those of the first run.
        noise: runs from disturbed weights that measure float noise.
        place: where those run; of use to tests.

    Raises:
        UserError: the runs differ in more than their seeds.
    """
    every = [read_run(folder) for folder in runs]
    if not every:
        raise UserError("no run to declare", "fifth rerun EXPERIMENT --declare RUN")
    first, profile = every[0], SHORT if short else FULL
    for other in every[1:]:
        _same_but_seed(first, other)
    with tempfile.TemporaryDirectory(prefix="declare-") as scratch:
        shaken = measured_noise(first, place or Place(Path(scratch)), noise, {})
    overrides = list(first.manifest["experiment"]["overrides"])
    if overrides and not short:
        raise UserError(
            f"{first.folder}: run with overrides {overrides}", "declare it with --short"
        )
    names = list(first.values)
    ensemble = {n: [r.values[n] for r in every if n in r.values] for n in names}
    before = read(experiment).get(profile, Entry())
    known = first.manifest
    entry = Entry(
        overrides=overrides,
        metrics=first.values,
        tolerances=before.tolerances,
        noise=shaken or before.noise,
        ensemble={n: v for n, v in ensemble.items() if len(v) >= 3},
        claims=before.claims or proposed(known["results"]["metrics"]),
        artifacts=known["results"]["artifacts"],
        cpu_s=first.cpu_s,
        made_by={
            "recipe": known["recipe_id"],
            "code": known["code"]["digest"],
            "kernels": known["numeric"]["kernels"],
            "threads": str(known["numeric"]["threads"]),
            "torch": known["packages"].get("torch", ""),
        },
    )
    return write(experiment, profile, entry)


def _same_but_seed(one: Recorded, other: Recorded) -> None:
    left, right = (portable_config(r.config) for r in (one, other))
    if {**left, "seed": 0} != {**right, "seed": 0}:
        raise UserError(
            f"{other.folder}: differs from {one.folder} in more than its seed",
            "an ensemble is of one config: fifth sweep EXPERIMENT seed=range(5)",
        )
