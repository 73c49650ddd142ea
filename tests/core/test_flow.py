"""Flows and diffusion: what is learned, what is drawn, and what must not matter."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from science.core.diffusion import Denoising, WrappedNormal
from science.core.errors import UserError
from science.core.fields import Euclidean, Tokens, Torus, nearest, wrap
from science.core.flow import FlowTask, LogitNormal, Times, evaluations, sample


class Plain(nn.Module):
    """Names of states are names of inputs; what is answered is up to the kind."""

    def encode(self, batch):
        return {name: batch[name] for name in self.names}

    def decode(self, state, batch):
        return state


class Small(Plain):
    """One angle by its sine and cosine, or a plane point as it is."""

    def __init__(self, name, columns, width=48):
        super().__init__()
        self.names, self.columns = (name,), columns
        sizes = [(2 * columns if name == "angle" else columns) + 2, width, width, columns]
        layers = [[nn.Linear(a, b), nn.SiLU()] for a, b in pairwise(sizes)]
        self.layers = nn.Sequential(*[layer for pair in layers for layer in pair][:-1])

    def forward(self, state, time, batch):
        (name,) = self.names
        seen = [state[name]]
        if name == "angle":
            turn = 2 * math.pi * state[name]
            seen = [turn.sin(), turn.cos()]
        clock = time.reshape(-1, *(1,) * (state[name].ndim - 1))
        clock = clock.expand(*state[name].shape[:-1], 1)
        return {name: self.layers(torch.cat([*seen, clock, clock**2], -1))}


class Known(Plain):
    """Answers with the way from the noise to the data, both of which it was told."""

    def __init__(self, fields, noise, data):
        super().__init__()
        self.fields, self.noise, self.data, self.names = fields, noise, data, tuple(data)
        self.asked = []

    def forward(self, state, time, batch):
        self.asked.append(time if isinstance(time, dict) else {None: time})
        real = batch.get("mask")
        return {
            n: field.path(self.noise[n], self.data[n], torch.zeros(len(self.data[n])), real).target
            for n, field in self.fields.items()
        }


def train(task, draw, steps, rate=4e-3):
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(task.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        loss = task.step(draw()).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return task.net.eval()


def two_angles(count=256):
    """Around 0.2 (three in ten) and 0.7."""
    first = torch.rand(count, 1, 1) < 0.3
    return {"angle": wrap(first * 0.2 + ~first * 0.7 + 0.03 * torch.randn(count, 1, 1))}


@pytest.mark.parametrize(
    ("field", "steps", "method"),
    [
        (Torus(drift_free=False), 40, "euler"),
        (Torus(drift_free=False), 20, "heun"),
        (WrappedNormal(narrowest=0.01), 100, "euler"),
        (WrappedNormal(narrowest=0.01), 60, "corrected"),
    ],
)
def test_two_peaks_on_a_circle_are_found(field, steps, method):
    torch.manual_seed(0)
    task = FlowTask(Small("angle", 1), {"angle": field})
    net = train(task, two_angles, 500)
    empty = {"angle": torch.zeros(3000, 1, 1)}
    generator = torch.Generator().manual_seed(0)
    found = sample(net, task.fields, empty, steps, generator=generator, method=method)["angle"]
    assert ((found >= 0) & (found < 1)).all()
    first = nearest(found - 0.2).abs() < 0.25
    assert first.float().mean().item() == pytest.approx(0.3, abs=0.1)
    for peak, inside in ((0.2, first), (0.7, ~first)):
        off = nearest(found[inside] - peak)
        assert off.median().item() == pytest.approx(0, abs=0.015)
        assert off.abs().median().item() < 0.06


@pytest.mark.parametrize("field", [Euclidean(), Denoising(), Denoising(eta=1.0)])
def test_a_normal_in_the_plane_is_found(field):
    torch.manual_seed(0)
    task = FlowTask(Small("point", 2), {"point": field})
    centre, width = torch.tensor([1.0, -0.5]), torch.tensor([0.3, 0.6])
    net = train(task, lambda: {"point": centre + width * torch.randn(256, 2)}, 500)
    found = sample(net, task.fields, {"point": torch.zeros(4000, 2)}, 50)["point"]
    assert torch.allclose(found.mean(0), centre, atol=0.08)
    assert torch.allclose(found.std(0), width, rtol=0.3)


def product(batch=3, places=4):
    """A torus, a plane and a mask, with noise and data of each."""
    torch.manual_seed(0)
    fields = {"angle": Torus(drift_free=False), "cell": Euclidean()}
    noise = {"angle": torch.rand(batch, places, 3), "cell": torch.randn(batch, 6)}
    data = {"angle": torch.rand(batch, places, 3), "cell": torch.randn(batch, 6)}
    return fields, noise, data, torch.arange(places) < torch.tensor([4, 2, 3])[:, None]


@pytest.mark.parametrize(("method", "cost"), [("euler", 5), ("heun", 10), ("corrected", 10)])
def test_a_net_that_knows_the_way_arrives_and_is_asked_as_often_as_said(method, cost):
    fields, noise, data, mask = product()
    net = Known(fields, noise, data)
    batch = {**data, "mask": mask}
    made = sample(net, fields, batch, 5, start=noise, method=method)
    apart = nearest(made["angle"] - data["angle"])[mask]
    assert torch.allclose(apart, torch.zeros(1), atol=1e-5)
    assert torch.allclose(made["cell"], data["cell"], atol=1e-5)
    assert (made["angle"][~mask] == 0).all()
    assert len(net.asked) == evaluations(fields, 5, method) == cost
    assert net.asked[0][None].tolist() == [0.0] * 3


def test_the_loss_of_a_net_that_knows_the_way_is_nothing():
    fields, noise, data, mask = product()
    batch = {**data, "mask": mask, **{f"start_{n}": v for n, v in noise.items()}}
    step = FlowTask(Known(fields, noise, data), fields).step(batch)
    assert step.loss.item() == pytest.approx(0, abs=1e-10)
    assert step.size == 3
    assert set(step.parts) == {"angle", "cell"}


def test_losses_are_weighted_by_field():
    fields, noise, data, mask = product()
    fields["cell"].weight = 0.25
    net = Known(fields, noise, {n: v + 0.1 for n, v in data.items()})
    batch = {**data, "mask": mask, **{f"start_{n}": v for n, v in noise.items()}}
    step = FlowTask(net, fields).step(batch)
    expected = step.parts["angle"] + 0.25 * step.parts["cell"]
    assert step.loss.item() == pytest.approx(expected.item())
    assert step.parts["cell"].item() == pytest.approx(0.01, rel=1e-3)


def test_a_faster_end_covers_more_ground():
    """A velocity of 1 scaled by 1 + s t moves by 1 + s / 2."""

    class Steady(Plain):
        names = ("cell",)

        def forward(self, state, time, batch):
            return {"cell": torch.ones_like(state["cell"])}

    batch, start = {"cell": torch.zeros(2, 6)}, {"cell": torch.zeros(2, 6)}
    fields = {"cell": Euclidean()}
    made = sample(Steady(), fields, batch, 400, {"cell": 4.0}, start=start)["cell"]
    assert torch.allclose(made, torch.full((2, 6), 3.0), atol=0.02)
    heun = sample(Steady(), fields, batch, 4, {"cell": 4.0}, start=start, method="heun")["cell"]
    assert torch.allclose(heun, torch.full((2, 6), 3.0), atol=1e-5)


def test_a_start_of_a_later_time_lies_on_the_path_to_it():
    fields, _, data, mask = product()

    class Still(Plain):
        names = ("angle", "cell")

        def forward(self, state, time, batch):
            self.first = getattr(self, "first", (state, time))
            return {n: torch.zeros_like(v) for n, v in state.items()}

    net = Still()
    made = sample(net, fields, {**data, "mask": mask}, 2, start=data, begin=0.9)
    assert net.first[1].tolist() == pytest.approx([0.9] * 3)
    assert nearest(made["angle"] - data["angle"])[mask].abs().max() <= 0.05 + 1e-6
    assert 0.05 < (made["cell"] - data["cell"]).std() < 0.4
    with pytest.raises(UserError, match=r"no start for \['cell'\]"):
        sample(net, fields, data, 2, start={"angle": data["angle"]}, begin=0.5)
    with pytest.raises(UserError, match="begin in"):
        sample(net, fields, data, 2, start=data, begin=1.0)
    with pytest.raises(UserError, match="move by no velocity"):
        sample(net, {**fields, "cell": Denoising()}, data, 2, {"cell": 1.0})


@pytest.mark.parametrize("method", ["euler", "heun", "corrected"])
def test_the_same_call_gives_the_same_bits(method):
    torch.manual_seed(0)
    fields = {"angle": WrappedNormal()}
    net, batch = Small("angle", 1).eval(), {"angle": torch.zeros(5, 3, 1)}
    first, second, other = (
        sample(net, fields, batch, 4, generator=torch.Generator().manual_seed(seed), method=method)[
            "angle"
        ]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    state = torch.get_rng_state()
    sample(net, fields, batch, 4, generator=torch.Generator().manual_seed(1), method=method)
    assert torch.equal(torch.get_rng_state(), state)


class Words(Plain):
    """Symbols and then places that depend on them; keeps what it was shown."""

    names = ("kind", "angle")

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(4, 8)
        self.kind, self.angle = nn.Linear(8, 3), nn.Linear(8, 3)
        self.seen = []

    def forward(self, state, time, batch):
        self.seen.append((state, time))
        found = self.embed(state["kind"])
        return {"kind": self.kind(found), "angle": self.angle(found)}


def ordered():
    return {"kind": Tokens(3), "angle": Torus(after="kind")}


def test_a_later_field_learns_from_the_final_value_of_the_first():
    torch.manual_seed(0)
    net, count = Words(), 400
    kind, angle = torch.randint(3, (count, 2)), torch.rand(count, 2, 3)
    FlowTask(net, ordered()).step({"kind": kind, "angle": angle}).loss.backward()
    state, time = net.seen[0]
    second = time["kind"] == 1
    assert 0.4 < second.float().mean() < 0.6
    assert (time["angle"][~second] == 0).all()
    assert torch.equal(state["kind"][second], kind[second])
    assert (state["kind"][~second] == 3).any()
    assert all(p.grad is not None for p in net.parameters())


def test_symbols_are_finished_before_places_move():
    torch.manual_seed(0)
    net, fields = Words().eval(), ordered()
    batch = {"kind": torch.zeros(6, 2, dtype=torch.int64), "angle": torch.zeros(6, 2, 3)}
    made = sample(net, fields, batch, 4)
    assert len(net.seen) == evaluations(fields, 4) == 8
    for state, time in net.seen[:4]:
        assert torch.equal(state["angle"], net.seen[0][0]["angle"])
        assert (time["angle"] == 0).all()
    for state, time in net.seen[4:]:
        assert torch.equal(state["kind"], made["kind"])
        assert (time["kind"] == 1).all()
    assert (made["kind"] < 3).all()


def test_fields_of_both_kinds_stand_side_by_side():
    fields = {"kind": Tokens(3), "angle": Torus()}
    net = Words()
    batch = {
        "kind": torch.randint(3, (8, 5)),
        "angle": torch.rand(8, 5, 3),
        "mask": torch.arange(5) < torch.arange(1, 9).clamp(max=5)[:, None],
    }
    assert torch.isfinite(FlowTask(net, fields).step(batch).loss)
    assert isinstance(net.seen[0][1], torch.Tensor)
    made = sample(net.eval(), fields, batch, 3, method="heun")
    assert (made["kind"][~batch["mask"]] == 0).all()
    assert (made["kind"] < 3).all()


def test_a_coupling_chooses_the_noise():
    fields, noise, data, mask = product()
    task = FlowTask(Known(fields, noise, data), fields, couple=lambda x0, x1, batch: noise)
    assert task.step({**data, "mask": mask}).loss.item() == pytest.approx(0, abs=1e-10)


def test_padding_changes_no_loss():
    net = Small("angle", 1)
    task = FlowTask(net, {"angle": Torus()})
    mask = torch.tensor([[True, True, False], [True, True, True]])
    angle, start = torch.rand(2, 3, 1), torch.rand(2, 3, 1)
    losses = []
    for junk in (0.0, 0.4):
        filled = [torch.where(mask[..., None], value, junk) for value in (angle, start)]
        torch.manual_seed(0)
        batch = {"angle": filled[0], "start_angle": filled[1], "mask": mask}
        losses.append(task.step(batch).loss.item())
    assert losses[0] == losses[1]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.floats(0.3, 4), st.integers(0, 99))
def test_times_lie_between_noise_and_data(count, toward, seed):
    torch.manual_seed(seed)
    for times in (Times(toward), LogitNormal(1.0, 0.5)):
        drawn = times(count)
        assert drawn.shape == (count,)
        assert ((drawn >= 0) & (drawn <= 1)).all()


def test_times_are_even_or_lean_towards_the_data():
    torch.manual_seed(0)
    even = Times()(1000).sort().values
    assert torch.allclose(even, torch.linspace(0, 1, 1000), atol=2e-3)
    assert Times(2.0)(1000).mean().item() == pytest.approx(2 / 3, abs=0.01)
    assert LogitNormal(1.0)(1000).median().item() == pytest.approx(0.731, abs=0.01)


def test_a_task_without_fields_is_refused():
    with pytest.raises(UserError, match="name what the network makes"):
        FlowTask(nn.Linear(1, 1), {})
