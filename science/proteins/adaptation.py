"""Ways of teaching a pre-trained alignment Transformer contacts, compared at one price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import yaml
from torch import nn

from science.core import manifest, pictures
from science.core.files import write_text
from science.core.learned import note
from science.core.nn import adapters
from science.core.recipe import Recipe
from science.core.samples import Index
from science.core.seeds import derive, rng
from science.proteins.attention_maps import contact_logits, judged, summary, tests
from science.proteins.families import Family

LONG = "long_L"


@dataclass(frozen=True)
class Arm:
    """One way of learning contacts.

    Attributes:
        net: arguments of the net that differ from the experiment's.
        rate: learning rate.
        draws: crops to learn from; set so that all arms take the same processor time.
        pretrained: whether it begins with the experiment's ``start``.
        labelled: numbers of labelled families to learn from; ``None`` for all.
    """

    net: Mapping[str, Any]
    rate: float
    draws: int
    pretrained: bool = True
    labelled: tuple[int | None, ...] = (None,)


@dataclass(frozen=True)
class Taught:
    """A net that learned, and how it did.

    Attributes:
        arm: name of the way.
        count: labelled families.
        seed: number of the repetition.
        share: of its weights that learned.
        each: target -> precisions.
        member: name of the net in the run.
    """

    arm: str
    count: int
    seed: int
    share: float
    each: dict[str, dict[str, float]]
    member: str


class Adaptations:
    """Train every arm on the same families in the same order, and judge all on the same targets.

    Fewer labelled families are the first of one random order, alike for all arms. Writes
    ``arms.csv``, a line for each net and target.

    Args:
        arms: name -> fields of an `Arm`, the one that the run is about first.
        repeats: seeds of each arm on all families.
        card: whose targets judge.
        split: ``test`` for the card's targets, ``val`` for the families held back from training,
            on which alone anything may be chosen.
        rows: sequences shown of an alignment.
        options: passed to the card's reader.
    """

    def __init__(
        self,
        arms: Mapping[str, Mapping[str, Any]],
        repeats: int = 3,
        card: str = "proteins/psicov",
        split: str = "test",
        rows: int = 48,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.arms = {name: _arm(fields) for name, fields in arms.items()}
        self.repeats, self.card, self.split, self.rows = repeats, card, split, rows
        self.options = dict(options or {})

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, one for each arm and number of families."""
        data = recipe.data
        table = data.samples
        learn, held = table.where("train"), table.where("val")
        order = rng(recipe.seed, "labelled").permutation(learn)
        known: Sequence[Family] = data.families  # type: ignore[attr-defined]
        targets = [known[i] for i in held]
        if self.split == "test":
            targets = tests(self.card, self.options)
        found = [
            self._teach(recipe, name, count, seed, order, held, targets)
            for name, arm in self.arms.items()
            for count in arm.labelled
            for seed in range(self.repeats if count is None else 1)
        ]
        first = [t.member for t in found if t.arm == next(iter(self.arms))][:1]
        note(recipe, first, [(learn, held)], held)
        _write(recipe, found)
        _draw(recipe, found)
        return {"rows": _rows(found, recipe), "goals": {}, "notes": self._notes()}

    def _teach(
        self,
        recipe: Recipe,
        name: str,
        count: int | None,
        seed: int,
        order: Index,
        held: Index,
        targets: Sequence[Family],
    ) -> Taught:
        arm = self.arms[name]
        some = order if count is None else order[:count]
        member = f"{name}-{len(some)}-{seed}".replace(" ", "-").lower()
        stream = derive(recipe.seed, "order", len(some), seed)
        fold = recipe.data.fold(some, held, stream, arm.draws)  # type: ignore[call-arg]
        how = _recipe(recipe, arm)
        net = how.train(member, fold)
        kept = arm.net.get("method") == "lora" and arm.pretrained  # else nothing to add it to
        if kept and count is None and seed == 0:
            keep(how, net, {"families": len(some), "member": member})
        recipe.tell("judging", 0, len(targets), member)
        each = judged(contact_logits(net, self.rows), targets)
        names = [target.name for target in targets]
        share = _share(net)
        return Taught(name, len(some), seed, share, dict(zip(names, each, strict=True)), member)

    def _notes(self) -> list[str]:
        return [f"{self.repeats} seeds of each arm on all families, one on fewer."]


