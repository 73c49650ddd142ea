"""Generation: compositions survive, volumes fit the atoms, wrong elements are named."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.core.errors import UserError
from science.crystals.crystals import unpack
from science.crystals.draw import Sampler
from science.crystals.generate import Geometry, compositions, numbers, random
from science.crystals.nets.composition import Composition
from science.crystals.templates import Known, Templates

FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
SALT = np.array([[0, 0, 0], [0.5, 0.5, 0.5]], float)


class Still:
    """A network that moves nothing."""

    def encode(self, batch):
        return {name: batch[name] for name in ("frac", "cell")}

    def decode(self, state, batch):
        return dict(state)

    def __call__(self, state, time, batch):
        return {name: torch.zeros_like(value) for name, value in state.items()}


@pytest.fixture
def geometry():
    from science.core.fields import Euclidean, Torus

    bank = Templates(
        [
            Known("NaCl", np.array([11, 17]), FCC * 5.6, SALT),
            Known("KBr", np.array([19, 35]), FCC * 6.6, SALT),
        ]
    )
    return Geometry(Still(), {"frac": Torus(), "cell": Euclidean()}, Sampler(steps=2), bank)


def test_a_network_that_does_nothing_leaves_the_template(geometry):
    made, names = geometry.place([np.array([11, 17])], seed=0)
    structure = unpack(made)[0]
    assert structure.composition.reduced_formula == "NaCl"
    assert names[0] in ("NaCl", "KBr")
    distance = structure.distance_matrix[0, 1]
    assert distance == pytest.approx(structure.volume ** (1 / 3) * 4 ** (1 / 3) / 2, rel=1e-3)


def test_the_same_seed_makes_the_same_crystals(geometry):
    asked = [np.array([3, 9]), np.array([1, 1, 8])]
    one, two = geometry.place(asked, 1)[0], geometry.place(asked, 1)[0]
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_without_a_template_noise_takes_the_room_of_the_atoms(geometry):
    made, names = geometry.place([np.array([1, 1, 8])], 0)
    assert names == ["noise"]
    assert sorted(made.species[0].tolist()) == [1, 1, 8]
    volume = unpack(made)[0].volume
    assert volume == pytest.approx(geometry.bank.room[[1, 1, 8]].sum(), rel=1e-4)


def test_random_crystals_hold_what_was_asked(geometry):
    made = random([np.array([11, 17]), np.array([19, 35, 35])], geometry.bank, 0)
    assert [s.composition.reduced_formula for s in unpack(made)] == ["NaCl", "KBr2"]


def test_only_allowed_elements_and_known_numbers_of_atoms(geometry):
    net = Composition(width=16, layers=1, heads=2).eval()
    net.adapt({"counts": np.array([[1, 1, 0], [1, 1, 3]])})
    made = compositions(net, geometry.bank, 12, 0, allowed=numbers(["Li", "F"]))
    assert all(sorted(one.tolist()) == [3, 9] for one in made)


def test_too_few_elements_say_so(geometry):
    net = Composition(width=16, layers=1, heads=2).eval()
    net.adapt({"counts": np.array([[1, 1, 3]])})
    with pytest.raises(UserError):
        compositions(net, geometry.bank, 4, 0, allowed=[3])


@pytest.mark.parametrize("names", [["Xx"], [], ["Li", "oxygen"]])
def test_what_is_no_element_is_named(names):
    with pytest.raises(UserError, match="element"):
        numbers(names)
