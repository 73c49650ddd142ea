"""``fifth sweep``: many runs of one experiment; finished ones are skipped, a crash ends itself."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from science import paths
from science.core.config import checked
from science.core.errors import UserError
from science.core.files import write_json, write_text
from science.core.provenance.canonical import identify
from science.core.provenance.facts import portable_config
from science.core.rerun.launch import Fresh, Job, Launcher, finish
from science.core.rerun.repeat import WORKER
from science.core.seeds import rng

_RANGE = re.compile(r"range\((-?\d+)(?:,\s*(-?\d+))?(?:,\s*(-?\d+))?\)")
_UNIFORM = re.compile(r"(log)?uniform\(([^,]+),([^)]+)\)")
_MOST = 10_000


@dataclass(frozen=True)
class Trial:
    """One recipe of a sweep: its overrides and its folder."""

    overrides: tuple[str, ...]
    folder: Path

    @property
    def finished(self) -> bool:
        """Whether its run is whole."""
        return (self.folder / "run/manifest.json").is_file()


def expand(axes: Sequence[str], samples: int = 0, seed: int = 0) -> list[tuple[str, ...]]:
    """Overrides of every recipe that ``axes`` span.

    Args:
        axes: ``key=a,b,c``, ``key=range(5)``, ``key=uniform(0,1)`` or ``key=loguniform(1e-4,1)``.
        samples: if given, so many random draws in place of the whole grid.
        seed: of the draws.

    Raises:
        UserError: an axis that cannot be read, or a continuous one without ``samples``.
    """
    keys, choices = [], []
    for axis in axes:
        key, equals, text = axis.partition("=")
        if not equals or not key or not text:
            raise UserError(f"axis {axis!r}", "write key=a,b or key=range(5)")
        keys.append(key)
        choices.append(_choices(axis, text, samples))
    if samples:
        stream = rng(seed, "sweep")
        drawn = [[_draw(choice, stream) for choice in choices] for _ in range(samples)]
        grid: list[Sequence[str]] = [list(values) for values in dict.fromkeys(map(tuple, drawn))]
    else:
        grid = list(itertools.islice(itertools.product(*map(_listed, choices)), _MOST + 1))
    if len(grid) > _MOST:
        raise UserError(f"more than {_MOST} recipes", "take fewer values, or --samples N")
    return [tuple(f"{k}={v}" for k, v in zip(keys, values, strict=True)) for values in grid]


def sweep(
    experiment: str,
    axes: Sequence[str],
    out: Path | None = None,
    *,
    jobs: int = 1,
    samples: int = 0,
    launcher: Launcher | None = None,
    script: Path = WORKER,
) -> Path:
    """Run every recipe, write ``sweep.csv`` and ``report.html``, and return the folder.

    A recipe is known by its config: one that is finished in this folder is not run again, one that
    was cut short goes on. All recipes are checked before the first one starts.

    Raises:
        ConfigError: an override means nothing to the experiment.
    """
    folder = Path(out) if out else paths.runs() / "sweeps" / experiment.replace("/", "-")
    trials = []
    for overrides in expand(axes, samples):
        config = checked(experiment, overrides)
        trials.append((Trial(overrides, folder / identify(portable_config(config))[:12]), config))
    start = launcher or Fresh()
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        said = list(pool.map(lambda one: _one(one[0], one[1], start, script), trials))
    table = _table([trial for trial, _ in trials], said)
    write_text(folder / "sweep.csv", table.to_csv(index=False))
    from science.core.rerun.sweep_page import write

    write(folder, experiment, axes, table)
    return folder


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
    last = (job.said().strip().splitlines() or ["nothing"])[-1]
    return "finished" if status == 0 else f"failed ({status}): {last[:200]}"


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


Choice = list[str] | tuple[bool, float, float]


def _choices(axis: str, text: str, samples: int) -> Choice:
    numbers = _RANGE.fullmatch(text)
    if numbers:
        return [str(i) for i in range(*(int(g) for g in numbers.groups() if g is not None))]
    between = _UNIFORM.fullmatch(text)
    if between:
        if not samples:
            raise UserError(f"axis {axis!r} is continuous", "say how many draws: --samples 20")
        try:
            return bool(between[1]), float(between[2]), float(between[3])
        except ValueError:
            raise UserError(f"axis {axis!r}", "write key=uniform(0,1)") from None
    return list(_split(text))


def _split(text: str) -> Iterator[str]:
    """Parts between commas that are in no bracket."""
    depth, part = 0, ""
    for letter in text:
        depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and not depth:
            yield part
            part = ""
        else:
            part += letter
    yield part


def _listed(choice: Choice) -> list[str]:
    return choice if isinstance(choice, list) else []


def _draw(choice: Choice, stream: Any) -> str:
    if isinstance(choice, list):
        return choice[int(stream.integers(len(choice)))]
    log, low, high = choice
    if log:
        import math

        return f"{math.exp(stream.uniform(math.log(low), math.log(high))):.6g}"
    return f"{stream.uniform(low, high):.6g}"
