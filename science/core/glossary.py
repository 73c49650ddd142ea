"""What the common measures are called, what they mean in plain words, and which way is better."""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from typing import NamedTuple

from science import paths


class Term(NamedTuple):
    """A measure: the name a reader sees, a sentence that explains it, and its better direction."""

    label: str
    meaning: str
    lower_is_better: bool = False


_TERMS: dict[str, Term] = {
    "auc": Term(
        "AUC",
        "chance that a randomly chosen positive example gets a higher score than a randomly "
        "chosen negative one; 0.5 is a coin toss, 1 is perfect.",
    ),
    "ap": Term(
        "Average precision",
        "area under the precision-recall curve: how pure the top of the ranked list is, "
        "averaged over how far down one reads; stricter than AUC when positives are rare.",
    ),
    "accuracy": Term("Accuracy", "share of examples whose class is named correctly."),
    "precision": Term("Precision", "share of the examples called positive that are positive."),
    "recall": Term("Recall", "share of the positive examples that are found."),
    "f1": Term("F1", "harmonic mean of precision and recall."),
    "ece": Term(
        "Calibration error",
        "mean distance between the stated score and the share of positives actually found at "
        "that score (expected calibration error); 0 means scores can be read as probabilities.",
        lower_is_better=True,
    ),
    "brier": Term(
        "Brier score",
        "mean squared distance between score and truth (0 or 1); rewards being right and being "
        "honest about doubt.",
        lower_is_better=True,
    ),
    "nll": Term("Log loss", "mean surprise of the truth under the scores.", lower_is_better=True),
    "loss": Term("Loss", "the quantity that training makes small.", lower_is_better=True),
    "recall_at_p99": Term(
        "Recall at 99\u00a0% precision",
        "share of the positive examples found by a list of which 99\u00a0% are positive.",
    ),
    "samples_per_cpu_s": Term(
        "Samples per CPU-second", "examples that training gets through in a second of one core."
    ),
    "speedup": Term("Times faster", "ratio of two speeds measured in turns on one machine."),
    "recall_at_1pct_false_alarms": Term(
        "Recall at 1\u00a0% false alarms",
        "share of the positive examples found by a threshold that one in a hundred of the "
        "negative ones exceeds.",
    ),
    "rmse": Term("RMSE", "root of the mean squared error.", lower_is_better=True),
    "mae": Term("MAE", "mean absolute error.", lower_is_better=True),
}
_ALIASES = {
    "auroc": "auc",
    "roc_auc": "auc",
    "average_precision": "ap",
    "auprc": "ap",
    "pr_auc": "ap",
    "acc": "accuracy",
    "log_loss": "nll",
}
_FALLING = re.compile(r"(^|_)(loss|error|ece|brier|nll|rmse|mae|mse|crps|time|seconds)($|_)")


def term(name: str) -> Term:
    """What is known about the measure ``name``; an unknown one is named after itself.

    Names may carry a group in front ("vetting/auc"), which stays in the label. Measures of one
    domain are known to its own ``glossary.py``.
    """
    group, slash, last = name.rpartition("/")
    found = _known(last.lower().replace("-", "_").replace(" ", "_"), last)
    return found._replace(label=f"{group}: {found.label}") if slash else found


def _known(key: str, written: str) -> Term:
    if plain := _TERMS.get(_ALIASES.get(key, key)):
        return plain
    if words := _of_a_domain(key):
        return words
    return Term(written.replace("_", " "), "", _FALLING.search(key) is not None)


@lru_cache
def _of_a_domain(key: str) -> Term | None:
    """What ``term`` in some ``science/<domain>/glossary.py`` says of measures of its own."""
    for file in sorted(paths.PACKAGE.glob("*/glossary.py")):
        if file.parent.name != "core":
            module = importlib.import_module(f"science.{file.parent.name}.glossary")
            if found := module.term(key):
                return Term(*found)
    return None


def reached(name: str, value: float, goal: float) -> bool:
    """Whether ``value`` is at least as good as ``goal`` in the measure's better direction."""
    return value <= goal if term(name).lower_is_better else value >= goal
