"""Contacts from the attention maps of a pre-trained net, as the authors of ESM read them.

Symmetrised and corrected maps of all layers and heads, a logistic regression with an L1 penalty
on the contacts of 20 proteins, nothing else learned (Rao et al. 2021, ICLR; Rao et al. 2021, ICML).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import nn

from science.proteins.alignment import Alignment
from science.proteins.contacts import in_contact, separated
from science.proteins.crops import padded
from science.proteins.families import Family, families
from science.proteins.metrics import averaged, precisions
from science.proteins.nets.contact_transformer import evidence
from science.proteins.weights import filtered

Floats32 = NDArray[np.float32]
Maps = Callable[[Alignment], Floats32]
ROWS = 64  # sequences shown when a net is judged or used


def shown(alignment: Alignment, rows: int = ROWS) -> NDArray[np.uint8]:
    """(rows, L) diverse sequences of an alignment, query first.

    Those below 90 % identity to any earlier one; if there are too many, spread evenly over the
    alignment, which search programs sort by similarity; if too few, the first of the others too.
    """
    tokens = alignment.tokens
    kept = filtered(tokens, 0.9)
    if len(kept) > rows:
        kept = kept[np.linspace(0, len(kept) - 1, rows).round().astype(int)]
    elif len(kept) < min(rows, len(tokens)):
        others = np.setdiff1d(np.arange(len(tokens)), kept)
        kept = np.concatenate([kept, others[: rows - len(kept)]])
    return tokens[kept]


def attention_evidence(net: nn.Module, rows: int = ROWS) -> Maps:
    """What the maps of a net say of an alignment: (maps, L, L) float32."""

    def read(alignment: Alignment) -> Floats32:
        ids, real = padded([shown(alignment, rows)])
        with torch.inference_mode():
            _, maps = net.read(ids, real)  # type: ignore[operator]
            told: Floats32 = evidence(maps, real)[0].numpy()
        return told

    return read


def contact_logits(net: nn.Module, rows: int = ROWS) -> Maps:
    """What a net with a contact head says of an alignment: (L, L) logits."""

    def read(alignment: Alignment) -> Floats32:
        ids, real = padded([shown(alignment, rows)])
        with torch.inference_mode():
            logits: Floats32 = net({"ids": ids, "real": real})[0].numpy()
        return logits

    return read


class Reader:
    """A logistic regression on maps of evidence.

    Args:
        maps: what is said of an alignment.
        strength: inverse of the L1 penalty, as ESM chose it.
    """

    def __init__(self, maps: Maps, strength: float = 0.15) -> None:
        self.maps, self.strength = maps, strength

    def fit(self, families: Iterable[Family]) -> Reader:
        """Learn the weight of each map from pairs at least 6 apart of these families."""
        seen, truth = [], []
        for family in families:
            told = self.maps(family.alignment)
            i, j = separated(family.alignment.length)
            known = np.isfinite(family.distance[i, j])
            seen.append(told[:, i[known], j[known]].T)
            truth.append(in_contact(family.distance)[i[known], j[known]])
        model = LogisticRegression(l1_ratio=1.0, C=self.strength, solver="liblinear")
        model.fit(np.concatenate(seen), np.concatenate(truth))
        self.weight = model.coef_[0].astype(np.float32)
        self.bias = float(model.intercept_[0])
        return self

    def __call__(self, alignment: Alignment) -> Floats32:
        """(L, L) logits of contact."""
        logits = np.tensordot(self.weight, self.maps(alignment), 1) + self.bias
        return np.asarray(logits, np.float32)


def tests(card: str, options: Mapping[str, Any]) -> list[Family]:
    """The families of a card that judge."""
    return [f for f in families(card, **options) if f.split == "test"]


def judged(
    predict: Callable[[Alignment], Floats32],
    families: Sequence[Family],
    tell: Callable[[int, int], None] | None = None,
) -> list[dict[str, float]]:
    """Nine precisions of each family by a function that says contacts of an alignment."""
    found = []
    for i, family in enumerate(families):
        found.append(precisions(predict(family.alignment), family.distance))
        if tell is not None:
            tell(i + 1, len(families))
    return found


def summary(each: Sequence[Mapping[str, float]], seed: int) -> dict[str, Any]:
    """Means over proteins with intervals; measures that no protein is long enough for are left out.

    Args:
        each: one mapping a protein, all with the same measures.
        seed: of the bootstrap.
    """
    table = {measure: [of[measure] for of in each] for measure in each[0]}
    usable = {m: values for m, values in table.items() if np.isfinite(values).any()}
    return {m: averaged(values, seed=seed).as_dict() for m, values in usable.items()}


def remembered(maps: Maps) -> Maps:
    """The same maps, computed once for each alignment and kept in half precision."""
    known: dict[str, NDArray[np.float16]] = {}

    def read(alignment: Alignment) -> Floats32:
        if alignment.source not in known:
            known[alignment.source] = maps(alignment).astype(np.float16)
        told: Floats32 = known[alignment.source].astype(np.float32)
        return told

    return read
