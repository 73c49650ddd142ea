from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from science.core.seeds import derive, generator, rng

NAMES = st.lists(st.text(max_size=8) | st.integers(), max_size=4)


def test_a_stream_is_the_same_for_ever():
    assert derive(7, "fold", 3) == 2808327670026679550


@given(st.integers(), NAMES, NAMES)
def test_different_names_are_different_streams(seed, one, other):
    same = one == other and [type(x) for x in one] == [type(x) for x in other]
    assert (derive(seed, *one) == derive(seed, *other)) == same


def test_names_are_not_glued_together():
    assert len({derive(1, "ab", "c"), derive(1, "a", "bc"), derive(1, "abc"), derive(11, "")}) == 4
    assert derive(7, "fold", 3) != derive(7, "fold", "3")


@given(st.integers(), NAMES)
def test_a_seed_fits_torch_and_int64(seed, names):
    value = derive(seed, *names)
    assert 0 <= value < 2**63
    torch.Generator().manual_seed(value)
    np.int64(value)


def test_generators_repeat_and_leave_the_global_ones_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = torch.rand(4, generator=generator(1, "a")), rng(1, "a").random(4)
    again = torch.rand(4, generator=generator(1, "a")), rng(1, "a").random(4)
    other = torch.rand(4, generator=generator(1, "b")), rng(1, "b").random(4)
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[1] != other[1]).all()
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
