"""The network's symmetries hold exactly, and its normalisation gives back what it took."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.crystals.nets.cspnet import CSPNet

SPECIES = torch.tensor([[38, 22, 8, 8, 8, 0], [6, 6, 6, 6, 6, 6]])


@pytest.fixture
def net() -> CSPNet:
    torch.manual_seed(0)
    made = CSPNet(width=32, layers=2, frequencies=3, distances=4).double().eval()
    torch.nn.init.normal_(made.frac_out.weight)
    return made


def state(seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    frac = torch.rand(2, 6, 3, generator=draw, dtype=torch.float64)
    return {"frac": frac, "cell": 0.2 * torch.randn(2, 6, generator=draw, dtype=torch.float64)}


def ask(net: CSPNet, at: dict[str, torch.Tensor], species: torch.Tensor) -> dict[str, torch.Tensor]:
    time = torch.full((2,), 0.3, dtype=torch.float64)
    return net(at, time, {"species": species})


def test_moving_the_crystal_changes_nothing(net: CSPNet) -> None:
    at = state()
    moved = {**at, "frac": (at["frac"] + torch.tensor([0.31, 0.77, 0.5])) % 1}
    one, two = ask(net, at, SPECIES), ask(net, moved, SPECIES)
    assert torch.allclose(one["frac"], two["frac"])
    assert torch.allclose(one["cell"], two["cell"])


def test_wrapping_an_atom_changes_nothing(net: CSPNet) -> None:
    at = state()
    wrapped = {**at, "frac": at["frac"].clone()}
    wrapped["frac"][0, 1] += torch.tensor([1.0, -2.0, 3.0])
    one, two = ask(net, at, SPECIES), ask(net, wrapped, SPECIES)
    assert torch.allclose(one["frac"], two["frac"])
    assert torch.allclose(one["cell"], two["cell"])


def test_velocities_are_renumbered_with_the_atoms(net: CSPNet) -> None:
    at, order = state(), torch.tensor([3, 5, 1, 0, 4, 2])
    turned = {**at, "frac": at["frac"][:, order]}
    one, two = ask(net, at, SPECIES), ask(net, turned, SPECIES[:, order])
    assert torch.allclose(one["frac"][:, order], two["frac"])
    assert torch.allclose(one["cell"], two["cell"])


def test_padding_neither_moves_nor_is_seen(net: CSPNet) -> None:
    at = state()
    other = {**at, "frac": at["frac"].clone()}
    other["frac"][0, 5] = 0.123
    one, two = ask(net, at, SPECIES), ask(net, other, SPECIES)
    assert (one["frac"][0, 5] == 0).all()
    assert torch.allclose(one["frac"][0], two["frac"][0])


def test_the_crystal_as_a_whole_stays(net: CSPNet) -> None:
    assert ask(net, state(), SPECIES)["frac"].sum(1).abs().max() < 1e-12


def test_the_answer_depends_on_the_elements(net: CSPNet) -> None:
    other = SPECIES.clone()
    other[0, 0] = 56
    one, two = ask(net, state(), SPECIES), ask(net, state(), other)
    assert not torch.allclose(one["frac"][0], two["frac"][0])
    assert torch.allclose(one["frac"][1], two["frac"][1])


def test_states_decode_to_what_was_encoded() -> None:
    net = CSPNet(width=16, layers=1).eval()
    draw = np.random.default_rng(0)
    cell = draw.normal(size=(2, 6)).astype(np.float32)
    batch = {"species": SPECIES, "frac": torch.rand(2, 6, 3), "cell": torch.from_numpy(cell)}
    net.adapt({"species": SPECIES.numpy(), "cell": cell})
    back = net.decode(net.encode(batch), batch)
    assert torch.allclose(back["cell"], batch["cell"], atol=1e-5)
    assert torch.allclose(back["frac"], batch["frac"])


def test_cells_that_are_all_cubic_stay_cubic() -> None:
    net = CSPNet(width=16, layers=1)
    cell = np.zeros((2, 6), np.float32)
    cell[:, 5] = [1.3, 1.5]
    net.adapt({"species": SPECIES.numpy(), "cell": cell})
    made = net.decode(
        {"frac": torch.rand(2, 6, 3), "cell": torch.randn(2, 6)}, {"species": SPECIES}
    )
    assert (made["cell"][:, :5] == 0).all()


def test_volume_is_learned_per_atom() -> None:
    net = CSPNet(width=16, layers=1).eval()
    cell = torch.zeros(2, 6)
    cell[:, 5] = torch.tensor([5.0, 6.0]).log() / 3  # both one cubic Angstrom per atom
    state = net.encode({"species": SPECIES, "frac": torch.rand(2, 6, 3), "cell": cell})
    assert state["cell"].abs().max() < 1e-6
