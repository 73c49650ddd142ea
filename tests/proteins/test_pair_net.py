"""The contact network: symmetry, what it ignores, and what its loss hides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.core.seeds import generator, rng
from science.core.supervised import Labelled, SupervisedTask
from science.proteins.features import PAIR, SINGLE, features
from science.proteins.nets.distogram import BINS, EDGES, DistogramLoss, contact_log_odds
from science.proteins.nets.pair import PairNet, Triangle
from science.proteins.predict import batch


def tiny(**how: int) -> PairNet:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        small = {"channels": 8, "coarse": 8, "blocks": 2, "fine": 1, "hidden": 4, "chain": 8}
        net = PairNet(**(small | how)).eval()
        for parameter in net.parameters():  # also those that begin at zero
            torch.nn.init.normal_(parameter, std=0.2)
    return net


def inputs(length: int, seed: int = 0) -> dict[str, torch.Tensor]:
    draw = generator(seed, "inputs")
    half = torch.randint(-50, 100, (1, PAIR, length, length), generator=draw)
    return {
        "pair": (half + half.transpose(2, 3)) // 2,
        "single": torch.rand(1, length, SINGLE, generator=draw),
        "neff": torch.tensor([50.0]),
    }


@pytest.mark.parametrize("length", [1, 2, 7, 12])
@pytest.mark.parametrize("coarse", [0, 8])
def test_a_map_is_symmetric_at_any_length(length: int, coarse: int) -> None:
    y = tiny(coarse=coarse)(inputs(length))
    assert y.shape == (1, BINS, length, length)
    assert torch.isfinite(y).all()
    torch.testing.assert_close(y, y.transpose(2, 3))


def test_consecutive_places_are_what_is_assumed_without_any() -> None:
    net, given = tiny(), inputs(20)
    place = torch.arange(20)[None]
    torch.testing.assert_close(net(given), net(given | {"place": place + 7}))
    gap = torch.cat([place[:, :10], place[:, 10:] + 30], 1)
    assert not torch.allclose(net(given), net(given | {"place": gap}))


def test_the_triangle_is_the_sum_over_third_residues() -> None:
    layer = Triangle(3, 2)
    torch.nn.init.normal_(layer.out.weight, generator=generator(0, "out"))
    x = torch.randn(1, 3, 5, 5, generator=generator(0, "x"))
    a, b, ga, gb = layer.sides(x).chunk(4, 1)
    a, b = a * ga.sigmoid(), b * gb.sigmoid()
    met = torch.zeros(1, 2, 5, 5)
    for i in range(5):
        for j in range(5):
            met[:, :, i, j] = sum(a[:, :, i, k] * b[:, :, j, k] for k in range(5))
    torch.testing.assert_close(layer(x), x + layer.out(layer.norm(met)), atol=1e-5, rtol=1e-4)


def test_the_order_of_the_homologues_does_not_matter() -> None:
    draw = rng(0, "rows")
    tokens = draw.integers(0, 21, (40, 18)).astype(np.uint8)
    shuffled = tokens[np.r_[0, 1 + draw.permutation(39)]]
    net = tiny()
    first, second = (net(batch(features(t))) for t in (tokens, shuffled))
    torch.testing.assert_close(first, second, atol=0.2, rtol=0.05)  # a level may round either way
    odds = contact_log_odds(first) - contact_log_odds(second)
    assert odds.abs().mean() < 0.01


def test_the_contact_is_the_mass_of_the_classes_below_eight_angstrom() -> None:
    logits = torch.randn(2, BINS, 4, 4, generator=generator(1, "logits"))
    mass = logits.softmax(1)[:, : EDGES.index(8.0) + 1].sum(1)
    torch.testing.assert_close(contact_log_odds(logits).sigmoid(), mass)


def test_a_distance_of_eight_is_no_contact_and_falls_in_the_class_beyond() -> None:
    loss = DistogramLoss(contact=1.0)
    place = EDGES.index(8.0) + 1
    sure = torch.zeros(1, BINS, 1, 1)
    sure[0, place] = 50.0
    assert loss(sure, torch.full((1, 1, 1), 8.0)).item() == pytest.approx(0, abs=1e-5)
    assert loss(sure, torch.full((1, 1, 1), 7.999)).item() > 50


def test_unknown_distances_teach_nothing() -> None:
    net, given = tiny(), inputs(10)
    distance = torch.full((1, 10, 10), 12.0)
    weight = torch.ones(1, 10, 10)
    hidden = distance.clone()
    hidden[0, 3], weight[0, 3] = torch.nan, 0
    task = SupervisedTask(net, DistogramLoss())
    lost = []
    for target in (hidden, torch.where(hidden.isnan(), 4.0, hidden)):
        net.zero_grad()
        loss = task.step(Labelled(given, target, weight)).loss
        loss.backward()
        lost.append((loss.item(), net.lift.weight.grad.clone()))
    assert lost[0][0] == pytest.approx(lost[1][0])
    torch.testing.assert_close(lost[0][1], lost[1][1])


def test_a_crop_far_from_its_border_says_what_the_whole_says() -> None:
    """Convolutions reach only so far; the norms, which see the whole, are taken out here."""
    net = tiny(triangles=0, blocks=1, fine=0)
    for module in net.modules():
        if isinstance(module, torch.nn.InstanceNorm2d):
            module.forward = lambda x: x  # type: ignore[method-assign]
    given = inputs(64)
    inside = slice(16, 64)
    cut = {
        "pair": given["pair"][..., inside, inside],
        "single": given["single"][:, inside],
        "neff": given["neff"],
    }
    whole, part = net(given)[..., inside, inside], net(cut)
    core = slice(24, 40)
    torch.testing.assert_close(part[..., core, core], whole[..., core, core], atol=1e-3, rtol=1e-3)
