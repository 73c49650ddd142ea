"""Named streams of random numbers: every consumer its own, all from the one seed of a run.

Adding a consumer changes no other stream, which a shared generator could not promise.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

_BITS = 63  # the largest that torch and int64 columns both take


def derive(seed: int, *names: str | int) -> int:
    """Seed of the stream called ``names``: 63 bits, the same on every machine and version.

    ``derive(7, "fold", 3)`` and ``derive(7, "fold", "3")`` are different streams.
    """
    spelled = json.dumps([seed, *names], ensure_ascii=True)
    digest = hashlib.sha256(spelled.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _BITS)


def rng(seed: int, *names: str | int) -> np.random.Generator:
    """NumPy generator of the stream called ``names``."""
    return np.random.default_rng(derive(seed, *names))


def generator(seed: int, *names: str | int) -> torch.Generator:
    """Torch generator, on the CPU, of the stream called ``names``."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *names))
