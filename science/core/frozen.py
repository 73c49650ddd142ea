"""Samples written to files as they are, with a card of their own: data that others can alter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from science.core.allow import configurable
from science.core.datasets import fetch
from science.core.errors import UserError
from science.core.files import atomic, write_text
from science.core.samples import Samples
from science.core.table import Table

_FACTS = "facts.json"
_COLUMNS = ("id", "group", "split", "target", "size", "label")


def freeze(samples: Samples, folder: Path, name: str) -> Path:
    """Write samples and their card into ``folder`` and return the card's path.

    Args:
        samples: of any kind; every array becomes a file without pickled parts.
        folder: to write to.
        name: of the card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns = {n: getattr(samples, n, None) for n in _COLUMNS}
    arrays = {f"input-{n}": array for n, array in samples.inputs.items()}
    arrays |= {n: array for n, array in columns.items() if array is not None}
    for each, array in arrays.items():
        with atomic(folder / f"{each}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, _plain(array), allow_pickle=False)
    facts: dict[str, Any] = {"ragged": list(samples.ragged)}
    if isinstance(samples, Table):
        facts |= {"classes": list(samples.classes), "positive": samples.positive}
    write_text(folder / _FACTS, json.dumps(facts))
    files = [*(f"{each}.npy" for each in sorted(arrays)), _FACTS]
    card = {
        "name": name,
        "title": f"Frozen samples of {name}",
        "description": "Written by science.core.frozen.",
        "licence": "as that of what was frozen",
        "table": "science.core.frozen.frozen",
        "files": [{"name": file, "path": file} for file in files],
    }
    write_text(folder / "card.yaml", yaml.safe_dump(card, sort_keys=False))
    return folder / "card.yaml"


@configurable
def frozen(card: str) -> Samples:
    """The samples that `freeze` wrote.

    Raises:
        UserError: a file is damaged.
    """
    files = fetch(card)
    try:
        facts = json.loads(Path(files.pop(_FACTS)).read_text(encoding="utf-8"))
        arrays = {Path(n).stem: np.load(p, allow_pickle=False) for n, p in files.items()}
        inputs = {n.removeprefix("input-"): a for n, a in arrays.items() if n.startswith("input-")}
        rest: dict[str, Any] = {n: a for n, a in arrays.items() if not n.startswith("input-")}
        rest["ragged"] = tuple(facts["ragged"])
        if "classes" not in facts:
            return Samples(inputs, **rest)
        return Table(
            inputs, **rest, classes=tuple(facts["classes"]), positive=str(facts["positive"])
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError) as problem:
        raise UserError(f"{card}: {problem}", "freeze the samples again") from None


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Texts as Unicode of fixed width, which needs no pickle."""
    return array.astype(np.str_) if array.dtype == object else np.asarray(array)
