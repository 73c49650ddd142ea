"""Known structures that stand for the rest: real rows, nobody for itself, rarer ones in turn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from science.core.samples import Samples
from science.crystals.archetypes import archetypes, crystals, distances, given
from science.crystals.archetypes_csp import copied, mixed

_QUIET = lambda done, total: None  # noqa: E731


def carbon(seed: int = 0) -> Samples:
    """Two kinds of four atoms, seven times and three times, and one kind of two atoms."""
    draw = np.random.default_rng(seed)
    diamond = np.array([[0, 0, 0], [0.25, 0.25, 0.25], [0.5, 0.5, 0], [0.75, 0.75, 0.25]])
    chain = np.array([[0, 0, 0], [0, 0, 0.25], [0, 0, 0.5], [0, 0, 0.75]])
    frac = np.zeros((12, 4, 3), np.float32)
    frac[:7], frac[7:10], frac[10:, :2] = diamond, chain, diamond[:2]
    frac[:10] += draw.normal(size=(10, 4, 3)) * 0.01
    species = np.full((12, 4), 6)
    species[10:, 2:] = 0
    cell = np.zeros((12, 6), np.float32)
    cell[:, 5] = np.log(3.0)
    return Samples(
        inputs={"species": species, "frac": frac % 1, "cell": cell},
        id=np.arange(12).astype(str),
        group=np.full(12, "C"),
        split=np.full(12, "train"),
        size=(species > 0).sum(1),
        ragged=("species", "frac"),
    )


def test_each_kind_is_stood_for_before_one_is_repeated(tmp_path: Path) -> None:
    known = carbon()
    chosen = archetypes(known, 2, 0, tmp_path, _QUIET)
    assert sorted(chosen) == [2, 4]
    first, second = chosen[4]
    assert first < 7 <= second < 10
    again = archetypes(known, 2, 0, tmp_path, _QUIET)
    assert all((again[size] == chosen[size]).all() for size in chosen)


def test_structures_are_those_of_the_size_asked_for(tmp_path: Path) -> None:
    known = carbon()
    made = given(known, archetypes(known, 2, 0, tmp_path, _QUIET), known, 2)
    assert ((made.species > 0).sum(1).reshape(12, 2) == known.size[:, None]).all()


def test_copies_are_found_and_others_are_not() -> None:
    known = carbon()
    assert copied(known, known).all()
    assert not copied(known.take(np.array([8])), known.take(np.arange(7))).any()


def test_distances_are_symmetric_and_zero_to_oneself() -> None:
    some = crystals(carbon(), np.array([0, 3, 8]))
    far = np.nan_to_num(distances(some, some), nan=9.0)
    assert np.allclose(far, far.T, atol=1e-4)
    assert np.allclose(far.diagonal(), 0, atol=1e-5)


def test_the_last_samples_are_replaced() -> None:
    known = carbon()
    one = crystals(known, np.repeat(np.arange(2), 3))
    two = crystals(known, np.array([8, 9]))
    made = mixed(one, two, 2)
    assert torch.equal(made.frac[2], two.frac[0])
    assert torch.equal(made.frac[5], two.frac[1])
    assert torch.equal(made.frac[[0, 1, 3, 4]], one.frac[[0, 1, 3, 4]])
