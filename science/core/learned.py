"""What networks were made from, so that nobody judges them on what they know by heart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from science.core.files import write_json
from science.core.recipe import Recipe
from science.core.samples import Index, Samples
from science.core.table import Table


def note(
    recipe: Recipe, members: Sequence[str], parts: Iterable[tuple[Index, Index]], judged: Index
) -> None:
    """Write ``members.json`` and ``learned.json``, without which a run cannot be released.

    A protocol with a ``measure`` of its own calls this when its networks are trained.

    Args:
        recipe: of the run.
        members: names of the networks that a release is made of.
        parts: (training rows, judged rows) of each network.
        judged: rows that the run's result is about.
    """
    card = str(recipe.config["data"].get("card", ""))
    known = learned(recipe.data.samples, card, parts, judged)
    write_json(recipe.folder / "members.json", list(members))
    write_json(recipe.folder / "learned.json", known)


def learned(
    table: Samples, card: str, parts: Iterable[tuple[Index, Index]], judged: Index
) -> dict[str, Any]:
    """What a release must know of the table that its networks come from, as plain data.

    ``splits`` are those with any row that a network learned from, and those that were not kept for
    judging: they chose the calibration. What scores are about is added if there are classes.

    Args:
        table: the experiment's samples.
        card: name of their dataset card.
        parts: (training rows, judged rows) of each fold.
        judged: rows whose scores are the run's result.
    """
    rows = np.unique(np.concatenate([learn for learn, _ in parts]))
    kept = np.setdiff1d(judged, rows)
    names = sorted(map(str, np.unique(table.split)))
    clean = [n for n in names if np.isin(np.flatnonzero(table.split == n), kept).all()]
    ids = "\n".join(sorted(map(str, table.id[rows])))
    known: dict[str, Any] = {}
    if isinstance(table, Table):
        shapes = {name: list(array.shape[1:]) for name, array in table.inputs.items()}
        known = {"classes": list(table.classes), "positive": table.positive, "inputs": shapes}
    digest = hashlib.sha256(ids.encode()).hexdigest()
    splits = [name for name in names if name not in clean]
    trained = {"card": card, "splits": splits, "rows": len(rows), "ids": digest}
    return known | {"trained_on": trained}


def warning(trained_on: Mapping[str, Any], same: bool, digests: set[str], split: str) -> str:
    """A sentence if networks are about to be judged on what they learned from, else nothing.

    Args:
        trained_on: as in `learned`, with ``files``: name -> SHA-256 of the data behind the card.
        same: whether the data to judge on is of the same card.
        digests: of the files of the data to judge on.
        split: the part of it; ``all`` for the whole.
    """
    known = set(dict(trained_on.get("files") or {}).values())
    if not same and not known & digests:
        return ""
    splits = [str(name) for name in trained_on.get("splits", ())]
    if split != "all" and split not in splits:
        return ""
    return (
        f"NOT A FAIR TEST: these networks learned from or were tuned on the splits"
        f" {', '.join(splits)} of this very data, so their scores here are too good."
    )
