"""Learn several answers by the best of them, and choose from those of several networks.

Multiple-choice learning (Guzman-Rivera et al. 2012, NeurIPS; Rupprecht et al. 2017, ICCV) trains
what best-of-k measures: only the answer that came nearest is corrected, so the answers spread over
what may be. The answers of several networks, for every likely order of the elements on the sites,
are a distribution of weighted points, from which structures are chosen that cover it
(`science.crystals.cover`). So the first is the best single guess, and where nobody can know which
cation is in the middle, it is the one of the two that the networks are surer of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from science.core.task import Step, Task
from science.crystals.cover import MISS, cover
from science.crystals.crystals import Crystals, wrap
from science.crystals.nets.variants import Variants

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_PIECE = 500  # compositions


class Covering(Task):
    """Correct the answer that came nearest to the crystal; learn which it was.

    Args:
        net: a `Variants`.
        liking: weight of guessing which answer it is.
        cell: weight of the cell, in units of its spread.
        **how: optimiser, schedule and metrics; see `science.core.task.Task`.
    """

    def __init__(
        self, net: nn.Module, liking: float = 0.01, cell: float = 0.01, **how: Any
    ) -> None:
        super().__init__(net, **how)
        self.liking, self.cell = liking, cell

    def step(self, batch: Mapping[str, Tensor]) -> Step:
        """The mean distance of the nearest answer, in the units of the evaluator's rms."""
        net: Any = self.net
        answer = net(batch["species"])
        far = apart(answer.moved, net.goal(batch)[:, None])[..., 0]
        least, which = far.min(1)
        scale = net.spread.clamp(min=1e-4)
        parts = {
            "nearest": least.mean(),
            "liking": cross_entropy(answer.liking, which),
            "cell": mse_loss(answer.cell / scale, batch["cell"] / scale),
        }
        loss = parts["nearest"] + self.liking * parts["liking"] + self.cell * parts["cell"]
        return Step(loss, len(which), parts)


def apart(one: Tensor, two: Tensor) -> Tensor:
    """Rms distances (B, C, D) of structures (B, C, N, 3) and (B, D, N, 3) on the same sites.

    Both are fractional ways without drift in a cubic cell. The unit is (V / N)^(1/3), and a
    structure is as good as its mirror image, as in the evaluator.
    """
    atoms = one.shape[-2]
    first, second = one.flatten(-2), two.flatten(-2)
    square = first.square().sum(-1)[..., None] + second.square().sum(-1)[..., None, :]
    square = square - 2 * (first @ second.mT).abs()
    return (square.clamp(min=0) / atoms + 1e-8).sqrt() * float(atoms ** (1 / 3))


@torch.no_grad()
def propose(nets: Sequence[Variants], species: Ints, count: int) -> tuple[Crystals, Floats]:
    """``count`` structures for each row of atomic numbers (n, N), the best guess first.

    Returns:
        Crystals of n * count rows, and the share (n, count) of what may be that each stands for.
    """
    made, shares = [], []
    for begin in range(0, len(species), _PIECE):
        rows = np.sort(species[begin : begin + _PIECE], axis=1)
        orders = [nets[0].sites.answers(row) for row in rows.tolist()]
        owner = np.repeat(np.arange(len(rows)), [len(found) for found in orders])
        placed = torch.from_numpy(
            np.stack([rows[i][o.argsort()] for i, found in enumerate(orders) for o in found])
        )
        pool = _Pool(nets, placed)
        for row in range(len(rows)):
            crystals, share = pool.chosen(np.flatnonzero(owner == row), count)
            made.append(crystals)
            shares.append(share)
    joined = Crystals(*(torch.cat(list(values)) for values in zip(*made, strict=True)))
    return joined, np.stack(shares)


class _Pool:
    """All answers of all networks for T arrangements of elements on the sites."""

    def __init__(self, nets: Sequence[Variants], placed: Tensor) -> None:
        answers = [net(placed) for net in nets]
        self.placed, self.sites = placed, torch.from_numpy(nets[0].sites.frac)
        self.moved = torch.cat([a.moved for a in answers], 1)
        self.cell = torch.stack([a.cell for a in answers]).mean(0)
        weight = torch.cat([a.liking.softmax(1) for a in answers], 1) / len(nets)
        self.weight = weight.double().numpy()
        self.far = apart(self.moved, self.moved).double().numpy()

    def chosen(self, parts: Ints, count: int) -> tuple[Crystals, Floats]:
        """Structures of one composition, whose arrangements are the rows ``parts``."""
        each = self.moved.shape[1]
        far = np.full((len(parts) * each, len(parts) * each), MISS)
        for i, part in enumerate(parts):
            block = slice(i * each, (i + 1) * each)
            far[block, block] = np.minimum(self.far[part], MISS)
        weight = self.weight[parts].ravel() / len(parts)
        best = cover(far, weight, count)
        owned = far[best].argmin(0)
        share: Floats = np.bincount(owned, weight, minlength=count).astype(np.float64)
        part = torch.from_numpy(parts[best // each])
        frac = wrap(self.sites + self.moved[part, torch.from_numpy(best % each)])
        return Crystals(self.placed[part], frac, self.cell[part]), share
