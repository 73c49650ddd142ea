"""The manifest's schema: the models, and the JSON Schema that is published with the package.

``python -m science.core.provenance.schema`` writes ``manifest.schema.json`` anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from science.core.errors import UserError
from science.core.files import write_text

VERSION: Literal[2] = 2
FILE = Path(__file__).with_name("manifest.schema.json")
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Profile = Literal["fast", "deterministic", "portable"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Experiment(_Part):
    """What was asked for."""

    name: str
    overrides: list[str] = []


class Code(_Part):
    """Sources: the commit, and all that differed from it (kept in the run's store)."""

    version: str
    commit: str | None
    dirty: bool | None
    digest: Digest
    installed: dict[str, str] | None = None
    snapshot: Digest | None = None
    patch: Digest | None = None
    untracked: dict[str, Digest] = {}
    withheld: dict[str, str] = {}


class Distribution(_Part):
    """One installed package; ``record`` is a digest over its files as they are on disk."""

    version: str
    record: Digest


class Environment(_Part):
    """Interpreter and packages."""

    python: str
    implementation: str
    libc: str
    torch: dict[str, str]
    blas: list[str]
    distributions: dict[str, Distribution]
    altered: dict[str, Literal["edited", "missing", "planted"]]
    altered_count: int = Field(ge=0)


class Data(_Part):
    """The dataset: digests of its bytes and of what it says, and of each split's members."""

    card: str = ""
    files: dict[str, str] | str = ""
    byte_id: Digest | None = None
    semantic_id: Digest | None = None
    splits: dict[str, Digest] = {}
    kept: dict[str, Digest] = {}


class Hardware(_Part):
    """The machine, as far as it may change numbers or cost."""

    processor: str
    cores: int | None
    memory_gb: float
    gpu: str | None
    torch_threads: int
    kernels: str
    platform: str
    variables: dict[str, str]
    flags: Digest | None = None


class Numeric(_Part):
    """How exactly arithmetic was to repeat."""

    profile: Profile
    threads: int
    kernels: str
    variables: dict[str, str]


class Measured(_Part):
    """One result; ``tolerance`` is how far a repetition may be off and still be the same."""

    model: str
    measure: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    lower_is_better: bool = False
    tolerance: float | None = None


class Claim(_Part):
    """A sentence that a repetition has to bear out, such as ``auc.ours > auc.trees``."""

    claim: str
    holds: bool | None


class Results(_Part):
    """What came out: numbers, claims, and the digest of every file."""

    metrics: list[Measured] = []
    claims: list[Claim] = []
    artifacts: dict[str, Digest] = {}


class Manifest(_Part):
    """What a run was made of, and what it made."""

    schema_: Literal[2] = Field(alias="schema")
    recipe_id: Digest
    run_id: str
    parent: str | None = None
    command: str
    experiment: Experiment
    config: Digest
    code: Code
    environment: Environment
    packages: dict[str, str]
    data: Data
    networks: dict[str, dict[str, Digest]] = {}
    seed: int
    streams: str
    hardware: Hardware
    numeric: Numeric
    results: Results
    times: dict[str, Any]
    cost: dict[str, dict[str, float]]


def schema() -> str:
    """The JSON Schema of a manifest, as published."""
    found = Manifest.model_json_schema(by_alias=True)
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(found, indent=2, sort_keys=True) + "\n"


def parse(data: Any, where: str = "manifest.json") -> Manifest:
    """``data`` as a manifest.

    Raises:
        UserError: it is of another version, or not a manifest; names the first wrong entry.
    """
    version = data.get("schema") if isinstance(data, dict) else None
    if version != VERSION:
        raise UserError(
            f"{where}: a manifest of version {version}, not {VERSION}", "run the experiment again"
        )
    try:
        return Manifest.model_validate(data)
    except ValidationError as problem:
        first = problem.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise UserError(f"{where}: {at}: {first['msg']}", "the file is damaged") from None


if __name__ == "__main__":
    write_text(FILE, schema())
