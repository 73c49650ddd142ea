"""The emulator's exact symmetries and repairs, and that it can learn."""

from __future__ import annotations

import copy
import functools

import numpy as np
import pytest
import torch

from science.core.errors import UserError
from science.core.forecast import ForecastTask, Trajectory, rollout
from science.weather import symmetry
from science.weather.nets.edges import beyond
from science.weather.nets.emulator import Emulator
from science.weather.nets.vit import SphereViT
from science.weather.symmetry import Symmetries, moved

CHANNELS = ("z500", "u500", "v500", "q_low", "sp")
FIELDS = ("sst", "sine_latitude")
SIZE = (16, 32)


def emulator(noise=0, mass="sp", size=SIZE, globe=True, alive=True, **how):
    torch.manual_seed(0)
    small = functools.partial(SphereViT, width=32, layers=2, heads=2, fine=16, **how)
    net = Emulator(CHANNELS, FIELDS, size, small, moving=["sst"], noise=noise, mass=mass,
                   globe=globe)  # fmt: skip
    if alive:  # what begins at zero would hide every fault
        for parameter in net.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.2)
    return net.eval()


def batch(count=2, size=SIZE, seed=1):
    draw = torch.Generator().manual_seed(seed)
    state = torch.randn(count, len(CHANNELS), *size, generator=draw)
    forcings = torch.randn(count, 2, len(FIELDS), *size, generator=draw)
    return state, forcings, torch.tensor([6.0, 24.0])[:count]


@pytest.mark.parametrize("patches", [1, 3, -2])
def test_turning_the_globe_by_whole_patches_turns_the_answer(patches):
    net, (state, forcings, lead) = emulator(), batch()
    made = net(state, forcings, lead)
    turned = net(state.roll(4 * patches, -1), forcings.roll(4 * patches, -1), lead)
    torch.testing.assert_close(turned, made.roll(4 * patches, -1), rtol=1e-3, atol=1e-5)
    assert made.abs().max() > 0.1


