"""Right answers to lesson 8, and the usual wrong ones (``naive_``), which the checks refuse."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from science.core.seeds import rng


def shared_share(train_group, test_group):
    return float(np.isin(np.unique(test_group), train_group).mean())


def fair_split(group, seed):
    names = np.unique(group)
    return np.isin(group, names[rng(seed, "split").random(len(names)) < 0.1])


def honest_auc(inputs, train, test, labels):
    model = LogisticRegression().fit([inputs[i] for i in train], labels.of(train))
    return model.predict_proba([inputs[i] for i in test])[:, 1]


def naive_shared_share(train_group, test_group):
    """Counts samples: a star with many events counts many times."""
    return float(np.isin(test_group, train_group).mean())


def naive_fair_split(group, seed):
    """Deals sample by sample, which is the flaw itself."""
    return rng(seed, "split").random(len(group)) < 0.1


def naive_honest_auc(inputs, train, test, labels):
    """More data are better, so why not use all of them?"""
    both = [*train, *test]
    model = LogisticRegression().fit([inputs[i] for i in both], labels.of(both))
    return model.predict_proba([inputs[i] for i in test])[:, 1]
