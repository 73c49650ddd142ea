"""What judges the answers to lesson 3."""

import numpy as np
import torch

from science.core.field import nearest
from science.core.seeds import rng
from science.core.teach.wrong import array, number, require


def velocity(answer) -> None:
    """Against a Monte Carlo mean over lines that pass near the place."""
    data = np.array([-1.0, 1.5])
    draw = rng(0, "check")
    for x, time in ((0.2, 0.5), (1.0, 0.8), (0.0, 0.0)):
        noise, goal = draw.normal(size=400_000), data[draw.integers(0, 2, 400_000)]
        near = np.abs((1 - time) * noise + time * goal - x) < 0.02
        wanted = (goal - noise)[near].mean()
        found = number(answer(x, time, data))
        require(
            abs(found - wanted) < 0.08,
            f"at x = {x}, t = {time}: {found:.2f}, but lines that cross there go at {wanted:.2f}",
            f"在 x = {x}、t = {time}：{found:.2f}，而经过那里的直线的速度是 {wanted:.2f}",
        )


def shortest(answer) -> None:
    """Round the torus, in both directions."""
    start, end = np.array([0.95, 0.1, 0.2, 0.05]), np.array([0.05, 0.3, 0.15, 0.95])
    found = array(answer(start, end), (4,))
    wanted = nearest(torch.tensor(end - start)).numpy()
    require(
        bool(np.allclose(found, wanted)),
        f"from {start[0]} to {end[0]} it is {wanted[0]:+.1f}, not {found[0]:+.1f}",
        f"从 {start[0]} 到 {end[0]} 是 {wanted[0]:+.1f}，而不是 {found[0]:+.1f}",
    )
