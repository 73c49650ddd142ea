"""Windows of a map: cutting and joining, who sees whom, and turning the globe."""

from __future__ import annotations

import pytest
import torch

from science.core.errors import UserError
from science.core.teach.learn import seeded
from science.weather.nets.swin import WindowViT, cut, joined, poles_apart


def reached(net, at=(1, 1)):
    """Which patches the token at ``at`` listens to."""
    x = torch.randn(1, 2, 16, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
    net.tokens(x)[0, at[0], at[1]].sum().backward()
    return x.grad.abs().sum((0, 1)).view(8, 2, 16, 2).sum((1, 3)) > 0


def made(**how):
    return seeded(lambda: WindowViT(2, (16, 32), width=16, heads=2, **how), 0, "swin")


def test_joining_undoes_cutting():
    tokens = torch.arange(2 * 8 * 16 * 3.0).view(2, 8, 16, 3)
    parts = cut(tokens, (4, 4))
    assert parts.shape == (2, 8, 16, 3)
    assert torch.equal(parts[0, 0, :, 0], tokens[0, :4, :4, 0].flatten())
    assert torch.equal(joined(parts, (8, 16), (4, 4)), tokens)


def test_fixed_windows_see_themselves_and_shifted_ones_their_neighbours():
    assert reached(made(shifted=False)).sum() == 16
    assert reached(made(window=(8, 16), shifted=False)).all()
    seen = reached(made(shifted=True), at=(3, 1))
    assert 16 < seen.sum() < 128
    assert seen[:, -2:].any()  # round the globe
    assert not reached(made(shifted=True), at=(0, 5))[-4:].any()  # not over the pole


def test_poles_are_parted_in_the_last_windows_only():
    apart = poles_apart((8, 16), (4, 4))
    assert apart[:4].abs().sum() == 0
    assert torch.isinf(apart[4:]).float().mean() == 0.5


def test_turning_the_globe_by_a_window_turns_the_answer():
    net = made(shifted=True)
    torch.nn.init.normal_(net.out.weight)
    x = torch.randn(1, 2, 16, 32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(net(x.roll(8, -1)), net(x).roll(8, -1), atol=1e-5, rtol=1e-4)


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(UserError, match="must divide"):
        WindowViT(1, (16, 30), window=(4, 4))
