"""The Transformer encoder: a set without places, a sequence with them; and the lessons' loop."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from science.core.nn.encoder import Encoder
from science.core.supervised import Labelled, SupervisedTask
from science.core.teach.learn import fit, seeded, size_of

X = torch.randn(2, 12, 16, generator=torch.Generator().manual_seed(0))
SHUFFLED = torch.randperm(12, generator=torch.Generator().manual_seed(1))


def made(placed):
    return seeded(lambda: Encoder(16, 4, 2, placed), 0, "encoder")


def test_without_places_a_shuffled_set_gives_shuffled_answers():
    with torch.no_grad():
        net = made(placed=False)
        torch.testing.assert_close(net(X[:, SHUFFLED]), net(X)[:, SHUFFLED], atol=1e-5, rtol=1e-4)
        net = made(placed=True)
        assert (net(X[:, SHUFFLED]) - net(X)[:, SHUFFLED]).abs().max() > 0.01


def test_hidden_places_change_nothing():
    real = torch.arange(12) < 9
    other = X.clone()
    other[:, 9:] += 5
    with torch.no_grad():
        one, two = (made(placed=True)(x, real.expand(2, -1)) for x in (X, other))
    torch.testing.assert_close(one[:, :9], two[:, :9])


def test_the_loop_learns_repeats_and_leaves_the_global_stream_alone():
    target = X.mean((1, 2))

    def learned():
        net = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 1), nn.Flatten(0)), 0, "n")
        task = SupervisedTask(net, nn.MSELoss(reduction="none"))
        return fit(task, lambda i: Labelled(X[i], target[i]), 2, 60, 2), size_of(net)

    torch.manual_seed(5)
    before = torch.get_rng_state()
    losses, size = learned()
    assert torch.equal(torch.get_rng_state(), before)
    assert size == 193
    assert losses[-1] < 0.2 * losses[0]
    np.testing.assert_array_equal(losses, learned()[0])
