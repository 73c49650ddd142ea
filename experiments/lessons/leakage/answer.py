"""Your answers to lesson 8. Keep the names and the arguments."""

import numpy as np


def shared_share(train_group: np.ndarray, test_group: np.ndarray) -> float:
    """Share (0 to 1) of the groups in the test set that are in training too."""
    raise NotImplementedError


def fair_split(group: np.ndarray, seed: int) -> np.ndarray:
    """True for samples to hold for testing: about a tenth, no group on both sides."""
    raise NotImplementedError


def honest_auc(inputs: dict, train: list, test: list, labels) -> np.ndarray:
    """Scores of the test samples, higher for likelier planets.

    inputs: id -> array of numbers; train, test: ids; labels.of(ids) gives True or False.
    """
    raise NotImplementedError
