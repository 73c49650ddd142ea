"""What ``fifth bench proteins`` measures: a whole contact map, its parts, and training."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
import yaml

from science import paths
from science.core.bench import Case
from science.core.config import build
from science.core.seeds import rng
from science.core.supervised import Labelled, SupervisedTask
from science.core.throughput import Round, learning
from science.proteins.alignment import Alignment
from science.proteins.alphabet import GAP, Tokens
from science.proteins.contact_baselines import BASELINES
from science.proteins.contact_data import pair_weight
from science.proteins.features import features
from science.proteins.nets.distogram import DistogramLoss
from science.proteins.nets.pair import PairNet
from science.proteins.predict import Predictor, batch

LENGTH, DEPTH, MEMBERS, CROP = 150, 2000, 3, 96


def cases() -> list[Case]:
    """Ours first, then what it is compared with."""
    whole = f"contact map of {LENGTH} residues, {DEPTH:,} sequences [maps/CPU-s]"
    found = [
        Case(whole, f"network, mean of {MEMBERS}", _map, rounds=3),
        Case(whole, "its features alone", _features, rounds=3),
    ]
    found += [Case(whole, name, partial(_baseline, name), rounds=3) for name in BASELINES]
    return [*found, Case("training [crops/CPU-s]", f"crop of {CROP}", _training)]


def family(length: int = LENGTH, depth: int = DEPTH) -> Tokens:
    """An alignment like real ones in size: a tenth of it gaps, no two sequences alike."""
    draw = rng(0, "bench", "family")
    tokens = draw.integers(0, GAP, (depth, length)).astype(np.uint8)
    tokens[draw.random(tokens.shape) < 0.1] = GAP
    return tokens


def _net() -> PairNet:
    text = (paths.CONFIGS / "net/proteins/pair.yaml").read_text(encoding="utf-8")
    net: PairNet = build(yaml.safe_load(text))
    return net


def _map() -> Round:
    together = Predictor([_net().eval() for _ in range(MEMBERS)])
    alignment = Alignment(family())

    def once() -> int:
        together.contacts(alignment)
        return 1

    return once


def _features() -> Round:
    tokens = family()

    def once() -> int:
        features(tokens)
        return 1

    return once


def _baseline(name: str) -> Round:
    tokens = family()

    def once() -> int:
        BASELINES[name](tokens)
        return 1

    return once


def _training() -> Round:
    task = SupervisedTask(_net(), DistogramLoss())
    optimizer = torch.optim.AdamW(task.parameters(), fused=True)
    inputs: dict[str, Any] = batch(features(family(CROP, 200)))
    place = np.cumsum(rng(0, "bench", "walk").normal(0, 2, (CROP, 3)), 0)
    apart = np.linalg.norm(place[:, None] - place, axis=-1).astype(np.float32)
    distance = torch.from_numpy(apart)
    given = Labelled(inputs, distance[None], pair_weight(distance)[None])
    return learning(task, given, optimizer, steps=1)
