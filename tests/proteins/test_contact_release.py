"""The release of the contact network: small, whole, and it answers for a family."""

from __future__ import annotations

import numpy as np
import pytest

from science import paths
from science.core.releases import releases
from science.core.seeds import rng
from science.proteins.alignment import Alignment
from science.proteins.predict import RELEASE, contact_probabilities, distogram

pytestmark = pytest.mark.skipif(RELEASE not in releases(), reason="not released yet")


def family() -> Alignment:
    tokens = rng(0, "released").integers(0, 20, (30, 40)).astype(np.uint8)
    return Alignment(tokens)


def test_it_is_small() -> None:
    files = (paths.RELEASES / RELEASE).iterdir()
    assert sum(file.stat().st_size for file in files) < 3_000_000


def test_it_says_probabilities_that_are_symmetric_and_zero_on_the_diagonal() -> None:
    made = contact_probabilities(family())
    assert made.shape == (40, 40)
    assert made.min() >= 0
    assert made.max() <= 1
    np.testing.assert_array_equal(made, made.T)
    assert (np.diag(made) == 0).all()


def test_random_sequences_have_no_confident_long_range_contact() -> None:
    made = contact_probabilities(family())
    assert made[np.triu_indices(40, 24)].max() < 0.5


def test_neighbours_along_the_chain_are_near() -> None:
    made = distogram(family())
    next_ = made.probability[np.arange(39), np.arange(1, 40)]
    assert (next_[:, :4].sum(1) > 0.8).mean() > 0.9
