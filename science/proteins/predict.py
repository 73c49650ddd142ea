"""Contacts and distances of a family, by the networks of a release."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.errors import UserError
from science.core.releases import load
from science.proteins.alignment import Alignment
from science.proteins.alphabet import Tokens
from science.proteins.calibrate import IDENTITY, Calibration
from science.proteins.contacts import Floats32
from science.proteins.features import DEPTH, Features, features
from science.proteins.nets.distogram import BINS, EDGES, TOUCHING

RELEASE = "proteins/contacts"
WHOLE = 640  # residues up to which a chain is seen at once
TILE = 256  # residues of each of the two pieces that a longer chain is seen in
LONGEST = 5000
Say = Callable[[str], None]


class Distogram(NamedTuple):
    """What is believed of the distance of each pair.

    Attributes:
        probability: (L, L, B) of each distance class, symmetric, summing to one.
        edges: (B - 1,) the distances between classes [Angstrom]; the last class is beyond.
    """

    probability: Floats32
    edges: tuple[float, ...]


@dataclass(frozen=True)
class Predictor:
    """Networks that predict together.

    Attributes:
        nets: trained; their probabilities are averaged.
        calibration: of the average.
        depth: sequences used at most.
    """

    nets: Sequence[nn.Module]
    calibration: Calibration = field(default=IDENTITY)
    depth: int = DEPTH

    def distogram(self, alignment: Alignment) -> Distogram:
        """Probabilities of distance classes, before calibration.

        Raises:
            UserError: the chain is longer than can be seen at once.
        """
        if alignment.length > WHOLE:
            problem = f"{alignment.source or 'alignment'}: {alignment.length} residues"
            raise UserError(problem, f"cut the chain into domains of at most {WHOLE}")
        made = self.classes(features(alignment.tokens, self.depth))
        return Distogram(made.permute(1, 2, 0).numpy(), EDGES)

    def contacts(self, alignment: Alignment, say: Say | None = None) -> Floats32:
        """(L, L) calibrated probabilities that residues are nearer than 8 Angstrom.

        Chains longer than ``WHOLE`` are seen in pairs of pieces, so that memory stays bounded.

        Args:
            alignment: of at most ``LONGEST`` columns.
            say: is told what was done to a long chain; stderr unless given.
        """
        length = alignment.length
        if length > LONGEST:
            problem = f"{alignment.source or 'alignment'}: {length:,} residues"
            raise UserError(problem, f"cut it into pieces of at most {LONGEST:,}")
        if length <= WHOLE:
            raw = self.raw(alignment.tokens)
        else:
            told = f"{length:,} residues are too many to be seen at once: seen in pairs of pieces"
            (say or _stderr)(f"{told} of {TILE}, each pair with couplings of its own")
            raw = self._tiled(alignment.tokens)
        return self.calibration(raw)

    def raw(self, tokens: Tokens) -> Floats32:
        """(L, L) contact probabilities before calibration, of a chain seen at once."""
        classes = self.classes(features(tokens, self.depth))
        touching: Floats32 = classes[:TOUCHING].sum(0).clamp(0, 1).numpy()
        return touching

    def classes(self, seen: Features, place: NDArray[np.int64] | None = None) -> Tensor:
        """(BINS, L, L) mean over the networks of the distance classes' probabilities.

        Args:
            seen: of the alignment.
            place: (L,) residue numbers, if they are not consecutive.
        """
        inputs = batch(seen, place)
        total = torch.zeros(BINS, *inputs["pair"].shape[-2:])
        with torch.inference_mode():
            for net in self.nets:
                total += net(inputs)[0].softmax(0)
        return total / len(self.nets)

    def _tiled(self, tokens: Tokens) -> Floats32:
        length = tokens.shape[1]
        total = np.zeros((length, length), np.float32)
        count = np.zeros((length, length), np.uint16)
        for place in tiles(length):
            part = features(np.ascontiguousarray(tokens[:, place]), self.depth)
            touching = self.classes(part, place)[:TOUCHING].sum(0).clamp(0, 1)
            inside = np.ix_(place, place)
            total[inside] += touching.numpy()
            count[inside] += 1
        total /= count
        return total


def batch(seen: Features, place: NDArray[np.int64] | None = None) -> dict[str, Tensor]:
    """Features as a network's inputs, one alignment a batch."""
    made = {
        "pair": torch.from_numpy(seen.pair)[None],
        "single": torch.from_numpy(seen.single)[None].float(),
        "neff": torch.tensor([seen.neff], dtype=torch.float32),
    }
    return made if place is None else made | {"place": torch.from_numpy(place)[None]}


def tiles(length: int) -> Iterator[NDArray[np.int64]]:
    """Residue numbers of every two pieces of a chain; together they hold every pair."""
    edges = np.linspace(0, length, -(-length // TILE) + 1).astype(np.int64)
    pieces = [np.arange(a, b) for a, b in itertools.pairwise(edges)]
    for later in range(1, len(pieces)):
        for earlier in range(later):
            yield np.concatenate([pieces[earlier], pieces[later]])


@lru_cache(maxsize=2)
def predictor(release: str = RELEASE) -> Predictor:
    """The networks of a release or of a finished run's folder, read once."""
    opened = load(release)
    return Predictor(opened.members, Calibration.of(opened.card.calibration))


def contact_probabilities(alignment: Alignment, release: str = RELEASE) -> Floats32:
    """(L, L) calibrated contact probabilities of an alignment's query, symmetric, diagonal zero."""
    return predictor(release).contacts(alignment)


def distogram(alignment: Alignment, release: str = RELEASE) -> Distogram:
    """Probabilities of distance classes of an alignment's query."""
    return predictor(release).distogram(alignment)


def _stderr(told: str) -> None:
    sys.stderr.write(told + "\n")
