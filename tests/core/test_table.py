"""Tables: rows stay together, groups stay on one side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from science.core.errors import UserError
from science.core.table import Table, TableRows

from . import toy


def grouped(groups):
    n = len(groups)
    return Table(
        inputs={"x": np.arange(n, dtype=np.float32)[:, None]},
        label=np.arange(n) % 2,
        classes=("a", "b"),
        id=np.array([str(i) for i in range(n)]),
        group=np.array(groups),
        split=np.full(n, "train"),
        positive="b",
    )


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 12), min_size=6, max_size=80), st.integers(2, 6), st.integers(0, 999)
)
def test_folds_never_split_a_group_and_leave_each_row_out_once(groups, count, seed):
    table = grouped(groups)
    left_out = []
    for learn, out in table.folds(count, seed):
        assert not set(table.group[learn]) & set(table.group[out])
        assert sorted([*learn, *out]) == list(range(len(table)))
        left_out += list(out)
    assert sorted(left_out) == list(range(len(table)))


def test_folds_are_of_like_size_and_follow_the_seed():
    table = grouped(np.random.default_rng(0).integers(0, 300, 1000))
    sizes = [len(out) for _, out in table.folds(5, seed=1)]
    assert max(sizes) - min(sizes) <= np.bincount(table.group).max()
    same, again, other = ([list(o) for _, o in table.folds(5, seed=s)] for s in (1, 1, 2))
    assert same == again != other


def test_folds_depend_on_groups_and_not_on_the_order_of_rows():
    table = grouped(np.random.default_rng(0).integers(0, 30, 100))
    turned = table.take(np.arange(100)[::-1])
    for (_, out), (_, again) in zip(table.folds(3, 0), turned.folds(3, 0), strict=True):
        assert set(table.id[out]) == set(turned.id[again])


def test_take_keeps_each_row_whole():
    table = toy.table()
    rows = np.array([5, 3, 99])
    part = table.take(rows)
    for here, there in enumerate(rows):
        assert part.id[here] == table.id[there]
        assert part.label[here] == table.label[there]
        for name, values in table.inputs.items():
            np.testing.assert_array_equal(part.inputs[name][here], values[there])


def test_splits_and_truth():
    table = toy.table()
    every = np.concatenate([table.where(s) for s in ("train", "val", "test")])
    assert sorted(every) == list(range(len(table)))
    np.testing.assert_array_equal(table.truth, table.label == 0)
    np.testing.assert_array_equal(replace(table, positive="NTP").truth, table.label == 2)
    with pytest.raises(UserError, match="no 'tset' split"):
        table.where("tset")


def test_what_does_not_fit_is_refused():
    table = toy.table()
    with pytest.raises(UserError, match="differ in length"):
        replace(table, id=table.id[:-1])
    with pytest.raises(UserError, match="positive class 'X'"):
        replace(table, positive="X")
    with pytest.raises(UserError, match=r"no input \['z'\]"):
        table.with_inputs(["own", "z"])
    assert list(table.with_inputs(["own"]).inputs) == ["own"]


def test_rows_become_tensors_in_the_order_asked_for():
    table = toy.table()
    batch = TableRows(table).__getitems__([7, 2])
    assert batch.target.tolist() == table.label[[7, 2]].tolist()
    assert batch.index.tolist() == [7, 2]
    assert batch.weight is None
    for name, values in table.inputs.items():
        np.testing.assert_array_equal(batch.inputs[name].numpy(), values[[7, 2]])
    assert batch.inputs["own"].dtype == torch.float32
