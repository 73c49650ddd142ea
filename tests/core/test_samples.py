"""Samples: padding is cut and told apart, and batches hold what is of like size."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from science.core import data
from science.core.data import CardData, FoldData
from science.core.errors import UserError
from science.core.loading import SizedSampler, sized_batches
from science.core.samples import SampleRows, Samples
from science.core.supervised import Labelled

from . import toy

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=60)


def ragged(size, **more):
    size = np.array(size)
    rows, places = len(size), max(size)
    real = np.arange(places) < size[:, None]
    return Samples(
        inputs={
            "place": np.where(real[..., None], np.arange(rows)[:, None, None] + 0.5, 0).astype(
                "f4"
            ),
            "kind": np.where(real, 1 + np.arange(rows)[:, None], 0),
            "cell": np.zeros((rows, 6), np.float32),
        },
        id=np.arange(rows).astype(str),
        group=np.arange(rows),
        split=np.where(np.arange(rows) % 3 == 0, "val", "train"),
        size=size,
        ragged=("place", "kind"),
        **more,
    )


@settings(max_examples=60)
@given(SIZES, st.data())
def test_a_batch_is_cut_to_its_largest_sample_and_its_mask_is_right(size, draw):
    samples = ragged(size)
    rows = draw.draw(st.lists(st.sampled_from(range(len(size))), min_size=1, max_size=8))
    batch = SampleRows(samples).__getitems__(rows)
    assert set(batch) == {"place", "kind", "cell", "mask"}
    most = max(size[row] for row in rows)
    assert batch["place"].shape == (len(rows), most, 1)
    assert batch["cell"].shape == (len(rows), 6)
    assert batch["mask"].sum(1).tolist() == [size[row] for row in rows]
    assert torch.equal(batch["mask"], batch["kind"] > 0)
    for place, row in enumerate(rows):
        assert set(batch["kind"][place][batch["mask"][place]].tolist()) == {row + 1}


def test_what_is_said_of_samples_decides_the_batch():
    size = [1, 2, 3]
    target = np.array([[1.0], [np.nan], [3.0]], np.float32)
    assert isinstance(SampleRows(ragged(size)).__getitems__([0, 1]), dict)
    batch = SampleRows(ragged(size, target=target)).__getitems__([2, 1])
    assert isinstance(batch, Labelled)
    assert batch.inputs["mask"].shape == (2, 3)
    assert batch.index.tolist() == [2, 1]
    assert batch.weight.tolist() == [[1.0], [0.0]]
    whole = SampleRows(ragged(size, target=np.ones((3, 1), np.float32))).__getitems__([0])
    assert whole.weight is None


def test_rows_keep_their_size_and_target():
    samples = ragged([1, 2, 3, 4], target=np.arange(4.0, dtype=np.float32))
    part = samples.take(np.array([3, 0]))
    assert type(part) is Samples
    assert part.size.tolist() == [4, 1]
    assert part.target.tolist() == [3.0, 0.0]
    assert part.id.tolist() == ["3", "0"]
    even = samples.with_inputs(["cell"])
    assert even.size is None
    assert even.ragged == ()


def test_what_does_not_fit_is_refused():
    samples = ragged([1, 2, 3])
    with pytest.raises(UserError, match="differ in length"):
        replace(samples, target=np.zeros(2, np.float32))
    with pytest.raises(UserError, match="differ in length"):
        replace(samples, size=np.array([1, 2]))
    for wrong in ([0, 1, 2], [1, 2, 4]):
        with pytest.raises(UserError, match="sizes must be 1 to 3"):
            replace(samples, size=np.array(wrong))
    with pytest.raises(UserError, match="give both"):
        replace(samples, size=None)
    with pytest.raises(UserError, match="give both"):
        replace(samples, ragged=("place", "absent"))


@settings(max_examples=60)
@given(SIZES, st.integers(1, 20), st.one_of(st.none(), st.integers(1, 300)), st.integers(0, 9))
def test_every_row_is_seen_once_an_epoch_and_batches_are_of_like_size(size, many, pairs, seed):
    sampler = SizedSampler(size, many, seed, lambda: 0, pairs)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert all(batches)
    assert sorted(row for rows in batches for row in rows) == list(range(len(size)))
    spans = sorted((min(size[r] for r in rows), max(size[r] for r in rows)) for rows in batches)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    if pairs is None:
        assert max(map(len, batches)) <= many
        assert max(map(len, batches)) - min(map(len, batches)) <= 1


@settings(max_examples=40)
@given(SIZES, st.integers(1, 12), st.integers(0, 99), st.integers(0, 40))
def test_the_rest_of_an_epoch_is_the_same_from_any_position(size, many, seed, position):
    length = len(SizedSampler(size, many, seed, lambda: 0))
    epoch, done = divmod(position, length)
    whole = list(SizedSampler(size, many, seed, lambda: epoch * length))
    assert list(SizedSampler(size, many, seed, lambda: position)) == whole[done:]


def test_epochs_mix_rows_and_order():
    size = np.repeat([2, 5], 64)
    first, second = (list(SizedSampler(size, 16, 0, lambda at=at: at * 8)) for at in (0, 1))
    assert len(first) == 8
    assert first != second
    assert {frozenset(b) for b in first} != {frozenset(b) for b in second}
    assert [size[b[0]] for b in first] != [size[b[0]] for b in second]


def test_pairs_give_batches_of_like_cost():
    size = np.random.default_rng(0).integers(1, 21, 4000)
    cost = [sum(size[rows] ** 2) for rows in sized_batches(size, pairs=6400)]
    assert 5500 < min(cost) <= max(cost) < 7000
    assert len(sized_batches(np.full(1024, 5), pairs=6400)) == 4
    assert [len(b) for b in sized_batches(np.full(256, 5), 128)] == [128, 128]


def test_a_card_may_make_samples_without_labels(monkeypatch):
    monkeypatch.setattr(data, "resolve", lambda name: lambda card, **_: ragged([1, 2, 3, 3, 2, 1]))
    monkeypatch.setattr(data.inspect, "isfunction", lambda _: True)
    card = CardData(toy.CARD, batch_size=2, leave_out=[5])
    assert len(card.samples) == 5
    with pytest.raises(UserError, match="no classes"):
        _ = card.table
    fold = card.fold(card.samples.where("train"), card.samples.where("val"), seed=0)
    assert fold.training_table.size.tolist() == [2, 3, 2]
    assert len(fold.train_dataloader()) == 2
    for batch in (*fold.train_dataloader(), *fold.val_dataloader()):
        assert batch["mask"].any(0).all()
        assert batch["place"].shape[1] == batch["mask"].shape[1]


def test_a_fold_watches_every_row_by_its_budget():
    samples = ragged(np.arange(1, 10).repeat(20))
    rows = np.arange(len(samples))
    fold = FoldData(samples, rows, rows, batch_size=16, seed=0, pairs=500)
    seen = [row for batch in fold.val_dataloader() for row in batch["kind"][:, 0].tolist()]
    assert sorted(seen) == list(range(1, 181))
    assert len(fold.val_dataloader()) == len(fold.train_dataloader()) == 12