def test_what_is_laid_out_once_follows_the_weights():
    net, (state, forcings, lead) = emulator(), batch()
    with torch.inference_mode():
        first = net(state, forcings, lead)
        torch.testing.assert_close(net(state, forcings, lead), first, rtol=0, atol=0)
    torch.testing.assert_close(net(state, forcings, lead).detach(), first)
    with torch.no_grad():
        net.backbone.bias.mul_(2)
    changed = net(state, forcings, lead).detach()
    assert (changed - first).abs().max() > 1e-3
    with torch.inference_mode():
        torch.testing.assert_close(net(state, forcings, lead), changed)
    net.load_state_dict(emulator().state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(net(state, forcings, lead), first)
    copied = copy.deepcopy(net)
    copied(state, forcings, lead).sum().backward()


def test_beyond_the_pole_lies_the_other_side_and_vectors_turn_round():
    lat = torch.linspace(80, -80, 8)[:, None].deg2rad()
    lon = (torch.arange(16) * 22.5)[None].deg2rad()
    # A wind that blows uniformly across the pole, and the height that it would blow along.
    u, v = -torch.sin(lon).expand(8, 16), -torch.cos(lon).expand(8, 16)
    height = torch.cos(lat) * torch.cos(lon)
    wide = beyond(torch.stack([height, u, v]), 1, True, symmetry.pole_signs(("z", "u", "v")))
    assert wide.shape == (3, 10, 18)
    # Going on over the pole the height goes on falling: -cos(lat) cos(lon + 180).
    torch.testing.assert_close(wide[0, 0, 1:-1], -height[0] * 1.0)
    # Near the pole, u and v as seen in the frame of this meridian do not change across it.
    torch.testing.assert_close(wide[1:, 0, 1:-1], torch.stack([u, v])[:, 0], rtol=0, atol=1e-6)
    torch.testing.assert_close(wide[:, :, 0], wide[:, :, -2])


def test_a_mirrored_mirror_is_the_truth_and_turns_move_east():
    fields = torch.randn(3, 2, 4, 6, 8)
    signs = symmetry.mirror_signs(("z", "v_low", "vo", "u250"))
    assert signs.flatten().tolist() == [1, -1, -1, 1]
    flip, none = torch.tensor([True, False, True]), torch.zeros(3, dtype=torch.int64)
    once = moved(fields, none, flip, signs)
    assert torch.equal(moved(once, none, flip, signs), fields)
    assert torch.equal(once[1], fields[1])
    assert torch.equal(once[0, :, 1], -fields[0, :, 1].flip(-2))
    east = torch.tensor([0, 3, 5])
    turned = moved(fields, east, torch.zeros(3, dtype=torch.bool), signs)
    assert torch.equal(turned[1], fields[1].roll(3, -1))


def test_symmetries_keep_what_belongs_together():
    """Latitude as a forcing is left as it was, and states and forcings turn as one."""
    sine = torch.linspace(0.9, -0.9, 16)[:, None].expand(16, 32)
    place = torch.arange(32.0).expand(16, 32)
    forcings = torch.stack([place, sine]).expand(8, 2, 2, 16, 32)
    states = place.expand(8, 2, 5, 16, 32)
    torch.manual_seed(0)
    made = Symmetries(CHANNELS, FIELDS)(Trajectory(states, forcings, torch.tensor([0.0, 6.0])))
    torch.testing.assert_close(made.forcings[:, :, 1], forcings[:, :, 1])
    assert torch.equal(made.states[:, :, 0], made.forcings[:, :, 0])
    assert len(made.states[:, 0, 0, 0, 0].unique()) > 1


def test_water_stays_positive_and_air_is_neither_made_nor_lost():
    net, (state, forcings, lead) = emulator(), batch()
    net.mean += 0.5
    net.area.copy_(torch.linspace(0.5, 1.5, 16)[:, None])
    (after,) = rollout(net, state, [(forcings, lead)])
    raw = state + net.change(lead) * net(state, forcings, lead)
    humidity, mass = CHANNELS.index("q_low"), CHANNELS.index("sp")
    assert ((raw * net.std + net.mean)[:, humidity] < 0).any()
    assert (net.decode(after)[:, humidity] >= 0).all()
    total = [(x[:, mass] * net.area).mean((-2, -1)) for x in (state, raw, after)]
    torch.testing.assert_close(total[2], total[0], rtol=1e-4, atol=1e-5)
    assert (total[1] - total[0]).abs().max() > 1e-3


def test_a_new_network_says_that_nothing_changes():
    assert not emulator(alive=False)(*batch()).any()


def test_noise_tells_members_apart_and_none_is_the_middle():
    net, (state, forcings, lead) = emulator(noise=4), batch()
    noise = torch.randn(2, 4)
    assert not torch.allclose(net(state, forcings, lead, noise), net(state, forcings, lead))
    torch.testing.assert_close(
        net(state, forcings, lead, torch.zeros(2, 4)), net(state, forcings, lead)
    )


def test_scales_are_learned_and_interpolated():
    net = emulator()
    mean, std = np.arange(5.0), np.arange(1.0, 6.0)
    change = np.outer([1, 2, 3, 4], std)  # 6, 12, 18 and 24 h
    known = {"mean": mean, "std": std, "area": np.ones(16)}
    net.adapt(known | {"leads": np.array([6, 12, 18, 24]), "change": change})
    state = net.decode(torch.ones(1, 5, 16, 32))
    torch.testing.assert_close(state[0, :, 0, 0], torch.tensor(mean + std).float())
    torch.testing.assert_close(net.encode(state), torch.ones_like(state))
    usual = net.change(torch.tensor([6.0, 24.0, 12.0, 17.0, 3.0]))[:, 0, 0, 0]
    assert usual.tolist() == pytest.approx([1, 4, 2, 2 + 2 * np.log2(17 / 12), 1], rel=1e-4)
    with pytest.raises(UserError, match="no usual change"):
        net.adapt(known | {"leads": np.array([6]), "change": change[:1]})


def test_a_region_of_odd_size_has_edges_of_its_own():
    net = emulator(size=(13, 21), globe=False, mass=None)
    state, forcings, lead = batch(size=(13, 21))
    made = net(state, forcings, lead)
    assert made.shape == state.shape
    turned = net(state.roll(4, -1), forcings.roll(4, -1), lead)
    assert not torch.allclose(turned, made.roll(4, -1), atol=1e-3)


@pytest.mark.parametrize(
    "wrong", [{"weights": {"z50": 1}}, {"mass": "ps"}, {"moving": ["x"]}, {"size": (15, 32)}]
)
def test_names_and_sizes_that_do_not_fit_are_refused(wrong):
    how = {"channels": CHANNELS, "fields": FIELDS, "size": SIZE, "backbone": SphereViT} | wrong
    with pytest.raises(UserError):
        Emulator(**how)


def test_it_learns_a_wave_that_turns():
    """One pattern carried east by a column in six hours."""
    torch.manual_seed(0)
    net = emulator(alive=False, mass=None).train()
    net.mean += 5  # so that all of these waves are possible humidities
    task = ForecastTask(net, [6.0], augment=Symmetries(CHANNELS, FIELDS, mirror=False))
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3)
    lon = torch.arange(32) * 2 * np.pi / 32
    losses = []
    for _ in range(40):
        phase, wave = torch.rand(8, 5, 1, 1) * 6.3, torch.randint(1, 4, (8, 5, 1, 1))
        now = 5 + torch.cos(wave * lon + phase).expand(8, 5, *SIZE)
        pair = torch.stack([now, now.roll(1, -1)], 1)
        optimizer.zero_grad()
        still = torch.zeros(8, 2, 2, *SIZE)
        loss = task.step(Trajectory(pair, still, torch.tensor([0.0, 6.0]))).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.25 * losses[0]
