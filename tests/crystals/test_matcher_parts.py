"""What the matcher is made of, against slow and plain ways to do the same."""

import itertools

import numpy as np
import pytest
from pymatgen.core import Lattice

from science.crystals import matcher_assign, matcher_lattice, matcher_niggli
from science.crystals.matcher_mappings import mappings


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def cells(rng, count):
    return [rng.normal(size=(3, 3)) * rng.uniform(2, 8, (3, 1)) for _ in range(count)]


def test_niggli_is_that_of_pymatgen(rng):
    for cell in cells(rng, 40):
        rows, ended, _ = matcher_niggli.niggli(cell)
        expected = Lattice(cell).get_niggli_reduced_lattice()
        assert ended
        found = Lattice(rows)
        assert sorted(found.lengths) == pytest.approx(sorted(expected.lengths), rel=1e-4)
        off = np.sort(np.abs(np.array(found.angles) - 90))
        assert off == pytest.approx(np.sort(np.abs(np.array(expected.angles) - 90)), abs=1e-2)
        whole = rows @ np.linalg.inv(cell)
        assert np.abs(whole - np.rint(whole)).max() < 1e-8
        assert abs(np.linalg.det(whole)) == pytest.approx(1)


def test_niggli_says_where_the_choice_is_open():
    assert not matcher_niggli.niggli(np.diag([3.0, 4.0, 5.0]))[2]
    assert matcher_niggli.niggli(np.array(Lattice.hexagonal(3, 5).matrix))[2]


def test_lll_is_that_of_pymatgen(rng):
    for cell in cells(rng, 40):
        rows, _ = matcher_lattice.lll(cell)
        assert rows == pytest.approx(Lattice(cell).lll_matrix, abs=1e-8)


def test_mappings_are_those_of_pymatgen(rng):
    for _ in range(15):
        one = Lattice(np.eye(3) * 4 + rng.normal(0, 0.6, (3, 3)))
        two = Lattice(np.eye(3) * 4 + rng.normal(0, 0.6, (3, 3)))
        found, risky = mappings(np.array(one.matrix), np.array(two.parameters), 0.3, 10.0)
        expected = {
            tuple(m.ravel())
            for _, _, m in one.find_all_mappings(two, 0.3, 10, skip_rotation_matrix=True)
            if abs(round(np.linalg.det(m))) == 1
        }
        assert {tuple(m.ravel()) for m in found} == expected
        assert not risky


def test_parameters_and_back(rng):
    for cell in cells(rng, 10):
        numbers = matcher_lattice.parameters(cell)
        assert numbers == pytest.approx(Lattice(cell).parameters)
        again = matcher_lattice.from_parameters(numbers)
        assert again == pytest.approx(Lattice.from_parameters(*numbers).matrix)
        assert matcher_lattice.determinant(cell) == pytest.approx(np.linalg.det(cell))
        assert matcher_lattice.inverse(cell) == pytest.approx(np.linalg.inv(cell))


def assigned(cost):
    n = len(cost)
    chosen, price = np.empty(n, dtype=np.int64), np.empty((2, n + 1))
    work, link = np.empty((2, n + 1)), np.empty((2, n + 1), dtype=np.int64)
    matcher_assign.assign(cost, chosen, price, work, link)
    return chosen, price[0, 1:], price[1, 1:]


def test_assignment_is_the_best(rng):
    from scipy.optimize import linear_sum_assignment

    for n in (1, 2, 5, 20):
        cost = rng.random((n, n))
        chosen, row, column = assigned(cost)
        expected = cost[linear_sum_assignment(cost)].sum()
        assert sorted(chosen) == list(range(n))
        assert cost[np.arange(n), chosen].sum() == pytest.approx(expected)
        assert (cost - row[:, None] - column >= -1e-12).all()  # prices prove that none is better
        assert row.sum() + column.sum() == pytest.approx(expected)


def test_drifts_over_all_choices(rng):
    """Three sites, each free to go to any of three places: all six orders are gone through."""
    way = rng.normal(size=(3, 3, 3))
    start = np.array([0, 3, 6, 9])
    partner = np.tile(np.arange(3), 3)
    low, high = matcher_assign.drifts(start, partner, way.reshape(9, 3))
    sums = [
        (sum(way[i, p[i]] for i in range(3)) ** 2).sum() for p in itertools.permutations(range(3))
    ]
    assert (low, high) == pytest.approx((min(sums), max(sums)))


def test_too_many_choices_leave_all_open():
    n = 12
    partner = np.tile(np.arange(n), n)
    found = matcher_assign.drifts(np.arange(n + 1) * n, partner, np.zeros((n * n, 3)))
    assert found == (0.0, np.inf)
