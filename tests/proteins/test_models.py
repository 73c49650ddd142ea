"""Classical models find the couplings that made a family, and agree with each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.core.errors import UserError
from science.proteins.alphabet import GAP, SIZE
from science.proteins.meanfield import inverse_covariance, mean_field
from science.proteins.mi import mutual_information
from science.proteins.potts import Potts
from science.proteins.pseudolikelihood import pseudolikelihood
from science.proteins.statistics import apc, by_pair, counts, one_hot, roomy, zero_sum
from science.proteins.weights import sequence_weights

LENGTH = 9
TOUCHING = [(0, 4), (1, 6), (2, 8), (3, 7), (0, 8)]
MODELS = {
    "mi": mutual_information,
    "inverse covariance": inverse_covariance,
    "mean field": mean_field,
    "pseudolikelihood": pseudolikelihood,
}


@pytest.fixture(scope="module")
def model():
    """A sparse Potts model in the zero-sum gauge, over 21 letters."""
    rng = np.random.default_rng(3)
    couplings = np.zeros((LENGTH, LENGTH, SIZE, SIZE))
    for i, j in TOUCHING:
        block = zero_sum(torch.from_numpy(rng.normal(0, 1.1, (SIZE, SIZE)))).numpy()
        couplings[i, j], couplings[j, i] = block, block.T
    fields = rng.normal(0, 0.3, (LENGTH, SIZE))
    return Potts(fields - fields.mean(1, keepdims=True), couplings)


@pytest.fixture(scope="module")
def family(model):
    return model.sample(4000, sweeps=15, seed=1)


@pytest.fixture(scope="module")
def fitted(family):
    ones = np.ones(len(family))
    return {name: fit(family, ones) for name, fit in MODELS.items()}


def top(score, count):
    i, j = np.triu_indices(LENGTH, 1)
    order = np.argsort(-score.numpy()[i, j])[:count]
    return set(zip(i[order].tolist(), j[order].tolist(), strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_the_pairs_that_are_coupled_score_highest(fitted, name):
    assert top(fitted[name].score, len(TOUCHING)) == set(TOUCHING)


@pytest.mark.parametrize(("name", "least"), [("pseudolikelihood", 0.85), ("mean field", 0.7)])
def test_the_couplings_of_a_known_potts_model_are_recovered(model, fitted, name, least):
    found = fitted[name].couplings.numpy()
    for i, j in TOUCHING:
        assert np.corrcoef(found[i, j].ravel(), model.couplings[i, j].ravel())[0, 1] > least
    apart = [(i, j) for i in range(LENGTH) for j in range(i) if (j, i) not in TOUCHING]
    norm = [np.linalg.norm(found[i, j]) for i, j in apart]
    assert max(norm) < 0.5 * min(np.linalg.norm(found[i, j]) for i, j in TOUCHING)


def test_pseudolikelihood_recovers_the_size_of_couplings_and_the_fields(model, family):
    found = pseudolikelihood(family, np.ones(len(family)), ridge_couplings=0.01, steps=80)
    true = np.concatenate([model.couplings[i, j].ravel() for i, j in TOUCHING])
    got = np.concatenate([found.couplings[i, j].numpy().ravel() for i, j in TOUCHING])
    assert np.polyfit(true, got, 1)[0] == pytest.approx(1, abs=0.12)
    assert np.corrcoef(found.fields.numpy().ravel(), model.fields.ravel())[0, 1] > 0.8


def test_couplings_are_symmetric_and_their_gauge_is_zero_sum(fitted):
    for name in ("mean field", "pseudolikelihood"):
        found = fitted[name].couplings
        assert torch.allclose(found, found.permute(1, 0, 3, 2), atol=2e-4), name
        assert found.sum(2).abs().max() < 2e-3, name


def test_models_agree_with_each_other(fitted):
    i, j = np.triu_indices(LENGTH, 1)
    for one in MODELS:
        for other in MODELS:
            both = np.corrcoef(fitted[one].score[i, j], fitted[other].score[i, j])
            assert both[0, 1] > 0.8, (one, other)


@pytest.mark.parametrize("name", MODELS)
def test_the_order_of_the_rows_does_not_matter(family, name):
    some = family[:300]
    turned = some[np.random.default_rng(0).permutation(300)]
    assert torch.allclose(MODELS[name](some).score, MODELS[name](turned).score, atol=2e-3)


@pytest.mark.parametrize("name", MODELS)
def test_copies_of_a_sequence_count_once(family, name):
    some = family[:300]
    copied = np.concatenate([some, np.repeat(some[5:60], 9, axis=0)])
    assert sequence_weights(copied).sum() == pytest.approx(sequence_weights(some).sum())
    assert torch.allclose(MODELS[name](some).score, MODELS[name](copied).score, atol=2e-3)


def test_the_gradient_is_that_of_the_pseudolikelihood(family):
    from science.proteins.pseudolikelihood import _Problem

    rows = family[:40]
    size = LENGTH * SIZE
    start = torch.zeros(size)
    problem = _Problem(rows, torch.rand(40) + 0.5, 0.3, 0.7, start)
    torch.manual_seed(0)
    fields, couplings = torch.randn(size) / 3, torch.randn(size, size) / 9
    couplings = couplings + couplings.T
    blocks = couplings.view(LENGTH, SIZE, LENGTH, SIZE)
    for i in range(LENGTH):
        blocks[i, :, i] = 0
    fields.requires_grad_()
    couplings.requires_grad_()
    logits = (one_hot(rows) @ couplings + fields).view(-1, LENGTH, SIZE)
    said = -torch.log_softmax(logits, -1).gather(2, torch.from_numpy(rows).long()[..., None])
    loss = (said.sum((1, 2)) * problem.weight).sum() + 0.15 * fields.square().sum()
    loss = loss + 0.175 * couplings.square().sum()
    loss.backward()
    value, by_fields, by_couplings = problem(fields.detach(), couplings.detach())
    assert value.item() == pytest.approx(loss.item(), rel=1e-5)
    assert torch.allclose(by_fields, fields.grad, atol=1e-3)
    symmetric = (couplings.grad + couplings.grad.T) / 2
    for i in range(LENGTH):
        symmetric.view(LENGTH, SIZE, LENGTH, SIZE)[i, :, i] = 0
    assert torch.allclose(by_couplings, symmetric, atol=1e-3)


def test_mutual_information_of_two_equal_columns_is_their_entropy():
    rng = np.random.default_rng(0)
    column = rng.integers(0, 20, 4000).astype(np.uint8)
    tokens = np.stack([column, column, rng.integers(0, 20, 4000).astype(np.uint8)], 1)
    raw = mutual_information(tokens, np.ones(4000), pseudocount=1e-6).raw
    share = np.bincount(column) / 4000
    assert raw[0, 1] == pytest.approx(-(share * np.log(share)).sum(), rel=1e-3)
    assert raw[0, 2] < 0.06


def test_the_inverse_covariance_is_an_inverse(family):
    found = inverse_covariance(family[:500], np.ones(500), ridge=4.5)
    rows = one_hot(family[:500]).double().numpy()
    covariance = np.cov(rows.T, bias=True) + 4.5 / np.sqrt(500) * np.eye(LENGTH * SIZE)
    inverse = np.linalg.inv(covariance)
    assert np.allclose(by_pair(torch.from_numpy(-inverse)), found.couplings, atol=1e-3)


def test_counts_are_those_of_pairs_of_letters():
    tokens = np.array([[0, 1], [0, 2], [3, 2]], np.uint8)
    single, double = counts(tokens, torch.tensor([1.0, 0.5, 2.0]))
    pairs = by_pair(double)
    assert single[0] == 1.5
    assert pairs[0, 1, 3, 2] == 2
    assert pairs[1, 0, 2, 3] == 2
    assert pairs[0, 1, 0, 1] == 1


def test_the_product_correction_takes_away_what_is_a_product():
    even = apc(torch.full((6, 6), 3.0))
    # What is left of a constant comes of the diagonal, which is no pair: 1 / L of it.
    assert torch.allclose(even, (torch.ones(6, 6) - torch.eye(6)) * 3 / 6)
    assert torch.equal(apc(torch.zeros(4, 4)), torch.zeros(4, 4))
    scale = torch.linspace(0.5, 2.0, 20)
    bump = scale[:, None] * scale
    bump[3, 5] += 1
    bump[5, 3] += 1
    assert bump.triu(1).argmax() == 18 * 20 + 19
    assert apc(bump).triu(1).argmax() == 3 * 20 + 5


@pytest.mark.parametrize("name", MODELS)
def test_one_sequence_and_constant_columns_give_finite_scores(name):
    for tokens in (np.full((1, 8), 3, np.uint8), np.full((20, 8), GAP, np.uint8)):
        score = MODELS[name](tokens).score
        assert score.isfinite().all()


def test_weights_that_are_none_are_refused(family):
    for weights in (np.ones(3), np.full(50, np.nan), np.zeros(50), -np.ones(50)):
        with pytest.raises(UserError, match="weights"):
            inverse_covariance(family[:50], weights)
    with pytest.raises(UserError, match="5000 columns are too many"):
        inverse_covariance(np.zeros((2, 5000), np.uint8))
    roomy(1000)
    with pytest.raises(UserError, match=r"1000 columns .* takes 569"):
        roomy(1000, matrices=15)
