"""Why two runs part, found by trial: put layers back one at a time until the runs agree again."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from science.core.callbacks.record import TRACES
from science.core.memory import ended
from science.core.rerun.parting import Parting, parting
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import NotRestoredError, Place, Repetition, repeat

MARGIN = 3  # steps beyond the parting that must agree as well
_LARGEST = 4  # layers that are put back together at most
_INPUTS = ("data", "seed", "config", "code", "environment", "threads", "instructions")
_COMPUTED = ("code", "config", "environment", "threads", "instructions", "seed", "data")


@dataclass
class Cause:
    """What trial found.

    Attributes:
        layers: the smallest set that restores equality; None if none was found.
        tried: sets of layers that were put back, with what came of it.
        impossible: layers that could not be put back, with why.
        sure: whether the whole run was repeated with the set, not only its first steps.
    """

    layers: list[str] | None = None
    tried: list[tuple[list[str], str]] = field(default_factory=list)
    impossible: dict[str, str] = field(default_factory=dict)
    sure: bool = False

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "layers": self.layers,
            "tried": [{"restored": names, "outcome": said} for names, said in self.tried],
            "impossible": self.impossible,
            "sure": self.sure,
        }


class Search:
    """The search for the smallest set of layers, by repetitions as short as they can be."""

    def __init__(
        self,
        original: Recorded,
        again: Recorded,
        layers: Sequence[str],
        place: Place,
        whole: bool = True,
    ) -> None:
        self.original, self.again, self.place, self.whole = original, again, place, whole
        self.layers = [name for name in layers if name != "hardware"]
        self.cause = Cause()
        self._count = 0

    def run(self) -> Cause:
        """Find the set.

        A short repetition up to the parting proposes layers; a whole one confirms them, and if the
        runs then part later, the search goes on from there with those layers already put back.
        """
        base: list[str] = []
        here: Recorded = self.again
        for _ in range(len(self.layers)):
            apart = parting(self.original.folder, here.folder)
            more = self._extend(base, apart)
            if more is None:
                return self.cause
            base = sorted({*base, *more}, key=self.layers.index)
            if apart is None or not self.whole:
                break
            done = self._repeat(base, None)
            if done is None or done.status:
                return self.cause
            here = read(done.folder)
            if same(self.original, here):
                self.cause.sure = True
                break
        self.cause.layers = base
        return self.cause

    def _extend(self, base: list[str], apart: Parting | None) -> list[str] | None:
        for names in self._sets(base, apart):
            done = self._repeat([*base, *names], apart)
            if done is not None and self._agrees(done, apart, [*base, *names]):
                return list(names)
        return None

    def _sets(self, base: list[str], apart: Parting | None) -> Iterator[tuple[str, ...]]:
        """Sets of further layers, small ones first, likely ones first."""
        computed = apart is None or apart.kind == "computation"
        order = _COMPUTED if computed else _INPUTS
        free = [name for name in order if name in self.layers and name not in base]
        for size in range(1, min(len(free), _LARGEST) + 1):
            for names in itertools.combinations(free, size):
                if not set(names) & set(self.cause.impossible):
                    yield names

    def _repeat(self, names: Sequence[str], apart: Parting | None) -> Repetition | None:
        self._count += 1
        label = f"trial-{self._count:02d}"
        task: dict[str, Any] = {}
        if apart is not None:
            task = {"kind": "part", "stop": apart.step + 1 + MARGIN}
            self._prepare(label, apart.network)
        try:
            return repeat(
                self.original,
                self.place,
                label,
                self.again.config,
                restore=names,
                now=self.again,
                task=task,
            )
        except NotRestoredError as problem:
            for name in names:
                if name in ("data", "code", "environment"):
                    self.cause.impossible.setdefault(name, str(problem))
            self.cause.tried.append((list(names), f"not possible: {problem}"))
            return None

    def _prepare(self, label: str, network: str) -> None:
        """Hand over every other network as it was, so that only this one is trained."""
        target = self.place.scratch / label / "run" / "weights"
        target.mkdir(parents=True, exist_ok=True)
        for weights in (self.original.folder / "weights").glob("*.safetensors"):
            if weights.stem != network:
                shutil.copy(weights, target)

    def _agrees(self, done: Repetition, apart: Parting | None, names: list[str]) -> bool:
        if done.status:
            self.cause.tried.append((names, ended(done.status, done.said)))
            return False
        if apart is None:
            fine = same(self.original, read(done.folder))
            self.cause.tried.append((names, "every file agrees" if fine else "files still differ"))
            self.cause.sure |= fine
            return fine
        has = (done.folder / TRACES / f"{apart.network}.npy").is_file()
        still = parting(self.original.folder, done.folder, apart.step + 1 + MARGIN)
        said = "agrees beyond the parting" if still is None else f"parts at {still}"
        self.cause.tried.append((names, said if has else "left no record"))
        return has and still is None


def same(was: Recorded, now: Recorded) -> bool:
    """Whether every file of two runs agrees to the last bit."""
    left, right = (r.manifest["results"]["artifacts"] for r in (was, now))
    return bool(left == right and left)
