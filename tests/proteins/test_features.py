"""Features: against the plain inverse, orders that do not matter, depths that do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from science.core.seeds import rng
from science.proteins.contact_views import MOST, views
from science.proteins.feature_cache import FeatureCache, View, crop
from science.proteins.features import (
    DIRECTIONS,
    PAIR,
    RIDGE,
    SCORES,
    SINGLE,
    SIZE,
    centred,
    corrected,
    coupling_score,
    directions,
    features,
    scores_and_blocks,
)
from science.proteins.weights import sequence_weights


def family(rows: int, length: int, seed: int = 0) -> np.ndarray:
    return rng(seed, "family").integers(0, SIZE, (rows, length)).astype(np.uint8)


def paired(rows: int = 400, length: int = 16, i: int = 3, j: int = 12) -> np.ndarray:
    """Columns i and j agree in every sequence; all else is chance."""
    tokens = family(rows, length) % 20
    tokens[:, j] = tokens[:, i]
    return tokens.astype(np.uint8)


@pytest.mark.parametrize("rows", [6, 400])
def test_both_ways_to_the_inverse_agree_with_the_plain_one(rows: int) -> None:
    tokens = family(rows, 9)
    weight = sequence_weights(tokens)
    x = centred(tokens, weight).double()
    ridge = RIDGE / weight.sum() ** 0.5
    inverse = torch.linalg.inv(x.T @ x + ridge * torch.eye(x.shape[1]).double())
    blocks = inverse.view(9, SIZE, 9, SIZE).permute(0, 2, 1, 3)
    norm = blocks[..., :20, :20].square().sum((2, 3)).sqrt().fill_diagonal_(0)
    made = scores_and_blocks(tokens, weight)
    torch.testing.assert_close(made[0].double(), norm, rtol=1e-3, atol=1e-5)
    basis = directions().double()
    wanted = torch.einsum("ijab,ak,bl->klij", -blocks, basis, basis)
    got = torch.stack(made[len(SCORES) :]).view(DIRECTIONS, DIRECTIONS, 9, 9).double()
    off = ~torch.eye(9, dtype=torch.bool)
    torch.testing.assert_close(got[..., off], wanted[..., off], rtol=1e-2, atol=1e-4)


def test_directions_are_orthonormal_and_keep_residues_from_gaps() -> None:
    basis = directions()
    torch.testing.assert_close(basis.T @ basis, torch.eye(DIRECTIONS), atol=1e-6, rtol=0)
    assert (basis[:20, -1] == 0).all()
    assert (basis[20, :-1] == 0).all()
    torch.testing.assert_close(
        basis[:20, :-1].sum(0), torch.zeros(DIRECTIONS - 1), atol=1e-5, rtol=0
    )


def test_two_columns_that_agree_stand_out() -> None:
    score = coupling_score(paired())
    i, j = np.triu_indices(16, 1)
    best = score[i, j].argmax()
    assert (i[best], j[best]) == (3, 12)
    seen = features(paired())
    assert seen.pair[0, 3, 12] == seen.pair[0].max()


def test_the_correction_takes_away_what_a_column_does_to_all() -> None:
    strength = torch.tensor([1.0, 2.0, 4.0, 3.0])
    score = torch.outer(strength, strength)
    assert corrected(score).abs().max() < 1e-5  # a product of columns is all background


def test_maps_are_symmetric_up_to_the_exchange_of_directions() -> None:
    pair = features(family(30, 12)).pair.astype(int)
    blocks = pair[len(SCORES) :].reshape(DIRECTIONS, DIRECTIONS, 12, 12)
    off = ~np.eye(12, dtype=bool)
    assert np.array_equal(pair[: len(SCORES)], pair[: len(SCORES)].transpose(0, 2, 1))
    swapped = blocks.transpose(1, 0, 3, 2)
    assert np.abs(blocks - swapped)[..., off].max() <= 40  # each is scaled by its own triangle
    # The directions' own couplings share a triangle, and so agree but for rounding.
    for k in range(DIRECTIONS):
        assert np.abs(blocks[k, k] - blocks[k, k].T).max() <= 1


def test_the_order_of_homologues_changes_nothing_but_rounding() -> None:
    tokens = family(60, 14)
    shuffled = tokens[np.r_[0, 1 + rng(1, "order").permutation(59)]]
    a, b = features(tokens), features(shuffled)
    assert np.abs(a.pair.astype(int) - b.pair).max() <= 1
    np.testing.assert_array_equal(a.single, b.single)
    assert a.neff == pytest.approx(b.neff)


@pytest.mark.parametrize("tokens", [family(1, 10), family(3, 1), family(5, 2), np.full((4, 9), 20)])
def test_poor_alignments_give_finite_features(tokens: np.ndarray) -> None:
    seen = features(tokens.astype(np.uint8))
    length = tokens.shape[1]
    assert seen.pair.shape == (PAIR, length, length)
    assert seen.single.shape == (length, SINGLE)
    assert np.isfinite(seen.single).all()


def test_one_sequence_knows_of_no_coupling() -> None:
    assert (features(family(1, 12)).pair == 0).all()


def test_the_cache_keeps_what_it_was_given_and_makes_anew_what_is_damaged(tmp_path: Path) -> None:
    cache, tokens = FeatureCache(tmp_path), family(20, 11)
    path = cache.make(tokens, View(10, 1))
    seen = features(tokens, 10, 1)
    pair, single, neff = crop(path, slice(2, 9))
    np.testing.assert_array_equal(pair.numpy(), seen.pair[:, 2:9, 2:9])
    np.testing.assert_allclose(single.numpy(), seen.single[2:9].astype(np.float32))
    assert float(neff) == pytest.approx(seen.neff)
    path.write_bytes(path.read_bytes()[:100])
    assert cache.make(tokens, View(10, 1)) == path
    np.testing.assert_array_equal(crop(path, slice(0, 11))[0].numpy(), seen.pair)


def test_the_cache_tells_alignments_views_and_seeds_apart(tmp_path: Path) -> None:
    cache, tokens = FeatureCache(tmp_path), family(20, 11)
    other = tokens.copy()
    other[3, 3] = (other[3, 3] + 1) % 20
    paths = {cache.path(t, v) for t in (tokens, other) for v in (View(10), View(10, 1), View(9))}
    assert len(paths) == 6
    assert cache.path(tokens, View(20)) == cache.path(tokens, View(99, 4))  # both are all of it


def test_views_are_all_of_it_and_parts_that_grow_with_it() -> None:
    assert views(10, 0, "a") == [View(MOST)]
    assert len(views(100, 0, "a")) == 2
    deep = views(900, 0, "a")
    assert len(deep) == 3
    assert all(20 <= view.depth <= 600 for view in deep[1:])
    assert views(900, 0, "b") != deep
    assert views(900, 0, "a") == deep
