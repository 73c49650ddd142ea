"""Templates: the right prototype wins, nobody is his own template, volumes follow the atoms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.crystals import templates_fingerprint as prints
from science.crystals.nets.composition import Composition
from science.crystals.templates import Known, Templates, slots
from science.crystals.templates_coupling import Kept
from science.crystals.templates_data import taught

SALT = np.array([[0, 0, 0], [0.5, 0.5, 0.5]], float)
FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def _salt(name, one, two, edge, sites=SALT, cell=FCC):
    """Rock salt in its primitive cell, or caesium chloride in a simple one."""
    return Known(name, np.array([one, two]), cell * edge, sites.copy())


@pytest.fixture
def bank():
    cubic = np.eye(3)
    return Templates(
        [
            _salt("NaCl", 11, 17, 5.6),
            _salt("KBr", 19, 35, 6.6),
            _salt("MgO", 12, 8, 4.2),
            _salt("CsCl", 55, 17, 4.1, cell=cubic),
            _salt("CsBr", 55, 35, 4.3, cell=cubic),
        ]
    )


def _type(one):
    kinds = slots(one.species)[0].tolist()
    slot = np.array([kinds.index(z) for z in one.species.tolist()])
    return prints.fingerprint(slot, one.frac, one.matrix, len(kinds))


def test_fingerprint_forgets_setting_order_and_size():
    salt = _salt("x", 11, 17, 5.6)
    turned = np.array([[1, 0, 0], [1, 1, 0], [0, 2, 1]])
    other = Known(
        "y",
        salt.species[::-1].copy(),
        turned @ salt.matrix * 1.3,
        (salt.frac[::-1] + 0.1) @ np.linalg.inv(turned),
    )
    assert prints.apart(_type(salt), _type(other)[None])[0] < 1e-5


def test_fingerprint_tells_rock_salt_from_caesium_chloride():
    far = prints.apart(
        _type(_salt("x", 11, 17, 5.6)), _type(_salt("y", 11, 17, 3.4, cell=np.eye(3)))[None]
    )
    assert prints.alike(far)[0] < 0.2


def test_shape_forgets_the_setting():
    cell = np.diag([3.0, 4.0, 5.0])
    other = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]]) @ cell
    assert prints.apart(prints.shape(cell), prints.shape(other)[None])[0] < 0.05


def test_the_likest_elements_decide(bank):
    assert bank.propose([19, 17])[0].source in ("NaCl", "KBr")
    assert bank.propose([55, 53])[0].source in ("CsBr", "CsCl")


def test_second_proposal_is_another_structure_type(bank):
    first, second = bank.propose([37, 35], 2)
    far = prints.apart(
        _type(Known("", first.species, first.matrix, first.frac)),
        _type(Known("", second.species, second.matrix, second.frac))[None],
    )
    assert prints.alike(far)[0] < 0.5
    assert first.chance >= second.chance


def test_left_out_is_not_asked(bank):
    assert bank.propose([11, 17])[0].source == "NaCl"
    assert all(p.source != "NaCl" for p in bank.propose([11, 17], 20, ("NaCl",)))
    nearest = bank.nearest([11, 17], ("NaCl",))
    assert nearest is not None
    assert nearest.source != "NaCl"


def test_composition_is_kept_and_volume_follows_the_elements(bank):
    small, large = bank.propose([3, 9])[0], bank.propose([37, 53])[0]
    assert sorted(small.species.tolist()) == [3, 9]
    same = bank.propose([12, 8])[0]
    assert abs(np.linalg.det(same.matrix)) == pytest.approx(4.2**3 / 4, rel=1e-6)
    assert abs(np.linalg.det(large.matrix)) >= abs(np.linalg.det(same.matrix)) * 0.5


def test_nothing_alike_gives_nothing(bank):
    assert bank.propose([1, 1, 2]) == []
    assert bank.nearest([1, 1, 2]) is None


def test_a_cell_alone_tells_the_structure_type():
    """A row without coordinates takes the type of the crystal whose cell has its shape."""
    known = [_salt("NaCl", 11, 17, 5.6), _salt("KCl", 19, 17, 3.9, cell=np.eye(3))]
    bare = Known("RbF", np.array([37, 9]), FCC * 5.6)
    family = Templates([*known, bare]).family((1, 1))
    assert family is not None
    found = {m.name: known[m.origin].name for m in family.members}
    assert found["RbF"] == "NaCl"


def test_lessons_put_the_crystal_in_the_setting_of_its_template(bank):
    turned = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    goal = Known(
        "KF",
        np.array([9, 19]),
        turned @ (FCC * 5.4),
        np.array([[0.3, 0.3, 0.3], [0.8, 0.8, 0.8]]) @ np.linalg.inv(turned),
    )
    start = bank.propose(goal.species)[0]
    lesson = taught(start, goal)
    assert lesson is not None
    assert lesson.species.tolist() == start.species.tolist()
    way = lesson.frac - lesson.start_frac
    way -= way.mean(0)
    assert np.abs(way).max() < 1e-3
    assert abs(np.linalg.det(lesson.matrix)) == pytest.approx(5.4**3 / 4, rel=1e-5)


def test_coupling_keeps_a_start_that_lies_well():
    torch.manual_seed(0)
    goal = torch.rand(16, 8, 3)
    start = goal + 0.001 * torch.randn_like(goal)
    batch = {"species": torch.full((16, 8), 8)}
    kept = Kept(shifts=1, invert=False)({"frac": start}, {"frac": goal}, batch)["frac"]
    way = (kept - goal) - (kept - goal).round()
    assert (way - way.mean(1, keepdim=True)).abs().max() < 0.01


def test_compositions_hold_only_allowed_elements_and_each_once():
    net = Composition(width=16, layers=1, heads=2).eval()
    counts = np.array([[1, 1, 3], [1, 2, 0], [1, 1, 1]])
    net.adapt({"counts": counts})
    made = net.draw(40, torch.Generator().manual_seed(0), allowed=[3, 8, 26])
    patterns = {(1, 1, 3), (1, 2), (1, 1, 1)}
    for one in made:
        kinds, often = np.unique(one, return_counts=True)
        assert set(kinds.tolist()) <= {3, 8, 26}
        assert tuple(sorted(often.tolist())) in patterns
    few = net.draw(40, torch.Generator().manual_seed(0), allowed=[3, 8])
    assert {len(set(one.tolist())) for one in few} == {2}
