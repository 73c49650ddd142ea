"""Folding: hands, perfect distances, files that can be read again, and bad input."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
import torch

from science.core.errors import UserError
from science.proteins import geometry as g
from science.proteins.fold import Folder, chain, confidence, ramachandran
from science.proteins.fold_files import structure, write
from science.proteins.natives import hand, native
from science.proteins.restraints import Distogram, Potential
from science.proteins.tmscore import compare

EDGES = (5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0)


def hairpin():
    """Two helices of 14 residues side by side, joined by a loop: (30, 4, 3)."""
    turn = torch.arange(14) * np.deg2rad(100.0)
    up = torch.stack([2.3 * turn.cos(), 2.3 * turn.sin(), 1.5 * torch.arange(14)], -1)
    down = torch.stack([10 + 2.3 * turn.cos(), -2.3 * turn.sin(), up[:, 2].flip(0)], -1)
    loop = torch.tensor([[3.5, 0.0, 22.0], [7.0, -1.0, 22.0]])
    ca = torch.cat([up, loop, down])
    return g.atoms(g.along(ca), ca)


@pytest.fixture(scope="module")
def truth():
    return hairpin()[:, g.CB].numpy()


@pytest.fixture(scope="module")
def folded(truth):
    apart = np.linalg.norm(truth[:, None] - truth[None], axis=-1).astype(np.float32)
    distogram = Distogram.of_distances(apart, EDGES)
    return distogram, Folder(starts=1, steps=100).fold(distogram)


def test_perfect_distances_give_the_fold_in_the_right_hand(truth, folded):
    _, fold = folded
    cb = fold.atoms[:, g.CB]
    assert compare(cb, truth).rmsd < 2.0
    assert compare(cb * [1, 1, -1], truth).rmsd > 3.0
    assert fold.energy < min(fold.others)
    assert fold.confidence.mean() > 0.8


def test_a_fold_is_a_chain_of_l_residues(folded):
    made = torch.from_numpy(folded[1].atoms)
    bonds = (made[1:, g.N] - made[:-1, g.C]).norm(dim=-1)
    assert float((bonds - 1.329).abs().mean()) < 0.1
    n, ca, c, cb = made.unbind(1)
    assert ((torch.linalg.cross(n - ca, c - ca) * (cb - ca)).sum(-1) > 1).all()
    phi, _ = g.torsions(made)
    assert float((phi < 0).float().mean()) > 0.8
    mirrored = made * torch.tensor([1.0, 1.0, -1.0])
    assert float(ramachandran(mirrored)) > float(ramachandran(made)) + 10


def test_energies_do_not_depend_on_the_frame():
    made = hairpin()
    turn = g.rotation(torch.tensor([0.5, 0.1, -0.7, 0.2]))
    moved = made @ turn.T + torch.tensor([30.0, 1.0, -5.0])
    torch.testing.assert_close(chain(moved, 10.0), chain(made, 10.0), rtol=1e-3, atol=1e-1)


def test_the_energy_of_a_pair_is_lowest_where_it_is_believed_to_be():
    believed = np.full((2, 2), 11.0, np.float32)
    np.fill_diagonal(believed, 0)
    distogram = Distogram.of_distances(believed, EDGES)
    potential = Potential(distogram, least=1, told=-1, reference=0)
    assert len(potential) == 1
    grid = torch.arange(3.0, 30.0, 0.25)
    cb = torch.zeros(len(grid), 2, 3)
    cb[:, 1, 0] = grid
    energy = potential(cb)
    assert 10 <= float(grid[energy.argmin()]) <= 12
    cb.requires_grad_()
    potential(cb).sum().backward()
    slope = cb.grad[:, 1, 0]
    assert slope[grid == 8.25] < 0 < slope[grid == 14.25]


def test_contacts_alone_say_near_or_not():
    contact = np.zeros((3, 3), np.float32)
    contact[0, 2] = contact[2, 0] = 1
    grid, density = Distogram.of_contacts(contact).densities()
    mass = density[0, 2] / density[0, 2].sum()
    assert mass[grid < 9].sum() > 0.95
    np.testing.assert_array_equal(density, density.transpose(1, 0, 2))


def test_the_hand_of_a_chain_follows_from_its_distances(truth):
    apart = np.linalg.norm(truth[:, None] - truth[None], axis=-1)
    made = native(apart)
    assert compare(made, truth).tm > 0.999
    assert hand(truth) == pytest.approx(-hand(truth * [1, 1, -1]), rel=1e-6)
    apart[5] = apart[:, 5] = np.nan
    with_hole = native(apart)
    assert np.isnan(with_hole[5]).all()
    assert compare(with_hole, truth).tm > 0.9


def test_structures_are_read_again(tmp_path, folded):
    fold, letters = folded[1], "ACDEFGHIKLMNPQRSTVWYACDEFGHIKL"
    for name in ("a.cif", "a.pdb"):
        read = gemmi.read_structure(str(write(tmp_path / name, letters, fold)))
        residues = list(read[0]["A"])
        assert gemmi.one_letter_code([r.name for r in residues]) == letters
        place = [[*residues[3].find_atom(a, "*").pos] for a in ("N", "CA", "C", "CB")]
        np.testing.assert_allclose(place, fold.atoms[3], atol=2e-3)
        assert residues[3]["CA"][0].b_iso == pytest.approx(100 * fold.confidence[3], abs=0.01)
        assert not residues[5].find_atom("CB", "*")  # glycine
    with pytest.raises(UserError, match="no known ending"):
        write(tmp_path / "a.txt", letters, fold)
    with pytest.raises(UserError, match="do not fit"):
        structure("AC", fold, "x")


def test_confidence_is_a_share(folded):
    distogram, fold = folded
    assert (fold.confidence >= 0).all()
    assert (fold.confidence <= 1.001).all()
    far = fold.atoms.copy()
    far[15:] += 3.0
    assert confidence(distogram, far).mean() < fold.confidence.mean()


def test_bad_maps_are_refused():
    with pytest.raises(UserError, match="do not fit"):
        Distogram(np.zeros((3, 4, 12), np.float32), EDGES)
    with pytest.raises(UserError, match="no numbers"):
        Distogram(np.full((3, 3, 12), np.nan, np.float32), EDGES)
    with pytest.raises(UserError, match="4 or more"):
        Folder().fold(Distogram(np.full((3, 3, 12), 1 / 12, np.float32), EDGES))
    with pytest.raises(UserError, match="needed for a structure"):
        native(np.full((9, 9), np.nan, np.float32))


@pytest.mark.mirror
def test_hands_of_real_chains_come_out_right():
    from science.core.datasets import fetch
    from science.proteins.packed import BetaChains

    chains = BetaChains(fetch("proteins/promod3-extra", "chains.npz"))
    for row in range(0, 2000, 40):
        one = chains.chain(row)
        if 50 <= len(one) <= 200:
            made = native(one.distances())
            assert compare(made, one.cb).tm > 0.99, one.name
