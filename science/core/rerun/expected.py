"""``expected.json`` beside an experiment: what a repetition should find, and how nearly.

It holds one entry per profile: ``full`` is the experiment as it stands, ``short`` the same with
overrides that let it end in seconds. An entry is written from runs, never by hand:
``fifth rerun EXPERIMENT --declare RUN``; tolerances and claims may then be edited.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from science import paths
from science.core.errors import UserError
from science.core.files import write_json

FILE = "expected.json"
FULL, SHORT = "full", "short"


class Entry(BaseModel):
    """What to expect of one profile.

    Attributes:
        overrides: of the experiment's config.
        metrics: measure -> value of the declared run's own model.
        tolerances: measure -> how far off another value may be and still be the same.
        noise: measure -> largest change that a disturbance of the first weights by 1e-7 made.
        ensemble: measure -> values of runs that differ in their seeds alone.
        margin: how many standard deviations of the ensemble count as a difference that matters.
        claims: what has to hold.
        cpu_s: what it cost when it was declared.
        made_by: recipe, code, kernels and packages of the declared run.
    """

    model_config = ConfigDict(extra="forbid")

    overrides: list[str] = []
    metrics: dict[str, float] = {}
    tolerances: dict[str, Annotated[float, Field(ge=0)]] = {}
    noise: dict[str, Annotated[float, Field(ge=0)]] = {}
    ensemble: dict[str, list[float]] = {}
    margin: float = Field(default=4.0, gt=0)
    claims: list[str] = []
    artifacts: dict[str, str] = {}
    cpu_s: float = 0.0
    made_by: dict[str, str] = {}


def read(experiment: str | Path) -> dict[str, Entry]:
    """The entries of an experiment by profile; none if it has no ``expected.json``.

    Raises:
        UserError: the file is damaged.
    """
    file = place(experiment)
    if file is None or not file.is_file():
        return {}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): Entry.model_validate(entry) for name, entry in data.items()}
    except (OSError, ValueError, ValidationError, AttributeError) as problem:
        said = str(problem).splitlines()[0]
        raise UserError(f"{file}: {said}", "declare it anew: fifth rerun --declare") from None


def write(experiment: str | Path, profile: str, entry: Entry) -> Path:
    """Add or replace one entry."""
    file = place(experiment)
    if file is None:
        raise UserError(f"{experiment}: not an experiment of its own", "name one in experiments/")
    known = {name: one.model_dump() for name, one in read(experiment).items()}
    write_json(file, known | {profile: entry.model_dump()})
    return file


def declared(experiment: str, overrides: Sequence[str]) -> dict[str, Any]:
    """The entry whose overrides are exactly these, as plain data; empty if there is none."""
    try:
        entries = read(experiment)
    except UserError:
        return {}  # a run does not fail over what others expect of it
    same = (e for e in entries.values() if sorted(e.overrides) == sorted(overrides))
    found = next(same, None)
    return {} if found is None else found.model_dump()


def parts(experiment: str | Path) -> list[str]:
    """The experiments of a suite, which are what is declared of it; none of any other."""
    from science.core.config import load

    return [str(name) for name in load(experiment).get("suite") or ()]


def place(experiment: str | Path) -> Path | None:
    """Where the experiment's ``expected.json`` is or would be."""
    for folder in (paths.EXPERIMENTS / experiment, Path(experiment)):
        if (folder / "experiment.yaml").is_file():
            return folder / FILE
    file = Path(experiment)
    return file.with_name(FILE) if file.name == "experiment.yaml" and file.is_file() else None
