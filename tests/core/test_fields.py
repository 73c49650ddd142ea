"""Fields: the geometry of each, whatever the network."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from science.core.diffusion import Denoising, WrappedNormal
from science.core.errors import UserError
from science.core.fields import Euclidean, Tokens, Torus, mean, nearest, stages, wrap

FIELDS = [Torus(), Torus(drift_free=False), WrappedNormal(), Euclidean(masked=True), Denoising()]


def drawn(seed, *shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


REAL = torch.tensor([[True] * 4, [True, True, False, False]])


@settings(max_examples=60)
@given(st.floats(-1e4, 1e4, width=32))
def test_places_on_a_circle_lie_in_zero_to_one(place):
    inside = wrap(torch.tensor(place))
    assert 0 <= inside < 1
    assert abs(nearest(inside - place)) < 1e-6 + 1e-6 * abs(place)


def test_the_smallest_step_below_zero_stays_on_the_circle():
    assert wrap(torch.tensor(-1e-12)) == 0


@settings(max_examples=60)
@given(st.integers(0, 999), st.floats(0, 1))
def test_a_path_on_the_torus_never_leaves_it_nor_goes_the_long_way(seed, time):
    noise, data = drawn(seed, 2, 4, 3), drawn(seed + 1, 2, 4, 3)
    state, velocity = Torus(drift_free=False).path(noise, data, torch.full((2,), time), REAL)
    assert ((state >= 0) & (state < 1)).all()
    assert (velocity.abs() <= 0.5).all()
    assert torch.allclose(nearest(noise + velocity - data), torch.zeros(1), atol=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 999))
def test_without_drift_a_path_ends_at_the_data_moved_as_a_whole(seed):
    noise, data = drawn(seed, 2, 4, 3), drawn(seed + 1, 2, 4, 3)
    state, velocity = Torus().path(noise, data, torch.ones(2), REAL)
    assert torch.allclose(velocity[0].sum(0), torch.zeros(3), atol=1e-6)
    assert torch.allclose(velocity[1, :2].sum(0), torch.zeros(3), atol=1e-6)
    moved = nearest(state - data)
    for row, count in enumerate((4, 2)):
        assert torch.allclose(
            nearest(moved[row, :count] - moved[row, :1]), torch.zeros(1), atol=1e-5
        )


@settings(max_examples=30)
@given(st.integers(0, 999), st.floats(0, 1))
def test_a_common_shift_changes_no_velocity(seed, shift):
    noise, data = drawn(seed, 2, 4, 3), drawn(seed + 1, 2, 4, 3)
    time, torus = torch.full((2,), 0.3), Torus()
    velocity = torus.path(noise, data, time, REAL).target
    there = torus.path(wrap(noise + shift), wrap(data + shift), time, REAL)
    assert torch.allclose(there.target, velocity, atol=1e-5) or (
        ((data - noise).abs() - 0.5).abs().min() < 1e-4  # a tie between both ways round
    )
    answer = drawn(seed + 2, 2, 4, 3)
    lesson = torus.path(noise, data, time, REAL)
    with_drift = torus.loss(answer + shift, lesson, REAL)
    assert with_drift.item() == pytest.approx(torus.loss(answer, lesson, REAL).item(), rel=1e-4)


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: type(f).__name__)
def test_padding_teaches_nothing_and_does_not_move(field):
    noise, data = drawn(0, 2, 4, 3), drawn(1, 2, 4, 3)
    answer, time = drawn(2, 2, 4, 3), torch.tensor([0.2, 0.7])
    junk = torch.where(REAL[..., None], data, 9.9)
    lesson, other = (field.path(noise, d, time, REAL) for d in (data, junk))
    inside = REAL[..., None].expand_as(data)
    assert torch.allclose(lesson.state[inside], other.state[inside])
    loss = field.loss(answer, lesson, REAL)
    noisy = torch.where(REAL[..., None], answer, 1e6)
    assert torch.allclose(field.loss(noisy, other, REAL), loss)
    g = torch.Generator
    one = field.step(lesson.state, answer, 0.3, 0.1, REAL, g().manual_seed(0))
    two = field.step(other.state, noisy, 0.3, 0.1, REAL, g().manual_seed(0))
    assert torch.allclose(one, two)
    assert (one[1, 2:] == 0).all()


@pytest.mark.parametrize("field", [Torus(drift_free=False), Euclidean(masked=True)])
@pytest.mark.parametrize("steps", [1, 7])
def test_the_true_velocity_leads_from_noise_to_data(field, steps):
    noise, data = drawn(0, 2, 4, 3), drawn(1, 2, 4, 3)
    velocity = field.path(noise, data, torch.zeros(2), REAL).target
    state = noise
    for step in range(steps):
        state = field.step(state, velocity, step / steps, 1 / steps, REAL)
    apart = nearest(state - data)[REAL]
    assert torch.allclose(apart, torch.zeros(1), atol=1e-5)


def test_the_mean_is_over_real_entries_and_zero_without_any():
    each = torch.tensor([[1.0, 2.0], [3.0, torch.nan]])
    assert mean(each, torch.tensor([[True, True], [True, False]])) == 2
    assert mean(each, torch.zeros(2, 2, dtype=torch.bool)) == 0


def test_starts_are_moved_by_their_width():
    generator = torch.Generator().manual_seed(0)
    start = torch.full((1, 4000, 1), 0.99)
    moved = Torus(noise=0.05).perturb(start, generator)
    assert ((moved >= 0) & (moved < 1)).all()
    assert nearest(moved - start).std().item() == pytest.approx(0.05, rel=0.05)
    assert Euclidean(noise=0.3).perturb(start, generator).std().item() == pytest.approx(
        0.3, rel=0.05
    )
    assert torch.equal(Torus().perturb(start), start)
    hidden = Tokens(5, noise=0.25).perturb(torch.ones(1, 4000, dtype=torch.int64), generator)
    assert (hidden == 5).float().mean().item() == pytest.approx(0.25, abs=0.03)


def test_symbols_are_shown_at_the_chance_of_their_time():
    tokens, data = Tokens(3), torch.randint(3, (2, 5000))
    real, time = torch.ones(2, 5000, dtype=torch.bool), torch.tensor([0.2, 0.9])
    torch.manual_seed(0)
    state, target = tokens.path(tokens.base(data), data, time, real)
    share = (state != 3).float().mean(1)
    assert share.tolist() == pytest.approx([0.2, 0.9], abs=0.03)
    assert torch.equal(target, data)
    assert torch.equal(state[state != 3], data[state != 3])


def test_symbols_teach_only_where_they_are_hidden():
    tokens, data = Tokens(3), torch.tensor([[0, 1, 2, 2]])
    real = torch.tensor([[True, True, True, False]])
    state = torch.tensor([[0, 3, 3, 3]])
    logits = torch.zeros(1, 4, 3)
    logits[0, 1, 1] = 50.0
    lesson = tokens.path(data, data, torch.ones(1), real)._replace(state=state)
    expected = torch.tensor(3.0).log() / 2  # one certain and right, one undecided
    assert torch.allclose(tokens.loss(logits, lesson, real), expected)


def test_drawn_symbols_follow_the_logits_and_all_are_shown_in_the_end():
    tokens = Tokens(3)
    chance = torch.tensor([0.1, 0.3, 0.6])
    logits = chance.log().expand(1, 20000, 3)
    real = torch.ones(1, 20000, dtype=torch.bool)
    generator = torch.Generator().manual_seed(0)
    state = tokens.base(torch.zeros(1, 20000, dtype=torch.int64))
    for step in range(4):
        before = state
        state = tokens.step(state, logits, step / 4, 0.25, real, generator)
        shown = (state != 3).float().mean().item()
        assert shown == pytest.approx((step + 1) / 4, abs=0.02)
        assert torch.equal(state[before != 3], before[before != 3])
    found = torch.bincount(state[0], minlength=3) / 20000
    assert torch.allclose(found, chance, atol=0.02)


def test_fields_are_made_in_the_order_they_ask_for():
    first, then = Tokens(4), Torus(after="kind")
    assert stages({"place": then, "kind": first, "cell": Euclidean(after="place")}) == {
        "kind": 0,
        "place": 1,
        "cell": 2,
    }
    with pytest.raises(UserError, match=r"\['place'\] wait for what never comes"):
        stages({"place": then})
    with pytest.raises(UserError, match="never comes"):
        stages({"place": Torus(after="cell"), "cell": Euclidean(after="place")})
