"""Forecasting against a linear system, whose every state and error is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import xskillscore as xs
from torch import nn
from xarray import DataArray

from science.core.errors import UserError
from science.core.forecast import FairCRPS, ForecastTask, Trajectory, rollout
from science.core.seeds import generator

TURN = torch.tensor([[-0.1, 1.0], [-1.0, -0.1]])  # a damped oscillator, per unit of time
LEADS = (0.25, 0.5, 1.0)


class Linear(nn.Module):
    """Knows that the flow is linear, and learns its generator."""

    noise = 0

    def __init__(self, rate, spread=1.0):
        super().__init__()
        self.rate = nn.Parameter(rate.clone())
        self.weight = torch.ones(2, 1)
        self.spread = spread

    def encode(self, states):
        return states / 10

    def decode(self, states):
        return states * 10

    def change(self, lead):
        return self.spread * lead[:, None, None].expand(-1, 2, 1)

    def settle(self, after, before):
        return after

    def forward(self, state, forcings, lead, noise=None):
        flow = torch.linalg.matrix_exp(self.rate * lead[:, None, None])
        return (flow @ state - state + forcings[:, 1] - forcings[:, 0]) / self.change(lead)


class Cut(Linear):
    """The same, where nothing may be negative."""

    def settle(self, after, before):
        return after.clamp(min=0)


def history(times=(0.0, 0.25, 0.5, 1.0), count=64, seed=0):
    """Exact trajectories in the data's units, driven by a forcing that adds its own change."""
    start = 10 * torch.randn(count, 1, 2, 1, generator=generator(seed, "start"))
    when = torch.tensor(times)
    flow = torch.linalg.matrix_exp(TURN * when[:, None, None])
    states = flow @ start
    return Trajectory(states, torch.zeros_like(states), when)


def test_the_true_generator_makes_no_error_at_any_lead():
    torch.manual_seed(0)
    task = ForecastTask(Linear(TURN), LEADS)
    assert task.step(history()).loss < 1e-10


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_rollouts_reach_the_closed_form(steps):
    batch = history(times=tuple(0.25 * k for k in range(steps + 1)))
    net = Linear(TURN)
    lead = torch.full((64,), 0.25)
    legs = ((batch.forcings[:, k : k + 2], lead) for k in range(steps))
    last = list(rollout(net, net.encode(batch.states[:, 0]), legs))[-1]
    torch.testing.assert_close(net.decode(last), batch.states[:, -1], rtol=1e-4, atol=1e-4)


def test_training_finds_the_generator():
    torch.manual_seed(0)
    net = Linear(torch.zeros(2, 2))
    task = ForecastTask(net, LEADS)
    rate = torch.optim.Adam(net.parameters(), lr=0.05)
    batch = history()
    for _ in range(300):
        rate.zero_grad()
        task.step(batch).loss.backward()
        rate.step()
    torch.testing.assert_close(net.rate.data, TURN, rtol=0, atol=2e-3)


def test_forcings_of_both_ends_of_each_step_reach_the_net():
    batch = history(times=(0.0, 0.5, 1.0))
    push = torch.tensor([0.0, 1.0, 3.0])[None, :, None, None].expand_as(batch.states)
    net, lead = Linear(torch.zeros(2, 2)), torch.full((64,), 0.5)
    legs = ((push[:, k : k + 2], lead) for k in range(2))
    start = net.encode(batch.states[:, 0])
    made = list(rollout(net, start, legs))
    torch.testing.assert_close(made[0], start + 1)
    torch.testing.assert_close(made[1], start + 3)


def test_an_error_counts_in_units_of_the_usual_change():
    """Persistence errs by the change itself; twice the usual change is four times less loss."""
    torch.manual_seed(0)
    batch = history(times=(0.0, 1.0))
    nets = [Linear(torch.zeros(2, 2), spread) for spread in (1, 2)]
    still = [ForecastTask(net, [1.0]).step(batch).loss.item() for net in nets]
    moved = (batch.states[:, 1] - batch.states[:, 0]) / 10
    assert still[0] == pytest.approx(moved.square().mean().item(), rel=1e-5)
    assert still[0] == pytest.approx(4 * still[1], rel=1e-5)


