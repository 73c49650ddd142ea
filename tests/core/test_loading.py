"""Batches follow from the seed and the position, and from nothing that went before."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from science.core.errors import UserError
from science.core.loading import StepSampler, ordered_loader, training_loader
from science.core.table import TableRows

from . import toy


def batches(size, batch_size, seed, position):
    return list(StepSampler(size, batch_size, seed, lambda: position))


@settings(max_examples=60)
@given(st.integers(1, 70), st.integers(1, 20), st.integers(0, 99), st.integers(0, 40))
def test_the_rest_of_an_epoch_is_the_same_from_any_position(size, batch, seed, position):
    length = max(1, size // batch)
    epoch, done = divmod(position, length)
    whole = batches(size, batch, seed, epoch * length)
    assert len(whole) == length
    assert batches(size, batch, seed, position) == whole[done:]


@given(st.integers(1, 70), st.integers(1, 20), st.integers(0, 99))
def test_an_epoch_shows_no_row_twice(size, batch, seed):
    rows = [row for rows in batches(size, batch, seed, 0) for row in rows]
    assert len(rows) == len(set(rows))
    assert len(rows) == (size if size < batch else size - size % batch)
    assert set(rows) <= set(range(size))


def test_global_generators_are_neither_read_nor_moved():
    torch.manual_seed(1)
    first = batches(50, 8, 3, 0)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert batches(50, 8, 3, 0) == first
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


def test_epochs_and_seeds_differ():
    first = batches(64, 8, 0, 0)
    assert batches(64, 8, 0, 8) != first
    assert batches(64, 8, 1, 0) != first


@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_hand_out_whole_batches(workers):
    rows = TableRows(toy.table(count=50))
    seen = list(training_loader(rows, 16, 0, lambda: 0, workers))
    assert [b.index.tolist() for b in seen] == batches(50, 16, 0, 0)
    ordered = list(ordered_loader(rows, 16, workers))
    assert [i for b in ordered for i in b.index.tolist()] == list(range(50))


@pytest.mark.parametrize("world", [2, 3])
def test_several_processes_see_together_what_one_sees_alone(world):
    rows = TableRows(toy.table(count=50))
    alone = [b.index.tolist() for b in training_loader(rows, 12, 0, lambda: 1)]
    parts = [
        [b.index.tolist() for b in training_loader(rows, 12, 0, lambda: 1, share=(rank, world))]
        for rank in range(world)
    ]
    for whole, *shares in zip(alone, *parts, strict=True):
        assert sorted(row for rows in shares for row in rows) == sorted(whole)
        assert {len(rows) for rows in shares} == {12 // world}


def test_a_batch_too_small_to_share_is_refused():
    loader = training_loader(TableRows(toy.table(count=4)), 2, 0, lambda: 0, share=(0, 3))
    with pytest.raises(UserError, match="batch_size"):
        list(loader)


def test_a_loader_has_no_state_to_restore():
    loader = training_loader(TableRows(toy.table(count=50)), 16, 0, lambda: 0)
    assert loader.state_dict() == {}
    loader.load_state_dict({"anything": 1})
    assert len(loader) == 3