def keep(recipe: Recipe, net: nn.Module, facts: Mapping[str, Any]) -> None:
    """Write ``adapter.safetensors`` and ``adapter.yaml``: what an adapted net has beyond its start.

    Args:
        recipe: that trained the net; says its shape and what it began with.
        net: with adapters.
        facts: more to know of it.
    """
    about = {
        "start": manifest.portable(recipe.config["start"]),
        "net": dict(recipe.config["net"]),
        "data": manifest.portable(recipe.config["data"]),
        "seed": recipe.seed,
        "weights": adapters.trainable(net)[0],
        **facts,
    }
    adapters.save(net, recipe.folder / "adapter.safetensors", about)
    write_text(recipe.folder / "adapter.yaml", yaml.safe_dump(about, sort_keys=False))


def _arm(fields: Mapping[str, Any]) -> Arm:
    labelled = fields.get("labelled", (None,))
    return Arm(**{**fields, "labelled": tuple(labelled)})


def _recipe(recipe: Recipe, arm: Arm) -> Recipe:
    """The experiment's recipe with one arm's net, rate and start."""
    config = dict(recipe.config)
    config["net"] = {**config["net"], **arm.net}
    optimizer = {**config["task"]["optimizer"], "lr": arm.rate}
    config["task"] = {**config["task"], "optimizer": optimizer}
    if not arm.pretrained:
        config.pop("start", None)
    return replace(recipe, config=config)


def _share(net: nn.Module) -> float:
    learns, every = adapters.trainable(net)
    return learns / every


def _rows(found: Sequence[Taught], recipe: Recipe) -> list[dict[str, Any]]:
    rows = []
    for arm, count in dict.fromkeys((t.arm, t.count) for t in found):
        same = [t for t in found if (t.arm, t.count) == (arm, count)]
        mean = [
            {m: float(np.mean([t.each[target][m] for t in same])) for m in values}
            for target, values in same[0].each.items()
        ]
        metrics = summary(mean, recipe.seed)
        apart = [np.nanmean([v[LONG] for v in t.each.values()]) for t in same]
        words = f"{same[0].share:.2%} of its weights learn; {len(same)} seed"
        words += f"s, {min(apart):.3f} to {max(apart):.3f}" if len(same) > 1 else ""
        rows.append({"model": f"{arm}, {count} families", "metrics": metrics, "note": words})
    return rows


def _write(recipe: Recipe, found: Sequence[Taught]) -> None:
    import pandas as pd

    lines = [
        {"arm": t.arm, "families": t.count, "seed": t.seed, "target": name, **values}
        for t in found
        for name, values in t.each.items()
    ]
    write_text(recipe.folder / "arms.csv", pd.DataFrame(lines).round(4).to_csv(index=False))


def _draw(recipe: Recipe, found: Sequence[Taught]) -> None:
    """Precision against the number of labelled families, a line for each arm with several."""
    from matplotlib.figure import Figure

    from science.core.style import DASHES, WIDTH, style

    with style():
        figure = Figure(figsize=(WIDTH, 3.4))
        axes = figure.subplots()
        for place, arm in enumerate(dict.fromkeys(t.arm for t in found)):
            counts = sorted({t.count for t in found if t.arm == arm})
            mean = [
                np.nanmean(
                    [
                        v[LONG]
                        for t in found
                        if (t.arm, t.count) == (arm, n)
                        for v in t.each.values()
                    ]
                )
                for n in counts
            ]
            axes.plot(counts, mean, marker="o", linestyle=DASHES[place % len(DASHES)], label=arm)
        axes.set(xscale="log", xlabel="labelled families", ylabel="long-range precision at L")
        axes.legend()
    caption = "What pre-training is worth: precision at L against families with a known structure."
    pictures.keep(recipe.folder, [("labelled", figure, caption)], "Labelled families")
