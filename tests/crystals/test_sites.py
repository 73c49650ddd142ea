"""Sites of a prototype: found under moved atoms, learned by counting, given in turn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.core.errors import UserError
from science.crystals.sites import Sites

PEROVSKITE = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0, 0.5, 0.5]]
KINDS = np.array([[38, 22, 8, 8, 8], [22, 38, 8, 8, 8], [56, 22, 8, 8, 8], [22, 56, 8, 8, 8]])


def crystals(seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    frac = np.array(PEROVSKITE) + draw.normal(size=(4, 5, 3)) * 0.02 + draw.random((4, 1, 3))
    return (frac % 1).astype(np.float32)


def test_atoms_are_given_back_their_sites() -> None:
    sites, order = Sites(PEROVSKITE), np.array([2, 0, 4, 1, 3])
    place, under = sites.taken(KINDS[:, order], crystals()[:, order])
    assert (place == order).all()
    apart = under - crystals()[:, order]
    assert np.abs(apart - np.round(apart)).max() < 0.15


def test_what_was_seen_both_ways_is_answered_both_ways() -> None:
    sites = Sites(PEROVSKITE)
    sites.adapt({"species": KINDS, "frac": crystals()})
    answers = sites.answers([8, 8, 8, 22, 38])
    metals = {tuple(place[3:].tolist()) for place in answers}
    assert metals == {(0, 1), (1, 0)}


def test_samples_take_the_answers_in_turn() -> None:
    sites = Sites(PEROVSKITE)
    sites.adapt({"species": KINDS, "frac": crystals()})
    made = sites.starts(torch.tensor([[38, 22, 8, 8, 8]]), 20, np.random.default_rng(0))
    corner = (made[:, 0] == 0).all(1)
    assert made.shape == (20, 5, 3)
    assert corner.sum() == 10


def test_another_number_of_atoms_is_refused() -> None:
    with pytest.raises(UserError, match="row 0: 4 atoms"):
        Sites(PEROVSKITE).taken(np.array([[1, 2, 3, 4, 0]]), np.zeros((1, 5, 3)))
