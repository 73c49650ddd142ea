"""Rounds that a proof is dealt over, and where each kind of harm is tried."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from science.core.config import build, checked
from science.core.data import CardData
from science.core.frozen import freeze
from science.core.rerun.proof.count import Trial
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import Place, must, repeat

Kinds = Iterator[tuple[str, Iterator[Trial]]]


@dataclass(frozen=True)
class Round:
    """One of the rounds that all kinds of harm are dealt over.

    Attributes:
        part: its number, from 0.
        of: how many there are.
        counts: of all rounds together.
        seed: of what is drawn in this one.
    """

    part: int
    of: int
    counts: Mapping[str, int]
    seed: int

    def numbers(self, name: str) -> range:
        """Which of the trials of a kind belong to this round."""
        count = self.counts[name]
        return range(count * self.part // self.of, count * (self.part + 1) // self.of)

    def many(self, name: str) -> int:
        """How many those are."""
        return len(self.numbers(name))


def anew(place: Place, kinds: Kinds) -> Kinds:
    """Each kind with ``place.scratch`` empty when it begins, and gone when it has ended."""
    for kind, trials in kinds:
        yield kind, _inside(place, trials)


def _inside(place: Place, trials: Iterator[Trial]) -> Iterator[Trial]:
    shutil.rmtree(place.scratch, ignore_errors=True)
    place.scratch.mkdir(parents=True)
    yield from trials
    shutil.rmtree(place.scratch, ignore_errors=True)


def first(name: str, about: Mapping[str, Any], place: Place) -> Recorded:
    """An unbroken run of an experiment in its short form, on files if it is to be frozen.

    Args:
        name: of the experiment.
        about: its ``overrides``, and whether to ``freeze`` its data.
        place: where; a run that is there already is taken.
    """
    folder = place.scratch
    if (folder / "original/run/manifest.json").is_file():
        return read(folder / "original/run")
    config = checked(name, about.get("overrides", ()))
    if about.get("freeze"):
        data: CardData = build(config["data"])
        card = freeze(data.samples, folder / "frozen", f"frozen/{name.replace('/', '-')}")
        section = {k: v for k, v in config["data"].items() if k not in ("options", "most")}
        config = {**config, "data": {**section, "card": str(card)}}
    blank = Recorded(folder, {"data": {}}, config)
    return read(must(repeat(blank, replace(place, scratch=folder), "original", config)).folder)
