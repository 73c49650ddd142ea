"""``fifth sweep``: many runs of one experiment; finished ones are skipped, a crash ends itself."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from science import paths
from science.core.config import checked
from science.core.files import write_json, write_text
from science.core.memory import ended
from science.core.provenance.canonical import identify
from science.core.provenance.facts import portable_config
from science.core.rerun.axes import expand
from science.core.rerun.launch import Fresh, Job, Launcher, finish
from science.core.rerun.repeat import WORKER

_SEARCHED = 20  # recipes of a search, if not said


@dataclass(frozen=True)
class Trial:
    """One recipe of a sweep: its overrides and its folder."""

    overrides: tuple[str, ...]
    folder: Path

    @property
    def finished(self) -> bool:
        """Whether its run is whole."""
        return (self.folder / "run/manifest.json").is_file()


def sweep(
    experiment: str,
    axes: Sequence[str],
    out: Path | None = None,
    *,
    jobs: int = 1,
    samples: int = 0,
    together: bool = False,
    by: str = "",
    launcher: Launcher | None = None,
    script: Path = WORKER,
) -> Path:
    """Run every recipe, write ``sweep.csv`` and ``report.html``, and return the folder.

    A recipe is known by its config: one that is finished in this folder is not run again, one that
    was cut short goes on. All recipes are checked before the first one starts.

    Args:
        experiment: its name or YAML file.
        axes: see `expand`.
        out: folder of the sweep.
        jobs: runs at the same time.
        samples: random draws in place of the whole grid, or recipes of a search.
        together: a list of recipes in place of a grid.
        by: measure of the validation rows that a search goes by (`science.core.rerun.search`).
        launcher: starts the runs.
        script: that they are.

    Raises:
        ConfigError: an override means nothing to the experiment.
        UserError: a search without its package.
    """
    folder = Path(out) if out else paths.runs() / "sweeps" / experiment.replace("/", "-")
    start, jobs = launcher or Fresh(), max(1, jobs)
    if by:
        from science.core.rerun.search import search

        def run(one: Trial, config: Mapping[str, Any]) -> str:
            return _one(one, config, start, script)

        every, said = search(
            experiment, axes, folder, run, count=samples or _SEARCHED, measure=by, jobs=jobs
        )
    else:
        given = [(o, checked(experiment, o)) for o in expand(axes, samples, together=together)]
        trials = [(trial(overrides, config, folder), config) for overrides, config in given]
        every = [one for one, _ in trials]
        with ThreadPoolExecutor(jobs) as pool:
            said = list(pool.map(lambda one: _one(one[0], one[1], start, script), trials))
    table = _table(every, said)
    write_text(folder / "sweep.csv", table.to_csv(index=False))
    from science.core.rerun.sweep_page import write

    write(folder, experiment, axes, table)
    return folder


def trial(overrides: tuple[str, ...], config: Mapping[str, Any], folder: Path) -> Trial:
    """A recipe of a sweep, in a folder named after what it says."""
    return Trial(overrides, folder / identify(portable_config(config))[:12])


def _one(trial: Trial, config: Mapping[str, Any], launcher: Launcher, script: Path) -> str:
    """Run one recipe to its end; an error is told, not raised."""
    if trial.finished:
        return "finished before"
    import yaml

    trial.folder.mkdir(parents=True, exist_ok=True)
    file = trial.folder / "config.yaml"
    write_text(file, yaml.safe_dump(dict(config), sort_keys=False))
    todo = {
        "kind": "run",
        "config": str(file.resolve()),
        "out": str((trial.folder / "run").resolve()),
    }
    task = (trial.folder / "task.json").resolve()
    write_json(task, todo)
    path = [paths.ROOT] if paths.PACKAGE.parent == paths.ROOT else []
    job = Job(script, [str(task)], trial.folder.resolve() / "log.txt", path=path)
    try:
        status = finish(launcher, job)
    except OSError as problem:
        return f"could not start: {problem}"
    return "finished" if status == 0 else f"failed: {ended(status, job.said())}"


def unfinished(folder: Path) -> list[str]:
    """One line for each recipe of a sweep that has no finished run: its overrides, and why."""
    table = pd.read_csv(folder / "sweep.csv", dtype=str, keep_default_na=False)
    values = list(itertools.takewhile(lambda name: name != "state", table.columns))
    rows = [row for _, row in table.iterrows() if not row["state"].startswith("finished")]
    return [f"{' '.join(f'{v}={row[v]}' for v in values)}: {row['state']}" for row in rows]


def _table(trials: Sequence[Trial], said: Sequence[str]) -> pd.DataFrame:
    rows = []
    for trial, state in zip(trials, said, strict=True):
        row: dict[str, Any] = {k: v for k, _, v in (o.partition("=") for o in trial.overrides)}
        row |= {"state": state, "folder": trial.folder.name}
        path = trial.folder / "run/metrics.json"
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8")).get("rows") or [{}]
            cells = found[0].get("metrics", {})
            row |= {name: cell.get("value") for name, cell in cells.items()}
        rows.append(row)
    return pd.DataFrame(rows)
