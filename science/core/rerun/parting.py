"""The first step at which two runs part, and whether what went in or what was done differed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from science.core.callbacks.record import TRACES
from science.core.callbacks.recorder import Trace, read_trace

Kind = Literal["inputs", "computation", "weights", "length", "missing"]
SAYS = {
    "inputs": "the batch that went in was another",
    "computation": "the same batch went in and another loss came out",
    "weights": "the weights were others before anything was learned",
    "length": "one of them trained for longer",
    "missing": "one of them has no record of this network",
}


@dataclass(frozen=True)
class Parting:
    """Where two trainings of one network part.

    Attributes:
        network: its name in the run.
        step: first step, from 0, whose records differ.
        kind: what differed there.
        was, now: the loss at that step in each.
    """

    network: str
    step: int
    kind: Kind
    was: float = float("nan")
    now: float = float("nan")

    def __str__(self) -> str:
        return f"{self.network}, step {self.step}: {SAYS[self.kind]}"

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


def parting(was: Path, now: Path, until: int | None = None) -> Parting | None:
    """The earliest parting of the networks of two run folders; None if all records agree.

    Args:
        was, now: folders of two runs.
        until: compare only steps before this one, and only networks that ``now`` has.
    """
    names = {p.stem for p in (was / TRACES).glob("*.npy")}
    others = {p.stem for p in (now / TRACES).glob("*.npy")}
    missing = [] if until is not None else sorted(names ^ others)
    found = [Parting(name, 0, "missing") for name in missing]
    for name in sorted(names & others):
        left, right = (read_trace(f / TRACES / f"{name}.npy") for f in (was, now))
        here = first(name, left[:until], right[:until])
        if here is not None:
            found.append(here)
    return min(found, key=lambda p: (p.step, p.kind == "missing", p.network), default=None)


def first(network: str, was: Trace, now: Trace) -> Parting | None:
    """The first step whose records differ, of one network."""
    size = min(len(was), len(now))
    left, right = was[:size], now[:size]
    watched = (left["weights"] != 0) & (right["weights"] != 0)
    apart = {
        "inputs": left["batch"] != right["batch"],
        "computation": left["loss"].view("u8") != right["loss"].view("u8"),
        "weights": watched & (left["weights"] != right["weights"]),
    }
    steps = {kind: int(np.argmax(rows)) for kind, rows in apart.items() if rows.any()}
    if not steps:
        longer = len(was) != len(now)
        return Parting(network, size, "length") if longer else None
    step = min(steps.values())
    kind: Kind = "computation"
    if steps.get("inputs") == step:
        kind = "inputs"
    elif steps.get("weights") == step and step == 0:
        kind = "weights"
    return Parting(network, step, kind, float(left["loss"][step]), float(right["loss"][step]))
