"""Statistics and learning: structures by what nature replaces by what, and by a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from science.core.config import build, checked
from science.core.data import FoldData
from science.core.errors import UserError
from science.core.ladder import Answer, Asked
from science.core.recipe import Recipe
from science.core.seeds import derive
from science.crystals.compositions import balance
from science.crystals.crystals import unpack
from science.crystals.csp_baselines import substitution
from science.crystals.draw import draw_each
from science.crystals.ladder_problem import Formula, asking, formula_of, structures_of
from science.crystals.substitute import Sizes, likeness, replaced

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

BATCH, BATCHES, EPOCHS = 64, 125, 20  # of training, however few the examples
Charged = tuple["Structure", dict[str, int], dict[str, int]]


def ionic_substitution(asked: Asked) -> Answer:
    """The known crystal whose ions nature likeliest replaces by those asked for.

    Probabilities are those of pairs of isotypic crystals in the ICSD (Hautier et al. 2011, Inorg.
    Chem. 50, 656), which come with pymatgen; the cell grows or shrinks with its atoms.
    """
    known = structures_of(asked.examples)
    sizes = Sizes.fit(known)
    charged = [(s, formula_of(s), _charges(formula_of(s))) for s in known]
    return Answer([_replaced(formula, charged, sizes) for formula in asked.questions])


def _charges(formula: Formula) -> dict[str, int]:
    try:
        return balance("".join(f"{e}{n}" for e, n in formula.items()))
    except UserError:
        return {}


def _replaced(formula: Formula, known: list[Charged], sizes: Sizes) -> Structure | None:
    mine, best, made = _charges(formula), 0.0, None
    for structure, amounts, charges in known:
        if sorted(amounts.values()) != sorted(formula.values()) or not charges or not mine:
            continue
        old = sorted(charges, key=lambda e: (charges[e], amounts[e]))
        new = sorted(mine, key=lambda e: (mine[e], formula[e]))
        if [amounts[e] for e in old] != [formula[e] for e in new]:
            continue
        chance = float(np.prod([
            likeness(a, charges[a], b, mine[b]) for a, b in zip(old, new, strict=True)
        ]))  # fmt: skip
        if chance > best:
            best, made = chance, replaced(structure, dict(zip(old, new, strict=True)), sizes)
    return made


def vote(asked: Asked) -> Answer:
    """Known crystals of like composition vote on the structure (`science.crystals.templates`)."""
    made = substitution(asked.examples, asking(asked.questions), 1, asked.seed)
    there = (made.species > 0).any(1).tolist()
    found = iter(unpack(made.take(np.flatnonzero(there).tolist())))
    return Answer([next(found) if one else None for one in there])


def generator(asked: Asked) -> Answer:
    """The quickstart's flow: atoms and cells set out at random and are led to their places.

    Raises:
        UserError: there are too few examples to learn from.
    """
    known = asked.examples
    if len(known) < 10:
        raise UserError(f"{len(known)} crystals teach nothing", "give ten and more")
    epochs = asked.share(EPOCHS)
    config = checked("crystals/quickstart", [f"trainer.max_epochs={epochs}"])
    config |= {"seed": derive(asked.seed, "ladder", "generator")}
    config["trainer"] |= {"check_val_every_n_epoch": epochs}
    watched = max(1, len(known) // 10)
    learn = np.resize(np.arange(len(known) - watched), BATCH * BATCHES)
    watch = np.arange(len(known) - watched, len(known))
    fold = FoldData(known, learn, watch, BATCH, derive(asked.seed, "ladder", "fold"))
    net = Recipe(config, asked.folder).train("generator", fold)
    fields = {name: build(node) for name, node in config["task"]["fields"].items() if node}
    made = draw_each(
        build(config["protocol"]["sampler"]),
        net,
        fields,
        np.asarray(asking(asked.questions).inputs["species"]),
        1,
        derive(asked.seed, "ladder", "drawn"),
        asked.folder / "drawn",
        lambda *_: None,
    )
    return Answer(unpack(made), f"{sum(p.numel() for p in net.parameters()):,} parameters")
