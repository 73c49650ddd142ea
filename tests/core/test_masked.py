"""Hidden tokens: how many, by what, and that only they are scored."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from science.core.masked import MaskedTask, Tokens

VOCABULARY, MASK = 20, 20


class Spy(nn.Module):
    """Remembers what it was shown; its logits know each token's true id by position."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.table = nn.Embedding(VOCABULARY + 1, VOCABULARY)

    def forward(self, ids, real):
        self.shown = ids
        return self.scale * self.table(ids)


def tokens(rows=200, length=60, padding=10):
    ids = torch.randint(0, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(0))
    real = torch.arange(length).expand(rows, -1) < length - padding
    return Tokens(ids, real)


@pytest.fixture
def shown():
    net, batch = Spy(), tokens()
    torch.manual_seed(1)
    step = MaskedTask(net, VOCABULARY, MASK, rate=0.2).step(batch)
    return batch, net.shown, step


def test_the_shares_are_as_published(shown):
    batch, seen, step = shown
    real = int(batch.real.sum())
    hidden = len(step.scored[1])
    assert hidden / real == pytest.approx(0.2, abs=0.02)
    masked = int((seen == MASK).sum())
    assert masked / hidden == pytest.approx(0.8, abs=0.03)
    swapped = int(((seen != MASK) & (seen != batch.ids)).sum())
    assert swapped / hidden == pytest.approx(0.1 * (VOCABULARY - 1) / VOCABULARY, abs=0.03)


def test_padding_is_never_hidden_nor_scored(shown):
    batch, seen, step = shown
    assert torch.equal(seen[~batch.real], batch.ids[~batch.real])
    assert len(step.scored[1]) <= int(batch.real.sum())


def test_the_loss_is_that_of_the_hidden_tokens(shown):
    _, _, step = shown
    logits, target = step.scored
    by_hand = -logits.log_softmax(-1)[torch.arange(len(target)), target].mean()
    assert float(step.loss.detach()) == pytest.approx(float(by_hand.detach()), rel=1e-5)
    assert float(step.parts["perplexity"].detach()) == pytest.approx(float(by_hand.exp().detach()))


def test_nothing_hidden_still_gives_a_gradient():
    net = Spy()
    step = MaskedTask(net, VOCABULARY, MASK, rate=0.0).step(tokens(2, 5, 0))
    step.loss.backward()
    assert step.loss == 0
    assert net.scale.grad == 0


def test_the_same_stream_hides_the_same(shown):
    batch, seen, _ = shown
    net = Spy()
    torch.manual_seed(1)
    MaskedTask(net, VOCABULARY, MASK, rate=0.2).step(batch)
    assert torch.equal(net.shown, seen)


def test_tokens_may_lie_on_a_grid():
    ids = torch.randint(0, VOCABULARY, (30, 12, 15))
    real = torch.rand(ids.shape) < 0.7
    net = Spy()
    step = MaskedTask(net, VOCABULARY, MASK, rate=0.3).step(Tokens(ids, real))
    assert len(step.scored[1]) / int(real.sum()) == pytest.approx(0.3, abs=0.03)
    assert torch.equal(net.shown[~real], ids[~real])
