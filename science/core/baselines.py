"""What a new network has to beat: one number, boosted trees, somebody else's network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from science.core.predict import positive
from science.core.recipe import Recipe
from science.core.seeds import derive
from science.core.table import Index, Table

Floats = NDArray[np.float64]


class Baseline(Protocol):
    """Scores of the positive class, learned from ``learn`` and told of ``judge`` (row numbers)."""

    calibrated: bool

    def scores(self, recipe: Recipe, learn: Index, judge: Index, name: str) -> Floats:
        """One score for each of ``judge``; ``name`` is the baseline's own stream of seeds."""


class OneNumber:
    """Rank by a single column of a single input; learns only whether more means likelier."""

    calibrated = False

    def __init__(self, input: str, column: int) -> None:  # noqa: A002 - the config's word
        self.input, self.column = input, column

    def scores(self, recipe: Recipe, learn: Index, judge: Index, name: str) -> Floats:  # noqa: ARG002
        """The column itself, turned so that its rank correlation with the label is positive."""
        table = recipe.data.table
        values = np.nan_to_num(table.inputs[self.input][:, self.column].astype(np.float64))
        truth = table.truth[learn]
        ranks = values[learn].argsort().argsort()
        sign = 1.0 if ranks[truth].mean() >= ranks[~truth].mean() else -1.0
        return sign * values[judge]


class GradientBoosting:
    """Histogram-boosted trees (scikit-learn) on the flattened inputs, averaged over seeds.

    Args:
        inputs: which inputs; ``None`` for all.
        repeats: models to average.
        rounds: trees per model.
    """

    calibrated = True

    def __init__(
        self, inputs: Sequence[str] | None = None, repeats: int = 2, rounds: int = 200
    ) -> None:
        self.inputs, self.repeats, self.rounds = inputs, repeats, rounds

    def scores(self, recipe: Recipe, learn: Index, judge: Index, name: str) -> Floats:
        """Mean probability of the positive class."""
        table = recipe.data.table
        flat = _varied(_flat(table, self.inputs), learn)
        found = np.zeros(len(judge))
        for i in range(self.repeats):
            model = HistGradientBoostingClassifier(
                max_iter=self.rounds,
                learning_rate=0.06,
                max_leaf_nodes=20,
                l2_regularization=3.0,
                max_features=0.3,
                random_state=derive(recipe.seed, name, i) % 2**32,
            )
            model.fit(flat[learn], table.truth[learn])
            found += model.predict_proba(flat[judge])[:, 1]
            recipe.tell(name, i + 1, self.repeats, "")
        return found / self.repeats


class Network:
    """Another network, trained by the same task on the same rows.

    Args:
        net: config node of the network.
        epochs: how long to train it; 0 for as long as ours.
    """

    calibrated = True

    def __init__(self, net: Mapping[str, Any], epochs: int = 0, lr: float = 0.0) -> None:
        self.net, self.epochs, self.lr = net, epochs, lr

    def scores(self, recipe: Recipe, learn: Index, judge: Index, name: str) -> Floats:
        """Probability of the positive class; nothing was chosen by looking at the judged rows."""
        fold = recipe.data.fold(learn, judge[:1], derive(recipe.seed, name))
        net = replace(recipe, config=self._config(recipe.config)).train(f"baseline-{name}", fold)
        found: Floats = positive([net], recipe.data.table.take(judge), recipe.accelerator)[0]
        return found

    def _config(self, config: Mapping[str, Any]) -> dict[str, Any]:
        task, trainer = dict(config["task"]), dict(config["trainer"])
        if self.lr:
            task["optimizer"] = {**task["optimizer"], "lr": self.lr}
        if self.epochs:
            trainer["max_epochs"] = self.epochs
        return {**config, "net": self.net, "task": task, "trainer": trainer, "start": None}


def _flat(table: Table, inputs: Sequence[str] | None) -> NDArray[np.float32]:
    chosen = table.with_inputs(inputs) if inputs else table
    return np.concatenate([v.reshape(len(table), -1) for v in chosen.inputs.values()], axis=1)


def _varied(flat: NDArray[np.float32], learn: Index) -> NDArray[np.float32]:
    """The columns that tell rows apart; scikit-learn cannot bin a column of one value."""
    seen = flat[learn]
    known = np.isfinite(seen)
    low = np.where(known, seen, np.inf).min(0)
    high = np.where(known, seen, -np.inf).max(0)
    return flat[:, high > low]
