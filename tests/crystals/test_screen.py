"""The screening networks know no coordinates, count every image, and state honest errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from science.crystals.energies import energies, interval, joined, samples
from science.crystals.neighbours import pairs
from science.crystals.nets.pyg_baselines import Cgcnn, SchNet, graph
from science.crystals.nets.screen import Screen
from science.crystals.uncertainty import Uncertainty


@pytest.fixture(scope="module")
def crystals():
    generator = np.random.default_rng(3)
    cells = [
        Lattice.from_parameters(4.1, 5.3, 6.2, 81, 95, 104),
        Lattice.cubic(2.6),
        Lattice.hexagonal(3.2, 5.1),
        Lattice.from_parameters(2.9, 3.1, 11.0, 62, 70, 75),
    ]
    return [
        Structure(cell, (["Na", "Cl", "Ti", "O", "O"])[:n], generator.random((n, 3)))
        for cell, n in zip(cells, (5, 1, 2, 4), strict=True)
    ]


@pytest.mark.parametrize("cutoff", [3.0, 5.5])
def test_pairs_are_those_of_pymatgen(crystals, cutoff):
    of = samples(crystals)
    near = pairs(
        torch.tensor(of.inputs["frac"]),
        torch.tensor(of.inputs["cell"]),
        torch.tensor(of.inputs["species"]) > 0,
        cutoff,
    )
    for row, structure in enumerate(crystals):
        first, second, _, distance = structure.get_neighbor_list(cutoff)
        mine = near.crystal == row
        found = sorted(
            zip(
                near.centre[mine].tolist(),
                near.other[mine].tolist(),
                near.distance[mine].tolist(),
                strict=True,
            )
        )
        wanted = sorted(zip(first.tolist(), second.tolist(), distance.tolist(), strict=True))
        assert len(found) == len(wanted)
        key = lambda p: (p[0], p[1], round(p[2], 3))  # noqa: E731
        for a, b in zip(sorted(found, key=key), sorted(wanted, key=key), strict=True):
            assert a[:2] == b[:2]
            assert a[2] == pytest.approx(b[2], abs=2e-4)


def test_edges_of_the_graph_are_the_shortest(crystals):
    of = samples(crystals)
    inputs = {name: torch.tensor(value) for name, value in of.inputs.items()}
    species, crystal, edges, distance = graph(inputs, 6.0, 3)
    assert species.tolist() == [z for s in crystals for z in s.atomic_numbers]
    assert crystal.tolist() == [i for i, s in enumerate(crystals) for _ in s]
    assert torch.bincount(edges[1]).max() == 3
    site = 0
    for structure in crystals:
        for k in range(len(structure)):
            near = sorted(n.nn_distance for n in structure.get_neighbors(structure[k], 6.0))[:3]
            mine = distance[edges[1] == site].tolist()
            assert mine == pytest.approx(near, abs=2e-4)
            site += 1


@pytest.mark.parametrize("kind", [Screen, Cgcnn, SchNet])
def test_what_must_not_matter_does_not(crystals, kind):
    torch.manual_seed(0)
    net = kind(width=16, layers=2).eval()
    before = energies([net], samples(crystals))[0]
    assert len(set(before.round(6))) == len(crystals)
    moved = []
    for structure in crystals:
        order = np.random.default_rng(1).permutation(len(structure))
        frac = (structure.frac_coords + np.array([0.31, -0.7, 0.11]))[order]
        frac += np.random.default_rng(2).integers(-2, 3, frac.shape)
        moved.append(Structure(structure.lattice, [structure.species[i] for i in order], frac))
    assert energies([net], samples(moved))[0] == pytest.approx(before, abs=1e-4)
    doubled = [s.make_supercell([2, 1, 1], in_place=False) for s in crystals]
    if kind is not Cgcnn:  # which keeps the nearest twelve, and ties may be cut either way
        assert energies([net], samples(doubled))[0] == pytest.approx(before, abs=1e-4)


def test_padding_is_not_seen(crystals):
    torch.manual_seed(0)
    net = Screen(width=16, layers=2).eval()
    together = energies([net], samples(crystals))[0]
    alone = [energies([net], samples([s]))[0][0] for s in crystals]
    assert together == pytest.approx(alone, abs=1e-5)


def test_a_screen_learns(crystals):
    torch.manual_seed(0)
    net, of = Screen(width=16, layers=2), samples(crystals)
    inputs = {name: torch.tensor(value) for name, value in of.inputs.items()}
    wanted = torch.tensor([-1.0, 0.5, 2.0, -2.5])
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(60):
        loss = (net(inputs) - wanted).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2


def test_samples_of_different_width_join(crystals):
    both = joined([samples(crystals[:1], [1.0]), samples(crystals[1:3], [2.0, 3.0])])
    assert both.target.tolist() == [1.0, 2.0, 3.0]
    assert both.size.tolist() == [5, 1, 2]
    assert len(set(both.id)) == 3


def heteroscedastic(count, seed, freedom=5.0):
    draw = np.random.default_rng(seed)
    spread = draw.gamma(2.0, 0.02, count)
    scale = np.sqrt(0.03**2 + (2.5 * spread) ** 2)
    return draw.standard_t(freedom, count) * scale + 0.01, spread


def test_uncertainty_recovers_how_errors_were_made():
    found = Uncertainty.fit(*heteroscedastic(20000, 0))
    assert found.floor == pytest.approx(0.03, rel=0.1)
    assert found.gain == pytest.approx(2.5, rel=0.1)
    assert found.freedom == pytest.approx(5.0, rel=0.25)
    assert found.bias == pytest.approx(0.01, abs=0.003)


def test_intervals_hold_what_they_promise():
    found = Uncertainty.fit(*heteroscedastic(2000, 1))
    error, spread = heteroscedastic(5000, 2)
    share = found.coverage(error, spread, np.array([0.68, 0.95]))
    assert share == pytest.approx([0.68, 0.95], abs=0.03)
    assert found.miscalibration(error, spread) < 0.02
    flat = Uncertainty(1e-3, 1.0, 100.0)
    assert flat.miscalibration(error, spread) > 0.1  # the bare spread is far too sure


def test_probability_and_bound_agree_with_the_draws():
    made = Uncertainty(0.03, 2.5, 5.0, 0.01)
    error, spread = heteroscedastic(20000, 4)
    truth = np.zeros(len(error))
    mean = truth + error
    assert made.below(0.0, mean, spread).mean() == pytest.approx(0.5, abs=0.01)
    assert (truth < made.lower(mean, spread, 0.16)).mean() == pytest.approx(0.16, abs=0.01)


def test_interval_of_a_mean():
    values = np.random.default_rng(0).normal(size=400)
    found = interval(lambda rows: float(values[rows].mean()), np.arange(400), 0)
    assert found["n"] == 400
    assert found["low"] < values.mean() < found["high"]
    assert found["high"] - found["low"] == pytest.approx(4 / 20, rel=0.15)
    grouped = interval(lambda rows: float(values[rows].mean()), np.arange(400) // 40, 0)
    assert grouped["value"] == found["value"]
