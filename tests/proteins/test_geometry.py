"""Ideal residues: bond lengths, hand, angles with their signs, and embedding of distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from science.proteins import geometry as g


def helix(length, sign=1.0):
    """C-alphas of an alpha helix: 100 degrees and 1.5 A a residue, 2.3 A from its axis."""
    turn = torch.arange(length) * math.radians(100.0)
    return torch.stack([2.3 * turn.cos(), sign * 2.3 * turn.sin(), 1.5 * torch.arange(length)], -1)


def angle(a, b, c):
    u, v = a - b, c - b
    return math.degrees(torch.acos((u @ v) / u.norm() / v.norm()))


def test_a_residue_has_ideal_bonds_and_the_hand_of_l_amino_acids():
    n, ca, c, cb = g.residue()
    assert float((n - ca).norm()) == pytest.approx(1.458, abs=1e-4)
    assert float((c - ca).norm()) == pytest.approx(1.525, abs=1e-4)
    assert float((cb - ca).norm()) == pytest.approx(1.53, abs=0.03)
    assert angle(n, ca, c) == pytest.approx(111.0, abs=0.01)
    assert angle(n, ca, cb) == pytest.approx(110.0, abs=2.5)
    # The "CORN" rule: seen from H, CO, R and N follow each other clockwise.
    assert float(torch.linalg.cross(n - ca, c - ca) @ (cb - ca)) > 0


def test_quaternions_and_matrices_are_inverse():
    q = torch.randn(3, 5, 4)
    matrix = g.rotation(q)
    torch.testing.assert_close(matrix @ matrix.transpose(-1, -2), torch.eye(3).expand(3, 5, 3, 3))
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(3, 5))
    torch.testing.assert_close(g.rotation(g.quaternion(matrix)), matrix, atol=1e-5, rtol=1e-5)


def test_a_dihedral_has_iupacs_sign():
    a, b, c = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 0, 1.0]])
    for degrees in (-170.0, -57.0, 0.0, 60.0, 120.0):
        turn = math.radians(degrees)
        d = torch.tensor([math.cos(turn), math.sin(turn), 1.0])
        assert math.degrees(g.dihedral(a, b, c, d)) == pytest.approx(degrees, abs=1e-3)


def test_turning_a_backbone_changes_no_torsion_and_mirroring_all_signs():
    ca = helix(12)
    made = g.atoms(g.along(ca), ca)
    phi, psi = g.torsions(made)
    turn = g.rotation(torch.tensor([0.3, -0.2, 0.8, 0.1]))
    again, _ = g.torsions(made @ turn.T + 4.0)
    torch.testing.assert_close(again, phi, atol=1e-4, rtol=1e-4)
    mirrored, _ = g.torsions(made * torch.tensor([1.0, 1.0, -1.0]))
    torch.testing.assert_close(mirrored, -phi, atol=1e-4, rtol=1e-4)
    assert phi.shape == psi.shape == (10,)


def test_residues_are_laid_along_a_trace_with_one_hand():
    for sign in (1.0, -1.0):
        ca = helix(12, sign)
        made = g.atoms(g.along(ca), ca)
        n, a, c, cb = made.unbind(-2)
        hand = (torch.linalg.cross(n - a, c - a) * (cb - a)).sum(-1)
        assert (hand > 1).all()
        ahead = ((c - a)[:-1] * (a[1:] - a[:-1])).sum(-1)
        assert (ahead > 0).all()


def test_distances_give_back_the_points_but_for_their_hand():
    points = torch.randn(20, 3, dtype=torch.double) * 10
    distance = torch.cdist(points, points)
    made = g.embed(distance)
    np.testing.assert_allclose(torch.cdist(made, made), distance, atol=1e-6)


def test_a_carbonyl_oxygen_is_trans_to_the_next_c_alpha_and_in_plane():
    ca = helix(6)
    made = g.atoms(g.along(ca), ca)
    oxygen = g.oxygens(made)
    torch.testing.assert_close((oxygen - made[:, g.C]).norm(dim=-1), torch.full((6,), 1.231))
    flat = g.dihedral(made[:-1, g.CA], oxygen[:-1], made[:-1, g.C], made[1:, g.N])
    away = (flat.abs() - math.pi).abs().minimum(flat.abs())
    assert float(away.max()) < 0.05
