"""Coupling shortens ways and leaves the noise what it was but for symmetry."""

from __future__ import annotations

import torch

from science.crystals.coupling import Transport, _cost

SPECIES = torch.tensor([[38, 22, 8, 8, 8, 0]]).repeat(16, 1)


def pair(seed: int) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    draw = torch.Generator().manual_seed(seed)
    one, two = (torch.rand(16, 6, 3, generator=draw) for _ in range(2))
    return {"frac": one, "cell": torch.zeros(16, 6)}, {"frac": two}


def test_ways_get_shorter() -> None:
    noise, data = pair(0)
    made = Transport(shifts=4)(noise, data, {"species": SPECIES})
    before = _cost(noise["frac"], data["frac"], SPECIES).mean()
    assert _cost(made["frac"], data["frac"], SPECIES).mean() < 0.6 * before
    assert made["cell"] is noise["cell"]


def test_a_moved_and_renumbered_crystal_is_found_again() -> None:
    _, data = pair(1)
    order = torch.tensor([0, 1, 3, 4, 2, 5])
    noise = {"frac": (data["frac"][:, order] + 0.3) % 1}
    made = Transport(shifts=8, invert=False)(noise, data, {"species": SPECIES})
    assert _cost(made["frac"], data["frac"], SPECIES).max() < 1e-6


def test_an_inverted_crystal_is_found_again() -> None:
    _, data = pair(2)
    noise = {"frac": (0.2 - data["frac"]) % 1}
    made = Transport(shifts=0, renumber=False)(noise, data, {"species": SPECIES})
    assert _cost(made["frac"], data["frac"], SPECIES).max() < 1e-6


def test_elements_are_never_exchanged() -> None:
    noise, data = pair(3)
    made = Transport(shifts=0, invert=False)(noise, data, {"species": SPECIES})
    # Differences between the unlike atoms survive any move and any exchange among the oxygens.
    apart = made["frac"][:, 0] - made["frac"][:, 1]
    was = noise["frac"][:, 0] - noise["frac"][:, 1]
    assert torch.allclose(apart, was, atol=1e-5)
