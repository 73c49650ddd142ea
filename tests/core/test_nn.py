"""Building blocks against naive versions of themselves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from science.core.nn.numeric import _LEVELS, NumericEmbedding
from science.core.nn.tower import ConvTower


def levels(values, edges):
    """Share of each bin between two edges that a value fills: the five lines it amounts to."""
    out = []
    for value, edge in zip(values, edges, strict=True):
        bins = list(itertools.pairwise(edge))
        known = np.isfinite(value)
        fill = [float(value >= b) if a == b else (value - a) / (b - a) for a, b in bins]
        out.append(np.clip(fill, 0, 1) * known if known else np.zeros(len(bins)))
    return np.concatenate([*out, np.isfinite(values)])


def seen_by(embedding, values):
    """What the MLP is given."""
    caught = []
    handle = embedding.mlp.register_forward_pre_hook(lambda _, args: caught.append(args[0]))
    embedding(values)
    handle.remove()
    return caught[0]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    columns = [rng.normal(size=300), 10 ** rng.uniform(-3, 6, 300), rng.integers(0, 2, 300) * 1.0]
    values = np.stack(columns, 1).astype(np.float32)
    values[rng.random(values.shape) < 0.15] = np.nan
    return values


def test_numbers_are_encoded_as_the_naive_version_does(data):
    embedding = NumericEmbedding(3, width=8).eval()
    embedding.adapt(data)
    found = seen_by(embedding, torch.from_numpy(data[:50]))
    edges = embedding.edges.numpy().astype(float)
    wanted = np.stack([levels(row.astype(float), edges) for row in data[:50]])
    np.testing.assert_allclose(found.numpy(), wanted, atol=2e-5)


def test_edges_are_the_quantiles_of_what_is_known(data):
    embedding = NumericEmbedding(3)
    embedding.adapt(data)
    known = data[np.isfinite(data[:, 1]), 1]
    np.testing.assert_allclose(embedding.edges[1], np.percentile(known, _LEVELS), rtol=1e-5)
    unseen = NumericEmbedding(3)
    before = unseen.edges.clone()
    unseen.adapt(np.full((5, 3), np.nan, np.float32))
    assert torch.equal(unseen.edges, before)


def test_extremes_and_missing_numbers_stay_finite(data):
    embedding = NumericEmbedding(3).eval()
    embedding.adapt(data)
    for value in (np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0):
        values = torch.full((2, 3), value)
        assert torch.isfinite(embedding(values)).all(), value
    lacking = seen_by(embedding, torch.full((1, 3), float("nan")))
    assert (lacking == 0).all()


def test_numbers_are_hidden_in_training_only(data):
    embedding = NumericEmbedding(3, hidden=0.5)
    embedding.adapt(data)
    values = torch.ones(2000, 3)
    torch.manual_seed(0)
    assert float(seen_by(embedding, values)[:, -3:].mean()) == pytest.approx(0.5, abs=0.03)
    embedding.eval()
    assert (seen_by(embedding, values)[:, -3:] == 1).all()


def test_a_column_that_is_constant_does_not_break_gradients():
    embedding = NumericEmbedding(2)
    embedding.adapt(np.ones((10, 2), np.float32))
    values = torch.ones(4, 2, requires_grad=True)
    embedding(values).sum().backward()
    assert torch.isfinite(values.grad).all()
    assert all(torch.isfinite(p.grad).all() for p in embedding.parameters())


@pytest.mark.parametrize("length", [61, 201, 2001, 8])
def test_a_tower_makes_one_vector_of_any_length(length):
    tower = ConvTower(2, (4, 6))
    assert tower(torch.randn(3, 2, length)).shape == (3, tower.width) == (3, 12)


def test_a_tower_is_mean_and_maximum_of_its_stages():
    tower = ConvTower(1, (4, 6), kernel=3).eval()
    series = torch.randn(2, 1, 40)
    x = series
    for stage, size in zip(tower.stages, (20, 10), strict=True):
        for i in (0, 3):
            conv, norm = stage[i], stage[i + 1]
            assert isinstance(conv, nn.Conv1d)
            x = nn.functional.silu(norm(nn.functional.conv1d(x, conv.weight, padding=1)))
        x = nn.functional.max_pool1d(x, 3, 2, 1)
        assert x.shape[-1] == size
    wanted = torch.cat([x.mean(-1), x.max(-1).values], 1)
    torch.testing.assert_close(tower(series), wanted)
