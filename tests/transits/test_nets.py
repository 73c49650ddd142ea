"""The networks: what they must not depend on, and their size as published."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.transits.nets.astronet import AstroNet
from science.transits.nets.vetter import Vetter

VIEWS = {"global_view": 201, "local_view": 61, "secondary_view": 61}


def inputs(n=6, seed=0, **numbers):
    generator = torch.Generator().manual_seed(seed)
    sizes = VIEWS | numbers
    return {name: torch.randn(n, size, generator=generator) for name, size in sizes.items()}


@pytest.fixture
def vetter():
    torch.manual_seed(0)
    net = Vetter(tuple(VIEWS), {"own": 5, "context": 3}, channels=(4, 8), width=8)
    given = inputs(own=5, context=3)
    net.adapt({name: values.numpy() for name, values in given.items()})
    net.train()
    net(inputs(n=32, seed=1, own=5, context=3))  # batch statistics of something
    return net.eval()


def test_time_may_run_backwards(vetter):
    given = inputs(own=5, context=3)
    turned = {name: v.flip(-1) if name in VIEWS else v for name, v in given.items()}
    assert torch.equal(vetter(given), vetter(turned))


def test_the_asymmetry_of_a_view_is_not_simply_ignored(vetter):
    """Both directions are averaged; the parts of one view must still stay together."""
    given = inputs(own=5, context=3)
    shuffled = given | {"local_view": given["local_view"][:, torch.randperm(61)]}
    assert not torch.allclose(vetter(given), vetter(shuffled))


def test_a_view_with_a_gap_counts_as_absent(vetter):
    given = inputs(own=5, context=3)
    nothing = given | {"secondary_view": torch.full((6, 61), float("nan"))}
    gap = given | {"secondary_view": given["secondary_view"].clone()}
    gap["secondary_view"][:, 30] = float("nan")
    assert torch.isfinite(vetter(nothing)).all()
    assert torch.equal(vetter(nothing), vetter(gap))
    assert not torch.allclose(vetter(nothing), vetter(given))


def test_absence_is_not_a_flat_view(vetter):
    given = inputs(own=5, context=3)
    absent = given | {"secondary_view": torch.full((6, 61), float("nan"))}
    flat = given | {"secondary_view": torch.zeros(6, 61)}
    assert not torch.allclose(vetter(absent), vetter(flat))


def test_a_family_of_numbers_may_be_missing(vetter):
    given = inputs(own=5, context=3)
    without = given | {"context": torch.full((6, 3), float("nan"))}
    assert torch.isfinite(vetter(without)).all()
    assert not torch.allclose(vetter(without), vetter(given))


def test_rows_do_not_feel_their_neighbours(vetter):
    given = inputs(own=5, context=3)
    alone = torch.cat([vetter({k: v[i : i + 1] for k, v in given.items()}) for i in range(6)])
    torch.testing.assert_close(vetter(given), alone)


def test_event_views_share_a_tower_and_the_whole_has_its_own(vetter):
    assert sorted(vetter.towers) == ["event", "whole"]
    assert sorted(Vetter(("local_view",)).towers) == ["event"]


def test_training_is_random_and_gradients_reach_every_weight():
    net = Vetter(tuple(VIEWS), {"own": 5}, channels=(4, 8), width=8)
    given = inputs(n=16, own=5)
    net.adapt({"own": given["own"].numpy()})
    assert not torch.equal(net(given), net(given))
    net(given).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


def test_astronet_has_as_many_weights_as_the_published_one():
    """Views of 2001 and 201 bins; 9.94 million weights with the single sigmoid of the paper."""
    count = sum(p.numel() for p in AstroNet(classes=1).parameters())
    assert count == pytest.approx(9.94e6, rel=0.01)


def test_astronet_columns_are_as_long_as_published():
    net = AstroNet()
    lengths = [net.columns[n](torch.zeros(1, 1, b)).shape[1:] for n, b in net.bins.items()]
    assert [tuple(s) for s in lengths] == [(256, 59), (32, 46)]


def test_astronet_takes_short_views_and_no_numbers():
    net = AstroNet({"global_view": 201, "local_view": 61}).eval()
    given = inputs(own=5)
    assert net(given).shape == (6, 3)
    assert torch.equal(net(given), net({k: given[k] for k in ("global_view", "local_view")}))


def test_astronet_mirrors_all_views_of_a_sample_together(monkeypatch):
    net = AstroNet({"global_view": 201, "local_view": 61})
    seen = {}
    monkeypatch.setattr(
        net,
        "_flat",
        lambda n, v: seen.update({n: v}) or torch.zeros(len(v), net.dense[0].in_features // 2),
    )
    given = {n: torch.arange(b, dtype=torch.float32).expand(50, -1) for n, b in net.bins.items()}
    net.train()
    net(given)
    turned = {n: (v[:, 0] > 0).numpy() for n, v in seen.items()}
    np.testing.assert_array_equal(turned["global_view"], turned["local_view"])
    assert 0 < turned["global_view"].sum() < 50
