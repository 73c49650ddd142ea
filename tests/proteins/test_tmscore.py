"""TM-score: its formula, its symmetries, and its value for proteins that share nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from science.core.errors import UserError
from science.proteins.tmscore import compare, d0, kabsch, rmsd


def walk(length, seed):
    """A compact random chain: steps of 3.8 A drawn back to the centre."""
    draw = np.random.default_rng(seed)
    chain = [np.zeros(3)]
    for _ in range(length - 1):
        step = draw.normal(size=3) - 0.08 * chain[-1]
        chain.append(chain[-1] + 3.8 * step / np.linalg.norm(step))
    return np.array(chain)


def test_d0_is_the_published_formula():
    assert d0(100) == pytest.approx(1.24 * 85 ** (1 / 3) - 1.8)
    assert d0(300) == pytest.approx(6.4, abs=0.1)
    assert d0(16) == 0.5  # the formula would be negative


def test_a_model_and_itself_moved_are_identical():
    native = walk(80, 0)
    moved = native @ Rotation.random(random_state=1).as_matrix().T + [5.0, -3.0, 40.0]
    found = compare(moved, native)
    assert found.tm == pytest.approx(1.0, abs=1e-9)
    assert found.rmsd == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(moved @ found.rotation.T + found.shift, native, atol=1e-6)


def test_a_mirror_image_is_another_fold():
    native = walk(100, 2)
    found = compare(native * [1, 1, -1], native)
    assert found.tm < 0.7
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def test_the_score_does_not_depend_on_the_frame():
    native, model = walk(60, 3), walk(60, 3) + np.random.default_rng(4).normal(0, 2, (60, 3))
    turn = Rotation.random(random_state=5).as_matrix()
    first = compare(model, native)
    assert compare(model @ turn.T + 7.0, native).tm == pytest.approx(first.tm, abs=1e-6)
    assert 0.3 < first.tm < 0.95


def test_half_a_model_right_scores_about_a_half():
    native = walk(100, 6)
    model = native.copy()
    model[50:] = walk(50, 7) @ Rotation.random(random_state=8).as_matrix().T + 60.0
    found = compare(model, native)
    assert 0.5 <= found.tm < 0.56
    np.testing.assert_allclose(model[:50] @ found.rotation.T + found.shift, native[:50], atol=1)


@pytest.mark.mirror
def test_unrelated_proteins_score_as_published():
    from science.core.datasets import fetch
    from science.proteins.packed import BetaChains

    chains = BetaChains(fetch("proteins/promod3-extra", "chains.npz"))
    large = [row for row in range(0, 21000, 300) if chains.arrays["size"][row] >= 120][:40]
    parts = [chains.chain(row).cb[:120] for row in large]
    scores = [compare(a, b).tm for a, b in itertools.pairwise(parts)]
    assert 0.14 < np.mean(scores) < 0.25  # 0.17 (Zhang and Skolnick 2004)


def test_the_search_finds_what_trying_all_subsets_finds():
    draw = np.random.default_rng(9)
    native = walk(9, 10) * 3
    model = native + draw.normal(0, 3, native.shape)
    best = 0.0
    for size in range(3, 10):
        for subset in itertools.combinations(range(9), size):
            rotation, shift = kabsch(model[list(subset)], native[list(subset)])
            apart = np.linalg.norm(model @ rotation.T + shift - native, axis=-1)
            best = max(best, float((1 / (1 + (apart / d0(9)) ** 2)).mean()))
    assert compare(model, native).tm > 0.8 * best


def test_residues_that_are_unknown_are_left_out_but_count():
    native = walk(50, 11)
    model = native.copy()
    model[:10] = np.nan
    assert compare(model, native).tm == pytest.approx(0.8, abs=1e-6)
    native[:10] = np.nan
    assert compare(native + 3, native).tm == pytest.approx(1.0, abs=1e-9)


def test_rmsd_is_the_least_of_all_rotations():
    a, b = walk(30, 12), walk(30, 13)
    least = rmsd(a, b)
    for seed in range(20):
        turned = (a - a.mean(0)) @ Rotation.random(random_state=seed).as_matrix().T + b.mean(0)
        assert np.sqrt(((turned - b) ** 2).sum(-1).mean()) >= least - 1e-9


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UserError, match="cannot be compared"):
        compare(walk(10, 0), walk(11, 0))
    with pytest.raises(UserError, match="in common"):
        compare(np.full((10, 3), np.nan), walk(10, 0))
