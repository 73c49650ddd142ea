"""Speed and memory of a domain's parts beside what others use; never a test.

A domain offers ``science/<domain>/bench.py`` with ``cases() -> list[Case]``.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from science import paths
from science.core import manifest
from science.core.errors import UserError
from science.core.files import write_json
from science.core.throughput import Rates, Round, Throughput, rates, summary

__all__ = ["Case", "Throughput", "bench", "cases"]


@dataclass(frozen=True)
class Case:
    """One way to do one thing.

    Attributes:
        measure: what is done, and the unit of its rate, such as ``training [samples/CPU-s]``; cases
            of one measure are run in turn, and the first of them is ours.
        name: which way.
        make: prepares (not timed) and returns the round of work that is timed; a round returns how
            many units it did.
        rounds: turns; fewer for what takes long.
    """

    measure: str
    name: str
    make: Callable[[], Round]
    rounds: int = 7


def bench(
    domain: str, out: str | Path | None = None, memory: bool = True, turns: int | None = None
) -> dict[str, Any]:
    """Run a domain's cases in turns, print a table, and write it as ``bench.json``.

    Args:
        domain: name of a domain, or ``reruns`` for what recording and the portable profile cost.
        out: folder to write to; else below the folder of runs.
        memory: also run each case alone in a process of its own for its peak memory.
        turns: of each way, in place of what each case asks for.

    Raises:
        UserError: the domain has no cases.
    """
    rows = []
    if domain == "reruns":
        from science.core.rerun.bench import TURNS, costs

        rows = costs(Console(stderr=True).print, turns=turns or TURNS)
    for measure, group in _by_measure(cases(domain) if not rows else []).items():
        asked = turns or min(c.rounds for c in group)
        found = rates({c.name: c.make() for c in group}, asked)
        rows += [_row(measure, c.name, found, group[0].name) for c in group]
    for row in rows if memory and domain != "reruns" else []:
        row["peak_memory_mb"] = _alone(domain, row["measure"], row["name"])
    facts = {"rows": rows, "hardware": manifest.hardware(), "code": manifest.code()}
    folder = Path(out) if out else paths.runs() / "bench" / domain
    write_json(folder / "bench.json", facts)
    _show(rows, folder / "bench.json")
    return facts


def cases(domain: str) -> list[Case]:
    """What ``science/<domain>/bench.py`` offers to measure."""
    if not (paths.PACKAGE / domain / "bench.py").is_file():
        raise UserError(f"the domain {domain!r} has no bench.py", "choose another domain")
    found: list[Case] = importlib.import_module(f"science.{domain}.bench").cases()
    return found


def peak(domain: str, measure: str, name: str) -> float | None:
    """Largest memory [MB] of this process after one round of one case."""
    chosen = next(c for c in cases(domain) if (c.measure, c.name) == (measure, name))
    chosen.make()()
    return manifest.peak_memory_mb()


def _by_measure(found: Iterable[Case]) -> Mapping[str, list[Case]]:
    groups: dict[str, list[Case]] = {}
    for case in found:
        groups.setdefault(case.measure, []).append(case)
    return groups


def _row(measure: str, name: str, found: Mapping[str, Rates], first: str) -> dict[str, Any]:
    ratio = None if name == first else summary(found[first] / found[name])
    return {"measure": measure, "name": name, "rate": summary(found[name]), "ours_over_this": ratio}


def _alone(domain: str, measure: str, name: str) -> float | None:
    command = [sys.executable, "-m", "science.core.bench", domain, measure, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def _show(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    grid = Grid("measure", "which", "rate", "ours is faster by", "peak MB")
    last = None
    for row in rows:
        ratio, memory = row["ours_over_this"], row.get("peak_memory_mb")
        grid.add_row(
            row["measure"] if row["measure"] != last else "",
            row["name"],
            _span(row["rate"]),
            _span(ratio) if ratio else "",
            f"{memory:.0f}" if memory else "",
        )
        last = row["measure"]
    console = Console()
    console.print(grid)
    console.print(f"bench: {path}", markup=False, highlight=False, soft_wrap=True)


def _span(value: Mapping[str, float]) -> str:
    middle, low, high = (_short(value[key]) for key in ("value", "low", "high"))
    return f"{middle} ({low} to {high})"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


if __name__ == "__main__":
    print(json.dumps(peak(*sys.argv[1:4])))
