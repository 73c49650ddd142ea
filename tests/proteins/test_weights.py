"""Sequences count by how many others are like them."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.proteins.alignment import Alignment
from science.proteins.weights import filtered, neff, sequence_weights, subsample

RNG = np.random.default_rng(0)


def family(depth=80, length=47):
    base = RNG.integers(0, 21, (6, length))
    tokens = base[RNG.integers(0, 6, depth)]
    change = RNG.random(tokens.shape) < RNG.choice([0.05, 0.2, 0.5], depth)[:, None]
    return np.where(change, RNG.integers(0, 21, tokens.shape), tokens).astype(np.uint8)


@pytest.mark.parametrize("identity", [0.3, 0.62, 0.8, 1.0])
@pytest.mark.parametrize("length", [5, 32, 47, 300])
def test_weights_are_those_of_the_definition(identity, length):
    tokens = family(60, length)
    agree = (tokens[:, None] == tokens[None]).mean(-1)
    expected = 1 / (agree >= identity - 1e-12).sum(1)
    assert sequence_weights(tokens, identity) == pytest.approx(expected)


def test_80_percent_of_ten_columns_is_eight():
    tokens = np.zeros((2, 10), np.uint8)
    tokens[1, :2] = 1
    assert neff(tokens) == 1
    tokens[1, 2] = 1
    assert neff(tokens) == 2


def test_neff_is_one_for_copies_and_the_depth_for_strangers():
    assert neff(np.repeat(family(1), 50, axis=0)) == pytest.approx(1)
    assert neff(RNG.integers(0, 21, (50, 200)).astype(np.uint8)) == 50
    with pytest.raises(UserError, match="identity"):
        neff(family(), 0.0)


def test_a_subsample_keeps_the_query_and_repeats():
    tokens = family()
    rows = subsample(tokens, 20, seed=4)
    assert rows[0] == 0
    assert len(set(rows.tolist())) == 20
    assert (np.diff(rows) > 0).all()
    assert (rows == subsample(tokens, 20, seed=4)).all()
    assert (rows != subsample(tokens, 20, seed=5)).any()
    assert (subsample(tokens, 500) == np.arange(80)).all()
    assert subsample(tokens, 1).tolist() == [0]


def test_the_filter_keeps_no_two_that_are_alike_and_drops_none_without_cause():
    tokens = family(120)
    kept = filtered(tokens, 0.7)
    agree = (tokens[:, None] == tokens[None]).mean(-1)
    assert kept[0] == 0
    inside = agree[np.ix_(kept, kept)] - np.eye(len(kept))
    assert inside.max() < 0.7
    for row in set(range(120)) - set(kept.tolist()):
        assert agree[row, kept[kept < row]].max() >= 0.7
    assert (filtered(tokens, 0.7, depth=3) == kept[:3]).all()


def test_an_alignment_says_what_it_is_and_refuses_what_it_is_not():
    tokens = family(30)
    whole = Alignment(tokens, tuple(map(str, range(30))), "x")
    assert (whole.depth, whole.length) == (30, 47)
    assert whole.take(np.array([0, 7])).names == ("0", "7")
    assert whole.columns(3, 9).tokens.shape == (30, 6)
    twice = Alignment(np.concatenate([tokens, tokens]))
    assert (twice.without_repeats().tokens == whole.without_repeats().tokens).all()
    gappy = tokens.copy()
    gappy[1:20, 10:] = 20
    assert Alignment(gappy).covering(0.5).depth == 11
    for bad in (tokens.astype(int), tokens[0], tokens[:0], tokens + np.uint8(1)):
        with pytest.raises(UserError):
            Alignment(bad)
    with pytest.raises(UserError, match="names"):
        Alignment(tokens, ("one",))
