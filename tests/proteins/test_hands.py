"""Hands of topologies: what must change its sign in a mirror, what must not move, what is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from science.proteins import hands
from science.proteins.contact_data import ContactData

MIRROR = np.array([1.0, 1.0, -1.0])


def strand(right):
    """(8, 3) C-beta of a strand up the y axis, in turn on either side of the sheet z = 0."""
    place = np.arange(8)
    return np.stack([np.full(8, right), 3.3 * place, np.where(place % 2, 1.0, -1.0)], -1)


def helix(right, above, count=16):
    """(count, 3) C-beta of a right-handed helix that runs down, against the strands."""
    turn = np.deg2rad(100.0) * np.arange(count)
    down = 24.0 - 1.5 * np.arange(count)
    return np.stack([right + 3.3 * np.cos(turn), down, above + 3.3 * np.sin(turn)], -1)


def joined(*pieces):
    """Pieces with three residues on a straight line between them."""
    chain = [pieces[0]]
    for piece in pieces[1:]:
        share = np.linspace(0, 1, 5)[1:-1, None]
        chain += [(1 - share) * chain[-1][-1] + share * piece[0], piece]
    return np.concatenate(chain)


def unit(above):
    """Strand, helix on one side of the sheet, parallel strand to the right of the first."""
    return joined(strand(0.0), helix(2.4, above), strand(4.8))


@pytest.fixture(scope="module")
def walk():
    return np.random.default_rng(0).normal(0, 3.0, (80, 3)).cumsum(0) / 2


def test_a_mirror_image_has_opposite_odds(walk):
    assert hands.odds(walk) != 0
    assert hands.odds(walk * MIRROR) == pytest.approx(-hands.odds(walk), rel=1e-12)


def test_odds_do_not_depend_on_where_and_how_a_chain_lies(walk):
    turned = Rotation.random(random_state=1).apply(walk) + np.array([10.0, -3.0, 5.0])
    assert hands.odds(turned) == pytest.approx(hands.odds(walk), rel=1e-9)


def test_what_lies_in_a_plane_has_no_hand(walk):
    assert hands.odds(walk * [1, 1, 0]) == 0


def test_parallel_strands_are_joined_by_a_right_handed_turn():
    """Up the first strand, over the sheet towards the viewer, second strand to the right."""
    right, left = (hands.odds(unit(above)) for above in (10.0, -10.0))
    assert right > 0 > left


def test_the_table_holds_the_left_handed_twist_of_sheets():
    """Neighbouring strands cross at about -25 degrees seen along the line that joins them, which
    is a torsion of about -25 or, antiparallel, 155 degrees."""
    table = hands.TABLE.read_text().splitlines()
    assert len(table) == hands.COUNT + 1
    plus, minus = np.loadtxt(hands.TABLE, delimiter=",", skiprows=1, usecols=(1, 2)).T
    sheet = slice(6 * 12, 7 * 12)
    parallel, anti = plus[sheet][1:3] / minus[sheet][1:3], plus[sheet][9:11] / minus[sheet][9:11]
    assert (parallel < 0.2).all()
    assert (anti > 5).all()


def test_a_short_or_unknown_chain_says_nothing():
    assert hands.odds(np.zeros((3, 3))) == 0
    assert hands.odds(np.full((50, 3), np.nan)) == 0
    assert hands.odds(np.zeros((50, 3))) == 0


def test_unknown_residues_leave_the_rest_as_it_is(walk):
    holed = walk.copy()
    holed[30:34] = np.nan
    assert hands.odds(holed + np.array([50.0, 0, 0])) == pytest.approx(hands.odds(holed), rel=1e-9)
    assert hands.odds(holed * MIRROR) == pytest.approx(-hands.odds(holed), rel=1e-9)


@pytest.mark.mirror
def test_known_chains_outside_the_count_have_the_right_hand():
    data = ContactData(
        "proteins/psicov", ["proteins/promod3-extra", "proteins/deepcov-list"], held_out=90
    )
    chains = [data.families[i].chain for i in data.samples.where("val")]
    right = [hands.odds(chain.cb) > 0 for chain in chains]
    assert np.mean(right) > 0.93
