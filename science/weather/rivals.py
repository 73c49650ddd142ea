"""What a trained emulator is compared with: simple rules, other networks, numerical forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.samples import Index
from science.weather.climatology import Climatology
from science.weather.judge import Outlook
from science.weather.series import Series

Fields = NDArray[np.float32]
_PIECES = 400  # of history that the damping is regressed on


class Rival:
    """Another backbone in the same emulator, on the same data, with the same task.

    To be fair it gets as many CPU-seconds as ours, which are not repeatable: so its steps are
    ``cost`` times fewer, by a ratio that was measured before and is written in the config. What was
    spent in the end is told on the page.

    Args:
        backbone: config node of it.
        cost: of a training step, over that of ours.
    """

    def __init__(self, backbone: Mapping[str, Any], cost: float = 1.0) -> None:
        if not cost > 0:
            raise UserError(f"baselines: a step that costs {cost}", "give a number above 0")
        self.backbone, self.cost = backbone, cost

    def config(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The experiment with the other network in it, all stages included."""
        return {**config, "net": {**config["net"], "backbone": self.backbone}, "start": None}

    def changes(self, changes: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        """A stage's changes with the steps that this network is given in it.

        Args:
            changes: to the sections of the experiment.
            before: the stage's sections as ours has them.
        """
        trainer = {**before["trainer"], **changes.get("trainer", {})}
        fewer = {
            name: max(1, round(trainer[name] / self.cost))
            for name in ("max_steps", "max_epochs")
            if trainer.get(name, -1) > 0
        }
        return merge(changes, {"trainer": fewer})


def merge(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` with ``changes`` laid over it, mapping by mapping."""
    made = dict(config)
    for key, value in changes.items():
        old = made.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        made[key] = merge(cast(Mapping[str, Any], old), value) if both else value
    return made


def simple(
    series: Series, places: Index, outlook: Outlook, climate: Climatology, learn: Index
) -> dict[str, Fields]:
    """Forecasts that need no network: persistence, its anomaly damped, and the climatology."""
    now = series.states[places[:, 0]][:, None]
    return {
        "persistence": np.broadcast_to(now, outlook.truth.shape)[None],
        "damped persistence": damped(series, places, outlook, climate, learn)[None],
        "climatology": outlook.climate[None],
    }


def damped(
    series: Series, places: Index, outlook: Outlook, climate: Climatology, learn: Index
) -> Fields:
    """The anomaly of the start, drawn to the climatology: (starts, leads, channels, lat, lon).

    What is kept of it is regressed at each point, channel and lead on pieces of training history.
    """
    past = series.places([0, *(round(lead) for lead in outlook.leads)])
    past = past[np.isin(past, learn).all(1)]
    past = past[:: max(1, len(past) // _PIECES)]
    first = series.states[past[:, 0]] - climate.at(series.time[past[:, 0]])
    power = np.maximum((first**2).mean(0), 1e-30)
    start = series.states[places[:, 0]] - climate.at(series.time[places[:, 0]])
    made = outlook.climate.copy()
    for k in range(len(outlook.leads)):
        later = series.states[past[:, k + 1]] - climate.at(series.time[past[:, k + 1]])
        kept = ((first * later).mean(0) / power).clip(0, 1)
        made[:, k] += kept * start
    return made
