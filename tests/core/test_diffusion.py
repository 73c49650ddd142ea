"""Scores of the wrapped normal against closed forms, and the two schedules."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from science.core.diffusion import Denoising, WrappedNormal, rms_score, score
from science.core.fields import nearest

ALL = torch.ones(1, 5000, dtype=torch.bool)


def test_a_narrow_score_is_that_of_a_normal():
    place = torch.linspace(-0.05, 0.05, 11)
    assert torch.allclose(score(place, torch.tensor(0.02)), -place / 0.02**2, rtol=1e-5)
    narrow = torch.tensor([0.005, 0.05])
    assert torch.allclose(rms_score(narrow), 1 / narrow, rtol=1e-3)


def test_a_wide_score_tends_to_that_of_the_uniform():
    place = torch.linspace(-0.5, 0.5, 21, dtype=torch.float64)
    assert score(place, torch.tensor(1.0, dtype=torch.float64)).abs().max() < 1e-6
    # The leading term of the Fourier series of the density.
    wide = torch.tensor(0.6, dtype=torch.float64)
    lead = -4 * math.pi * math.exp(-2 * math.pi**2 * 0.36) * (2 * math.pi * place).sin()
    assert torch.allclose(score(place, wide), lead, rtol=0.01, atol=1e-6)


@settings(max_examples=40)
@given(st.floats(-3, 3), st.floats(0.02, 0.8))
def test_a_score_is_odd_periodic_and_the_slope_of_the_density(place, width):
    at = torch.tensor(place, dtype=torch.float64, requires_grad=True)
    wide = torch.tensor(width, dtype=torch.float64)
    turns = torch.arange(-12, 13, dtype=torch.float64)
    (-((at - at.detach().round() + turns) ** 2) / (2 * wide**2)).logsumexp(0).backward()
    found = score(at.detach(), wide)
    assert torch.allclose(found, at.grad, rtol=1e-6, atol=1e-8)
    assert torch.allclose(found, score(at.detach() + 1, wide), rtol=1e-6, atol=1e-6)
    assert torch.allclose(found, -score(-at.detach(), wide), atol=1e-9)


def test_the_path_moves_by_the_width_of_its_time():
    field, data = WrappedNormal(), torch.full((1, 5000, 1), 0.98)
    torch.manual_seed(0)
    noise = field.base(data)
    for time, width in ((1.0, 0.005), (0.5, 0.05)):
        state, target = field.path(noise, data, torch.tensor([time]), ALL)
        assert nearest(state - data).std().item() == pytest.approx(width, rel=0.05)
        assert ((state >= 0) & (state < 1)).all()
        assert target.square().mean().item() == pytest.approx(1, rel=0.1)
    wide = field.path(noise, data, torch.tensor([0.0]), ALL).state
    assert torch.histc(wide, 10, 0, 1).div(5000).sub(0.1).abs().max() < 0.03


def test_the_normal_path_keeps_the_variance():
    field = Denoising()
    torch.manual_seed(0)
    data, noise = torch.randn(4000, 3), torch.randn(4000, 3)
    real = torch.ones(4000, dtype=torch.bool)
    for time in (0.0, 0.3, 0.9):
        state = field.path(noise, data, torch.full((4000,), time), real).state
        assert state.var().item() == pytest.approx(1, rel=0.05)
    ends = [field.path(noise, data, torch.full((4000,), t), real).state for t in (0.0, 1.0)]
    assert (ends[0] - noise).abs().max() < 0.1
    assert torch.allclose(ends[1], data, atol=2e-3)


@pytest.mark.parametrize("steps", [3, 20])
def test_the_true_noise_leads_back_to_the_data(steps):
    """Without fresh noise the sampler stays on the path whose noise it is told."""
    field = Denoising(eta=0.0)
    torch.manual_seed(0)
    data, noise = torch.randn(50, 3).double(), torch.randn(50, 3).double()
    real = torch.ones(50, dtype=torch.bool)
    state = field.path(noise, data, torch.zeros(50), real).state
    for step in range(steps):
        state = field.step(state, noise, step / steps, 1 / steps, real)
    assert torch.allclose(state, data, atol=2e-2)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_best_answer_for_a_normal_leads_to_that_normal(eta):
    """The mean of the noise given a state, in closed form for normal data."""
    field, centre, width = Denoising(eta=eta), 1.0, 0.5
    generator = torch.Generator().manual_seed(0)
    state, real = torch.randn(20000, 1, generator=generator), torch.ones(20000, dtype=torch.bool)
    for step in range(200):
        share = math.cos((1 - step / 200 + 0.008) / 1.008 * math.pi / 2) ** 2
        share = max(share / math.cos(0.008 / 1.008 * math.pi / 2) ** 2, 1e-4)
        answer = math.sqrt(1 - share) * (state - math.sqrt(share) * centre)
        answer = answer / (share * width**2 + 1 - share)
        state = field.step(state, answer, step / 200, 1 / 200, real, generator)
    assert state.mean().item() == pytest.approx(centre, abs=0.02)
    assert state.std().item() == pytest.approx(width, rel=0.04)


@pytest.mark.parametrize("correct", [False, True])
def test_the_true_score_of_a_point_leads_to_the_point(correct):
    field, point = WrappedNormal(), 0.3
    generator = torch.Generator().manual_seed(0)
    state = field.base(torch.zeros(1, 2000, 1), generator)
    real = torch.ones(1, 2000, dtype=torch.bool)

    def answer(state, time):
        width = field.width(torch.tensor(time))
        return score(state - point, width) / rms_score(width)

    for step in range(100):
        time = step / 100
        if correct:
            state = field.correct(state, answer(state, time), time, generator)
        state = field.step(state, answer(state, time), time, 0.01, real, generator)
    assert nearest(state - point).mean().abs() < 1e-3
    assert nearest(state - point).std() < 0.01
