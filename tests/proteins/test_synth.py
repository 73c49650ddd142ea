"""Made families obey the physics that they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.proteins.alphabet import GAP
from science.proteins.families import families
from science.proteins.lattice import (
    backbite,
    contact_energies,
    contacts_of,
    cube_shapes,
    distances_of,
    log_p_native,
    neighbours,
    places,
)
from science.proteins.meanfield import inverse_covariance
from science.proteins.metrics import precision
from science.proteins.potts import Potts
from science.proteins.synth import make, model_of
from science.proteins.weights import neff

CUBE, BOX = (3, 3, 3), (4, 4, 4)


def test_there_are_as_many_compact_27mers_as_shakhnovich_and_gutin_counted():
    shapes = cube_shapes()
    assert len(shapes) == 103_346
    where = places(CUBE)[shapes]
    assert (np.abs(np.diff(where, axis=1)).sum(-1) == 1).all()
    assert (np.sort(shapes, 1) == np.arange(27)).all()
    assert contacts_of(shapes[:50], neighbours(CUBE)).shape == (50, 28, 2)


def test_backbite_keeps_chains_compact_and_reaches_many_shapes():
    shapes = backbite(BOX, 40, seed=2, moves=500)
    where = places(BOX)[shapes]
    assert (np.abs(np.diff(where, axis=1)).sum(-1) == 1).all()
    assert (np.sort(shapes, 1) == np.arange(64)).all()
    assert len({tuple(shape) for shape in shapes.tolist()}) == 40
    assert (backbite(BOX, 3, seed=2) == backbite(BOX, 3, seed=2)).all()
    with pytest.raises(UserError, match="holds no chain"):
        backbite((1, 1, 1), 1)


def test_backbite_draws_small_shapes_as_often_as_each_other():
    shapes = backbite((3, 3, 1), 4000, seed=0, moves=30)
    kinds, count = np.unique(shapes, axis=0, return_counts=True)
    assert len(kinds) == 40  # directed Hamiltonian paths of the 3 x 3 grid
    assert count.min() > 60
    assert count.max() < 145


def test_contacts_are_the_pairs_closer_than_eight_angstrom():
    shape = backbite(BOX, 1, seed=5)[0]
    distance = distances_of(shape, BOX)
    pairs = contacts_of(shape[None], neighbours(BOX))[0]
    near = np.argwhere(np.triu(distance < 8, 2))
    assert sorted(map(tuple, pairs)) == sorted(map(tuple, near))
    assert ((pairs[:, 1] - pairs[:, 0]) % 2 == 1).all()  # the lattice has two colours


def test_samples_have_the_boltzmann_frequencies_of_a_small_model():
    rng = np.random.default_rng(0)
    couplings = rng.normal(0, 0.8, (3, 3, 2, 2))
    couplings = couplings + couplings.transpose(1, 0, 3, 2)
    couplings[np.arange(3), np.arange(3)] = 0
    model = Potts(rng.normal(0, 0.5, (3, 2)), couplings)
    every = np.array(list(np.ndindex(2, 2, 2)), np.uint8)
    weight = np.exp(model.log_weight(every))
    drawn = model.sample(40_000, sweeps=20, seed=1)
    found = np.bincount(drawn @ np.array([4, 2, 1]), minlength=8) / 40_000
    assert found == pytest.approx(weight / weight.sum(), abs=0.01)


def test_a_tree_makes_relatives_and_time_makes_them_forget():
    model = model_of(backbite(BOX, 1, seed=1)[0])
    depths = [neff(model.family(100, drift, seed=2)) for drift in (0.02, 0.1, 2.0)]
    assert depths[0] < 40 < depths[1] < 100
    assert depths[2] == 100
    assert (model.family(20, 0.3, seed=4) == model.family(20, 0.3, seed=4)).all()


def test_selected_sequences_fold_into_their_shape_and_random_ones_do_not():
    shapes = cube_shapes()[::50]
    contacts = contacts_of(shapes, neighbours(CUBE))
    tokens = model_of(shapes[7], CUBE, strength=2.0).sample(40, seed=0)
    selected = log_p_native(tokens, 7, contacts)
    other = np.random.default_rng(0).integers(0, 20, (40, 27)).astype(np.uint8)
    assert np.median(selected) > np.log(0.3)
    assert np.median(log_p_native(other, 7, contacts)) < np.log(0.01)
    every = np.array([log_p_native(tokens[:3], k, contacts) for k in range(len(contacts))])
    assert np.exp(every).sum(0) == pytest.approx(1)


def test_contact_energies_say_what_chemists_say():
    energy = contact_energies()
    at = {letter: k for k, letter in enumerate("ARNDCQEGHILKMFPSTWYV")}
    assert (energy == energy.T).all()
    assert energy[at["I"], at["L"]] < energy[at["A"], at["A"]] < energy[at["K"], at["D"]] + 2
    assert energy[at["K"], at["D"]] < energy[at["K"], at["K"]]
    assert energy[at["C"], at["C"]] < energy[at["C"], at["S"]]


def test_a_family_has_its_contacts_in_its_columns_and_gaps_in_all_but_the_query():
    made = make(depth=250, drift=1.0, gaps=0.1, seed=3)
    assert not (made.tokens[0] == GAP).any()
    assert (made.tokens == GAP).mean() == pytest.approx(0.1, abs=0.04)
    score = inverse_covariance(made.tokens).score.numpy()
    assert precision(score, distances_of(made.shape, BOX), "long", 5) > 0.4
    with pytest.raises(UserError, match="gaps"):
        make(gaps=1.0)


def test_the_card_makes_the_same_families_each_time():
    one = families("proteins/simulated", families=10, depth=40)
    two = families("proteins/simulated", families=10, depth=40)
    assert [f.split for f in one] == ["train"] * 7 + ["val"] + ["test"] * 2
    for a, b in zip(one, two, strict=True):
        assert (a.alignment.tokens == b.alignment.tokens).all()
        assert (a.distance == b.distance).all()
        assert a.chain.sequence == a.alignment.query
    assert 5 <= min(f.alignment.depth for f in one) < max(f.alignment.depth for f in one) <= 40
    with pytest.raises(UserError, match="unexpected keyword"):
        families("proteins/simulated", colour="red")
