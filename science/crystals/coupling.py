"""Pairs noise with crystals better than chance, so that paths are short and rarely cross.

Which atom of the noise becomes which of the crystal is free among atoms of one element, and so is
where the noise as a whole lies, for a network to which neither makes a difference. Choosing both
so that atoms move little is optimal transport within each pair (Klein et al. 2023, arXiv
2306.15030, for molecules); it leaves the noise's distribution as it was.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from science.core.fields import nearest

State = dict[str, Tensor]
_NEVER = 1e3  # cost of turning one element into another; squared distances are below 0.75


class Transport:
    """Renumber, move and invert the noise of the atoms to lie as near as may be to the crystal.

    Args:
        shifts: translations to try beside the mean way of all atoms; each puts a random atom on
            one of its element. More are better and dearer.
        renumber: exchange atoms of the same element, by the Hungarian method.
        invert: try the noise inside out as well. Right where crystals are shown in both senses.
        field: name of the coordinates.
    """

    def __init__(
        self, shifts: int = 4, renumber: bool = True, invert: bool = True, field: str = "frac"
    ) -> None:
        self.shifts, self.renumber, self.invert, self.field = shifts, renumber, invert, field

    def __call__(self, noise: State, data: State, batch: Mapping[str, Tensor]) -> State:
        """The noise with its coordinates (B, N, 3) rearranged."""
        species, goal = batch["species"], data[self.field]
        best = noise[self.field]
        least = torch.full((len(best),), torch.inf, device=best.device)
        for side in (1, -1) if self.invert else (1,):
            for shift in range(1 + self.shifts):
                move = _to_one if shift else _to_all
                tried = move(noise[self.field] * side, goal, species)
                if self.renumber:
                    tried = _renumbered(tried, goal, species)
                cost = _cost(tried, goal, species)
                best = torch.where((cost < least)[:, None, None], tried, best)
                least = torch.minimum(cost, least)
        return {**noise, self.field: best}


def _to_all(noise: Tensor, goal: Tensor, species: Tensor) -> Tensor:
    """Noise moved by the mean way of its atoms round the torus."""
    real = (species > 0)[..., None]
    turn = 2 * torch.pi * (goal - noise)
    mean = torch.atan2((turn.sin() * real).sum(1), (turn.cos() * real).sum(1)) / (2 * torch.pi)
    return noise + mean[:, None]


def _to_one(noise: Tensor, goal: Tensor, species: Tensor) -> Tensor:
    """Noise moved so that a random atom of it lies on a random atom of its element in ``goal``."""
    real = (species > 0).float()
    one = torch.multinomial(real, 1)
    like = (species == species.gather(1, one)).float()
    other = torch.multinomial(like, 1)
    row = torch.arange(len(noise), device=noise.device)[:, None]
    return noise + (goal[row, other] - noise[row, one])


def _renumbered(noise: Tensor, goal: Tensor, species: Tensor) -> Tensor:
    from scipy.optimize import linear_sum_assignment

    apart = nearest(goal[:, :, None] - noise[:, None])
    cost = apart.square().sum(-1) + _NEVER * (species[:, :, None] != species[:, None])
    order = [linear_sum_assignment(one)[1] for one in cost.cpu().numpy()]
    index = torch.from_numpy(np.stack(order)).to(noise.device)
    return noise.gather(1, index[..., None].expand_as(noise))


def _cost(noise: Tensor, goal: Tensor, species: Tensor) -> Tensor:
    """(B,) squared way of all atoms, less that of the whole."""
    real = (species > 0)[..., None]
    way = nearest(goal - noise) * real
    still = way - way.sum(1, keepdim=True) / real.sum(1, keepdim=True)
    return (still.square() * real).sum((1, 2))
