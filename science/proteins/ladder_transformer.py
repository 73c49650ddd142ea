"""Learning as protein language models do it: from alignments alone first, then a little from maps.

A small alignment Transformer guesses hidden residues of every alignment in sight, the questions'
among them, since an alignment tells no contact. Then corrections of low rank (LoRA) and a contact
head learn from the examples' contacts; the rest of the network stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from science.core.config import build, checked
from science.core.errors import UserError
from science.core.ladder import Answer, Asked
from science.core.nn.adapters import trainable
from science.core.seeds import derive
from science.core.teach.learn import fit, seeded
from science.proteins.alignment import Alignment
from science.proteins.attention_maps import contact_logits
from science.proteins.crops import CropRows, Crops
from science.proteins.families import Family

SHAPE = {"width": 32, "layers": 3, "heads": 8, "hidden": 64}  # what a minute can train
LORA = {"method": "lora", "rank": 2, "where": r"blocks\.\d+\.row\.(query|key|value)"}
ROWS, COLUMNS, BATCH = 32, 64, 2  # of a crop; crops in a step


@dataclass(frozen=True)
class Stage:
    """One of the two trainings: the experiment whose task it is, and how many crops it sees."""

    experiment: str
    crops: int
    contacts: bool


HIDDEN = Stage("proteins/msa-pretrain", 1200, contacts=False)
TAUGHT = Stage("proteins/lora", 600, contacts=True)


def transformer(asked: Asked) -> Answer:
    """Pre-trained on hidden residues of all alignments, adapted by LoRA to the examples' contacts.

    Raises:
        UserError: there are no examples.
    """
    known: list[Family] = asked.examples
    if not known:
        raise UserError("no family teaches nothing", "give one and more")
    unsolved = [_unsolved(i, one) for i, one in enumerate(asked.questions.alignments)]
    first = _net("proteins/msa-transformer", SHAPE, asked.seed)
    _learn(first, HIDDEN, [*known, *unsolved], asked)
    net = _net("proteins/contact-transformer", SHAPE | LORA, asked.seed)
    net.load_state_dict(net.state_dict() | first.state_dict())
    seeded(lambda: _adapted(net), asked.seed, "ladder", "adapters")
    _learn(net, TAUGHT, known, asked)
    read = contact_logits(net, ROWS)
    maps = [read(alignment) for alignment in asked.questions.alignments]
    learned, every = trainable(net)
    return Answer(maps, f"{every:,} parameters, {learned:,} of which learn contacts")


def _net(config: str, how: dict[str, Any], seed: int) -> nn.Module:
    node = checked("proteins/lora", [f"net={config}"])["net"] | how
    return seeded(lambda: build(node), seed, "ladder", "transformer")


def _adapted(net: nn.Module) -> nn.Module:
    net.adapt()  # type: ignore[operator]
    return net


def _learn(net: nn.Module, stage: Stage, families: Sequence[Family], asked: Asked) -> None:
    crops = Crops(rows=ROWS, columns=COLUMNS, contacts=stage.contacts)
    crops.families = list(families)
    seed = derive(asked.seed, "ladder", stage.experiment)
    count = max(BATCH, asked.share(stage.crops))
    rows = CropRows(crops, np.arange(len(families)), count, seed)
    task = build(checked(stage.experiment)["task"], net=net)
    fit(task, lambda i: rows.__getitems__(i.tolist()), count, count // BATCH, BATCH, seed)


def _unsolved(number: int, alignment: Alignment) -> Family:
    """A question as a family of which nothing but the alignment is known."""
    nothing = np.full((alignment.length,) * 2, np.nan, np.float32)
    return Family(f"question {number}", alignment, nothing)
