"""Training tables of pendulums."""

from __future__ import annotations

import numpy as np

from science.core.allow import configurable
from science.core.errors import UserError
from science.core.seeds import rng
from science.core.table import Table
from science.pendulum.synth import swing

CLASSES = ("driven", "damped")
NOISE = 0.15  # of one angle [rad]


@configurable
def simulated(card: str = "pendulum/simulated", count: int = 400, seed: int = 0) -> Table:
    """``count`` pendulums, about half of them driven, split 80, 10 and 10 %.

    Inputs: ``angle`` (n, 121) [rad] and ``swing`` (n, 2), the root mean square angle of the first
    and of the last third of the series [rad].
    """
    if count < 20:
        raise UserError(f"{card}: {count} pendulums make no three splits", "ask for 20 or more")
    draw = rng(seed, "pendulums")
    driven = draw.random(count) < 0.5
    angle = swing(
        start=draw.uniform(0.3, 2.0, count),
        friction=draw.uniform(0.05, 0.2, count),
        torque=np.where(driven, draw.uniform(0.02, 0.2, count), 0.0),
        frequency=draw.uniform(0.5, 1.2, count),
    )
    angle += draw.normal(0.0, NOISE, angle.shape)
    thirds = np.array_split(angle, 3, axis=1)
    amplitude = np.stack([np.sqrt((thirds[i] ** 2).mean(1)) for i in (0, -1)], axis=1)
    place = rng(seed, "split").permutation(count) / count
    return Table(
        inputs={"angle": angle.astype(np.float32), "swing": amplitude.astype(np.float32)},
        label=np.where(driven, 0, 1),
        classes=CLASSES,
        id=np.array([f"pendulum-{seed}-{row:06d}" for row in range(count)]),
        group=np.arange(count),
        split=np.where(place < 0.8, "train", np.where(place < 0.9, "val", "test")),
        positive="driven",
    )
