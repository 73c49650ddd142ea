"""Features on disk, under the digest of what they were made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from science import paths
from science.core.files import atomic
from science.proteins.alphabet import Tokens
from science.proteins.features import PAIR, RECIPE, SINGLE, Features, features

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class View:
    """One sub-sample of an alignment: its sequences at most, and the seed they are drawn by."""

    depth: int
    seed: int = 0


class FeatureCache:
    """Computes each view of each alignment once.

    Args:
        folder: where; ``None`` for the user's cache directory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or paths.cache() / "proteins" / "features"

    def path(self, tokens: Tokens, view: View) -> Path:
        """The file of a view, whether it is there or not."""
        said = f"{RECIPE} {tokens.shape} {min(view.depth, len(tokens))} "
        said += str(view.seed) if view.depth < len(tokens) else "all"
        digest = hashlib.sha256(said.encode() + np.ascontiguousarray(tokens).tobytes())
        return self.folder / f"{digest.hexdigest()[:32]}.safetensors"

    def make(self, tokens: Tokens, view: View) -> Path:
        """The file of a view, computed unless a whole one is there."""
        path = self.path(tokens, view)
        if not (path.is_file() and _whole(path)):
            self.folder.mkdir(parents=True, exist_ok=True)
            made = features(tokens, view.depth, view.seed)
            with atomic(path) as temporary:
                save_file(_tensors(made), temporary)
        return path


def crop(path: Path, rows: slice) -> tuple[Tensor, Tensor, Tensor]:
    """Pair (PAIR, n, n) int8, single (n, SINGLE) float32 and Neff () of some residues of a view."""
    with safe_open(path, framework="pt") as archive:
        pair = archive.get_slice("pair")[:, rows, rows]
        single = archive.get_slice("single")[rows].float()
        return pair, single, archive.get_tensor("neff")


def _tensors(made: Features) -> dict[str, Tensor]:
    return {
        "pair": torch.from_numpy(made.pair),
        "single": torch.from_numpy(made.single),
        "neff": torch.tensor(made.neff, dtype=torch.float32),
    }


def _whole(path: Path) -> bool:
    """Whether a file left by an earlier run can be read."""
    try:
        with safe_open(path, framework="pt") as archive:
            pair, single = (archive.get_slice(n).get_shape() for n in ("pair", "single"))
            return bool(pair[0] == PAIR and single == [pair[1], SINGLE])
    except (SafetensorError, OSError, KeyError):
        return False