def test_weights_take_their_share():
    batch = history(times=(0.0, 1.0))
    net = Linear(torch.zeros(2, 2))
    net.weight = torch.tensor([[3.0], [1.0]])
    moved = ((batch.states[:, 1] - batch.states[:, 0]) / 10).square().mean((0, 2))
    known = (3 * moved[0] + moved[1]) / 4
    loss = ForecastTask(net, [1.0]).step(batch).loss.item()
    assert loss == pytest.approx(known.item(), rel=1e-5)


def test_later_steps_count_less():
    batch = history(times=(0.0, 1.0, 2.0))
    step = ForecastTask(Linear(torch.zeros(2, 2)), [1.0], steps=2, discount=2.0).step(batch)
    one, two = step.parts["step_1"], step.parts["step_2"]
    assert step.loss.item() == pytest.approx(((one + two / 4) / 1.25).item(), rel=1e-5)


def test_repairs_are_made_but_do_not_stop_gradients():
    net, lead = Cut(torch.zeros(2, 2)), torch.ones(1)
    start = torch.full((1, 2, 1), -1.0, requires_grad=True)
    (end,) = rollout(net, start, [(torch.zeros(1, 2, 2, 1), lead)])
    end.sum().backward()
    assert (end >= 0).all()
    assert start.grad.abs().sum() > 0


def test_leads_that_the_data_cannot_serve_are_left_out_or_refused():
    torch.manual_seed(0)
    task = ForecastTask(Linear(TURN), [0.25, 5.0])
    lead, path = task._paths(history())
    assert set(lead.tolist()) == {0.25}
    assert path[0].tolist() == [0, 1]
    with pytest.raises(UserError, match="do not lie within"):
        ForecastTask(Linear(TURN), [5.0]).step(history())


@pytest.mark.parametrize("wrong", [{"leads": []}, {"leads": [-1]}, {"leads": [1], "steps": 0}])
def test_senseless_settings_are_refused(wrong):
    with pytest.raises(UserError, match="leads"):
        ForecastTask(Linear(TURN), **wrong)


def members(count=8, cases=200):
    draw = np.random.default_rng(0)
    return draw.normal(size=(count, cases)), draw.normal(size=cases)


def test_crps_is_that_of_xskillscore():
    made, truth = members()
    ours = FairCRPS(alpha=0)(torch.from_numpy(made), torch.from_numpy(truth)).numpy()
    names = ("member", "case")
    known = xs.crps_ensemble(DataArray(truth, dims="case"), DataArray(made, dims=names), dim=[])
    np.testing.assert_allclose(ours, known.values, atol=1e-12)


def test_a_fair_score_does_not_depend_on_how_many_members_there_are():
    draw = np.random.default_rng(1)
    truth = torch.from_numpy(draw.normal(size=60_000))
    perfect = 1 / math.sqrt(math.pi)  # E|X - Y| / 2 of standard normals
    for count in (2, 5):
        made = torch.from_numpy(draw.normal(size=(count, 60_000)))
        assert FairCRPS(alpha=1)(made, truth).mean() == pytest.approx(perfect, abs=0.01)
        assert FairCRPS(alpha=0)(made, truth).mean() > perfect + 0.02
    with pytest.raises(UserError, match="ensemble of one"):
        FairCRPS()(made[:1], truth)


class Noisy(Linear):
    """Adds its noise; the size of it is what it learns."""

    noise = 2

    def __init__(self):
        super().__init__(torch.zeros(2, 2))
        self.size = nn.Parameter(torch.tensor(0.3))

    def forward(self, state, forcings, lead, noise=None):
        none = torch.zeros(len(state), 2) if noise is None else noise
        return self.size * none[..., None]


def test_an_ensemble_learns_the_spread_of_the_truth():
    """The truth jumps by a normal number of size 1.5, and the fair score is least at that size."""
    torch.manual_seed(0)
    net = Noisy()
    task = ForecastTask(net, [1.0], members=2, error=FairCRPS())
    rate = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(300):
        states = 15 * torch.cat([torch.zeros(256, 1, 2, 1), torch.randn(256, 1, 2, 1)], 1)
        rate.zero_grad()
        batch = Trajectory(states, torch.zeros_like(states), torch.tensor([0.0, 1.0]))
        task.step(batch).loss.backward()
        rate.step()
    assert net.size.item() == pytest.approx(1.5, abs=0.12)
