"""Several answers at once: symmetries of the distance, the best of them, and what is chosen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from pymatgen.analysis.structure_matcher import StructureMatcher

from science.crystals.cover import cover
from science.crystals.crystals import Crystals, unpack
from science.crystals.nets.variants import Variants, still
from science.crystals.sites import Sites
from science.crystals.variants import Covering, apart, propose

PEROVSKITE = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0, 0.5, 0.5]]
KINDS = np.array([[38, 22, 8, 8, 8], [22, 38, 8, 8, 8], [56, 22, 8, 8, 8], [22, 56, 8, 8, 8]])
EDGE = 1.3862943611198906  # log of 4 Angstrom


def sites() -> Sites:
    return Sites(PEROVSKITE, anions=[8], seats=[2, 3, 4])


def inputs(seed: int = 0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    start = np.tile(np.array(PEROVSKITE), (4, 1, 1)) + draw.random((4, 1, 3))
    way = np.zeros((4, 5, 3))
    way[..., 0] = draw.normal(size=(4, 5)) * 0.05
    cell = np.zeros((4, 6), np.float32)
    cell[:, 5] = EDGE + 0.05 * draw.normal(size=4)
    frac = ((start + way) % 1).astype(np.float32)
    return {"species": KINDS, "frac": frac, "start_frac": start.astype(np.float32), "cell": cell}


@pytest.fixture
def net() -> Variants:
    torch.manual_seed(0)
    made = Variants(sites(), count=4, width=16, layers=1, symbols=4)
    made.adapt(inputs())
    return made.eval()


def test_cations_far_off_their_sites_are_not_put_on_anions() -> None:
    frac = np.array(PEROVSKITE)
    frac[0, 0] += 0.45  # nearly on the site of the third oxygen, seen along x
    frac[2:, 0] -= 0.2
    place, _ = sites().taken(KINDS[:1], frac[None].astype(np.float32))
    assert set(place[0, 2:].tolist()) == {2, 3, 4}


def test_distance_is_that_of_the_evaluator() -> None:
    draw = torch.Generator().manual_seed(1)
    ways = still(0.03 * torch.randn(2, 5, 3, generator=draw))
    frac = torch.tensor(PEROVSKITE) + ways
    cell = torch.zeros(2, 6)
    cell[:, 5] = EDGE
    one, two = unpack(Crystals(torch.tensor(KINDS[:1]).repeat(2, 1), frac, cell))
    asked = StructureMatcher(0.3, 0.5, 10).get_rms_dist(one, two)
    assert asked is not None
    far = apart(ways[None, :1], ways[None, 1:])[0, 0, 0]
    assert float(far) >= asked[0] - 1e-4  # the evaluator may also turn the crystal
    assert float(apart(ways[None], -ways[None])[0].diagonal().max()) < 1e-3


def test_an_axis_without_motion_stays_still_and_nothing_drifts(net: Variants) -> None:
    moved = net(torch.tensor(KINDS)).moved
    assert moved.shape == (4, 4, 5, 3)
    assert (moved[..., 1:] == 0).all()
    assert moved.sum(2).abs().max() < 1e-6
    assert moved[..., 0].abs().max() > 0


def test_only_the_nearest_answer_is_corrected(net: Variants) -> None:
    task = Covering(net, liking=0.0, cell=0.0)
    batch = {name: torch.from_numpy(value) for name, value in inputs().items()}
    answer = net(batch["species"])
    answer.moved.retain_grad()
    net.forward = lambda _: answer  # type: ignore[method-assign]
    task.step(batch).loss.backward()
    touched = answer.moved.grad.abs().sum((2, 3)) > 0
    nearest = apart(answer.moved, net.goal(batch)[:, None])[..., 0].argmin(1)
    assert touched.sum(1).tolist() == [1, 1, 1, 1]
    assert (touched.int().argmax(1) == nearest).all()


def test_training_brings_the_answers_near(net: Variants) -> None:
    task = Covering(net.train())
    batch = {name: torch.from_numpy(value) for name, value in inputs().items()}
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    first = task.step(batch).parts["nearest"].item()
    for _ in range(60):
        optimizer.zero_grad()
        task.step(batch).loss.backward()
        optimizer.step()
    assert task.step(batch).parts["nearest"].item() < first / 2


def test_cover_finds_both_clusters_before_the_second_of_one() -> None:
    points = np.array([0.0, 0.01, 0.02, 0.4])
    far = np.abs(points[:, None] - points)
    weight = np.array([0.3, 0.3, 0.3, 0.1])
    assert cover(far, weight, 2).tolist() == [1, 3]


def test_greedy_cover_keeps_its_bound() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        points = draw.random((8, 2)) / 4
        far = np.minimum(np.linalg.norm(points[:, None] - points, axis=-1), 0.5)
        weight = draw.dirichlet(np.ones(8))
        gain = lambda rows: (0.5 - far[list(rows)].min(0)) @ weight  # noqa: B023, E731
        best = max(gain(rows) for rows in itertools.combinations(range(8), 3))
        assert gain(cover(far, weight, 3)) >= (1 - np.exp(-1)) * best


def test_proposals_hold_both_orders_and_do_not_depend_on_the_atoms_order(net: Variants) -> None:
    made, share = propose([net], np.array([[8, 38, 8, 22, 8]]), 6)
    again, _ = propose([net], np.array([[22, 8, 8, 8, 38]]), 6)
    assert all(torch.equal(a, b) for a, b in zip(made, again, strict=True))
    assert share.sum() == pytest.approx(1)
    corners = {int(species[0]) for species in made.species}
    assert corners == {22, 38}
    assert sorted(made.species[0].tolist()) == [8, 8, 8, 22, 38]
