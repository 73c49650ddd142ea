"""``fifth diff`` and ``fifth doctor``: what differs, and would it repeat here, without running."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from science.core import manifest
from science.core.datasets import card as read_card
from science.core.datasets import where
from science.core.errors import UserError
from science.core.files import sha256
from science.core.provenance import networks, numeric
from science.core.provenance.code import code
from science.core.provenance.environment import environment, installed
from science.core.rerun.layers import LAYERS, MEANING, differences, facts
from science.core.rerun.parting import Parting, parting
from science.core.rerun.records import Recorded, read

_ROUNDING = {"threads", "instructions", "hardware"}


@dataclass(frozen=True)
class Difference:
    """Two runs side by side: layers, files, first parting of their trainings."""

    layers: dict[str, list[str]]
    files: list[str]
    parting: Parting | None

    def lines(self) -> list[str]:
        """One line each, for a terminal."""
        told = [
            f"{layer} ({MEANING[layer]}): {line}"
            for layer, lines in self.layers.items()
            for line in lines
        ]
        told += [f"trainings part at {self.parting}"] if self.parting else []
        told += [f"file differs: {name}" for name in self.files]
        return told or ["no difference: same recipe, same bits"]


def diff(a: str | Path, b: str | Path) -> Difference:
    """Compare two finished runs, layer by layer and step by step."""
    was, now = read(a), read(b)
    left, right = (r.manifest["results"]["artifacts"] for r in (was, now))
    files = sorted(n for n in {*left, *right} if left.get(n) != right.get(n))
    return Difference(differences(was, now), files, parting(was.folder, now.folder))


@dataclass(frozen=True)
class Health:
    """Would a run repeat here?

    Attributes:
        layers: what differs between then and here.
        data: file, or network that is opened -> what is wrong with it here.
        altered: files of installed packages that are not as they were installed, and were then.
        known: how many are not as they were installed, here as then.
        expect: best grade to be hoped for.
    """

    layers: dict[str, list[str]]
    data: dict[str, str]
    altered: dict[str, str]
    expect: str
    known: int = 0

    def lines(self) -> list[str]:
        """One line each, for a terminal."""
        told = []
        for layer in LAYERS:
            if layer in ("seed", "config"):
                continue  # a rerun takes them from the run
            said = self.layers.get(layer)
            told.append(f"{layer}: {'; '.join(said) if said else 'as it was'}")
        told += [f"data file {name}: {what}" for name, what in self.data.items()]
        told += [f"package file {name}: {what}" for name, what in self.altered.items()]
        if self.known:
            told.append(
                f"package files edited since they were installed, then as now: {self.known}"
            )
        return [*told, f"expect: {self.expect}"]


def doctor(folder: str | Path, deep: bool = False) -> Health:
    """Compare a run's manifest with this place.

    Args:
        folder: of a finished run.
        deep: read every file of every installed package anew, whatever its date.
    """
    run = read(folder)
    here = _here(run, deep)
    layers = {name: lines for name, lines in facts(run.manifest, here).items() if lines}
    data = _data(run)
    then, now = (e["altered"] for e in (run.manifest["environment"], here["environment"]))
    altered = {name: what for name, what in now.items() if then.get(name) != what}
    known = int(here["environment"]["altered_count"]) - len(altered)
    return Health(layers, data, altered, _expect(layers, data), known)


def _here(run: Recorded, deep: bool) -> dict[str, Any]:
    packages = environment()
    if deep:
        packages = packages | installed(deep=True)
    known = run.manifest
    return {
        "seed": known["seed"],
        "data": known["data"],
        "code": code(),
        "environment": packages,
        "numeric": numeric.current(),
        "hardware": manifest.hardware(),
    }


def _data(run: Recorded) -> dict[str, str]:
    """File or network -> what is wrong with it here: missing or other bytes."""
    opened = run.manifest.get("networks") or {}
    lost = {
        name: "not on this machine"
        for name, files in opened.items()
        if not networks.whole(files, run.store) and not networks.is_here(name, files)
    }
    return lost | _files(run)


def _files(run: Recorded) -> dict[str, str]:
    known = run.manifest["data"]
    files, name = known.get("files"), str(known.get("card") or "")
    if not isinstance(files, Mapping) or not name:
        return {}
    kept = set(known.get("kept") or {})
    try:
        read_card(name)
        places = where(name)
    except UserError:
        return {f: "its card is not here" for f in files if f not in kept}
    wrong = {}
    for file, digest in files.items():
        path = places.get(file)
        if path is None and file not in kept:
            wrong[file] = "not on this machine"
        with contextlib.suppress(OSError):
            if path is not None and path.is_file() and sha256(path) != digest:
                wrong[file] = "other bytes than then"
    return wrong


def _expect(layers: Mapping[str, list[str]], data: Mapping[str, str]) -> str:
    if "not on this machine" in data.values():
        return "RX: data are missing"
    if not layers and not data:
        return "R4: to the last bit"
    if not data and set(layers) <= _ROUNDING:
        return "R3: but for rounding; `--profile original` may give R4"
    return "R4 to R0: what differs above may matter or not; `fifth rerun` finds out"
