"""The card of a release: what its networks are, and all that is needed to use them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ReleaseCard(BaseModel):
    """What a release is, and all that is needed to use it.

    Attributes:
        title: what it does, in a line.
        intended_use: what for.
        limits: what it is not good for.
        licence: of the weights.
        data: the experiment's data section (a node).
        net: the experiment's net section (a node).
        evaluation: the experiment's evaluation section, so that others judge it alike.
        members: names of the networks; a score is their calibrated mean.
        calibration: temperature and shift of scores.
        classes: what the networks tell apart; ``positive`` is what a score is the probability of.
            None if they measure or make things instead.
        inputs: name -> shape of one sample to score.
        task: the experiment's task section, of networks without classes: the ``fields`` of a flow
            are what a sampler needs to know.
        protocol: the experiment's protocol section, likewise: how things were drawn and judged.
        trained_on: card, splits, row count, digest of the rows' ids, SHA-256 of the files.
        metrics: the run's ``metrics.json`` rows.
        made_by: experiment, overrides, seed and code that made it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    intended_use: str = ""
    limits: list[str] = []
    licence: str = "Apache-2.0"
    data: dict[str, Any]
    net: dict[str, Any]
    evaluation: dict[str, Any] | None = None
    members: list[str] = Field(min_length=1)
    calibration: dict[str, float] = {}
    classes: list[str] = []
    positive: str = ""
    inputs: dict[str, list[int]] = {}
    task: dict[str, Any] | None = None
    protocol: dict[str, Any] | None = None
    trained_on: dict[str, Any] = {}
    metrics: list[dict[str, Any]] = []
    made_by: dict[str, Any] = {}

    @model_validator(mode="after")
    def _scores_or_makes(self) -> ReleaseCard:
        if self.task is None:
            needed = ("calibration", "classes", "positive", "inputs")
            missing = [name for name in needed if not getattr(self, name)]
            if missing or len(self.classes) < 2:
                raise ValueError(f"scores need {', '.join(missing) or 'two classes'}")
        return self
