"""Pre-training as an experiment: what attention maps know of contacts before any is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from science.core.config import build
from science.core.files import write_text
from science.core.learned import note
from science.core.recipe import Recipe
from science.core.seeds import derive, rng
from science.proteins.attention_maps import (
    Reader,
    attention_evidence,
    judged,
    remembered,
    summary,
    tests,
)
from science.proteins.families import Family

Each = dict[str, dict[str, float]]


class MaskedPretraining:
    """Train on hidden residues, read contacts from the maps, and judge them.

    The reading is repeated with other families to fit the logistic regression on, and the same is
    done with the net as it was before training. Writes ``precision.csv``, a line for each target.

    Args:
        card: whose targets judge.
        fitted: families that one logistic regression learns from.
        draws: of these families.
        deepest: families to fit on have at least as many sequences.
        rows: sequences shown of an alignment.
        options: passed to the card's reader.
    """

    def __init__(
        self,
        card: str = "proteins/psicov",
        fitted: int = 20,
        draws: int = 3,
        deepest: int = 100,
        rows: int = 64,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.card, self.fitted, self.draws = card, fitted, draws
        self.deepest, self.rows, self.options = deepest, rows, dict(options or {})

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, the trained net first."""
        data = recipe.data
        table = data.samples
        learn, held = table.where("train"), table.where("val")
        fold = data.fold(learn, held, derive(recipe.seed, "member", 0))
        net = recipe.train("member0", fold)
        note(recipe, ["member0"], [(learn, held)], held)
        deep = [int(i) for i in learn if table.inputs["depth"][i] >= self.deepest]
        known: Sequence[Family] = data.families  # type: ignore[attr-defined]
        draws = [
            [known[deep[i]] for i in rng(recipe.seed, "fitted", k).permutation(len(deep))]
            for k in range(self.draws)
        ]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(recipe.seed, "member0", "weights"))
            fresh: nn.Module = build(recipe.config["net"])
        targets, each = tests(self.card, self.options), {}
        for name, model in (("this run", net), ("untrained", fresh.eval())):
            each[name] = self._judged(recipe, name, model, draws, targets)
        _write(recipe, each)
        size = sum(p.numel() for p in net.parameters())
        notes = [
            f"{size:,} parameters, {len(learn)} families to learn from; no contact was shown but"
            f" those of the {self.fitted} families that each logistic regression learns from"
            f" ({self.draws} draws, precisions averaged over them).",
            "Long range is a separation of 24 and more; L, L2, L5 are the top L, L/2, L/5 pairs.",
        ]
        rows = [_row(name, of, recipe.seed) for name, of in each.items()]
        return {"rows": rows, "goals": {}, "notes": notes}

    def _judged(
        self,
        recipe: Recipe,
        name: str,
        net: nn.Module,
        draws: Sequence[Sequence[Family]],
        targets: Sequence[Family],
    ) -> Each:
        maps = remembered(attention_evidence(net, self.rows))
        found: dict[str, dict[str, list[float]]] = {f.name: {} for f in targets}
        for k, draw in enumerate(draws):
            reader = Reader(maps).fit(draw[: self.fitted])
            for family, values in zip(
                targets, judged(reader, targets, _told(recipe, f"{name} {k}")), strict=True
            ):
                for measure, value in values.items():
                    found[family.name].setdefault(measure, []).append(value)
        return {f: {m: float(np.mean(v)) for m, v in of.items()} for f, of in found.items()}


def _told(recipe: Recipe, what: str) -> Callable[[int, int], None]:
    return lambda done, total: recipe.tell(f"judging {what}", done, total, "")


def _row(name: str, each: Each, seed: int) -> dict[str, Any]:
    return {"model": name, "metrics": summary(list(each.values()), seed), "note": ""}


def _write(recipe: Recipe, each: dict[str, Each]) -> None:
    import pandas as pd

    lines = [
        {"model": model, "target": target, **values}
        for model, of in each.items()
        for target, values in of.items()
    ]
    text = pd.DataFrame(lines).round(4).to_csv(index=False)
    write_text(recipe.folder / "precision.csv", text)
