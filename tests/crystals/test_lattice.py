"""The log-polar cell: known values, invariances, gradients and accuracy."""

import math

import numpy as np
import pytest
import torch

from science.crystals import lattice


def triclinic(count, seed=0, dtype=torch.float64):
    """Random cells with lengths of 2 to 20 Angstrom and angles that a cell can have."""
    rng = np.random.default_rng(seed)
    lengths, angles = [], []
    while len(lengths) < count:
        alpha, beta, gamma = rng.uniform(30, 150, 3)
        if alpha + beta + gamma < 350 and max(alpha, beta, gamma) * 2 < alpha + beta + gamma - 10:
            lengths.append(rng.uniform(2, 20, 3))
            angles.append([alpha, beta, gamma])
    return torch.tensor(np.array(lengths), dtype=dtype), torch.tensor(angles, dtype=dtype)


def rotations(count, seed=0):
    q, _ = torch.linalg.qr(
        torch.randn(count, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    )
    return q * torch.linalg.det(q)[:, None, None]  # determinant 1


def test_lengths_and_angles_agree_with_pymatgen():
    pymatgen = pytest.importorskip("pymatgen.core.lattice")
    lengths, angles = triclinic(50)
    ours = lattice.from_lengths_angles(lengths, angles)
    for row in range(50):
        theirs = pymatgen.Lattice.from_parameters(*lengths[row].tolist(), *angles[row].tolist())
        np.testing.assert_allclose(ours[row], theirs.matrix, atol=1e-9)
    back = lattice.lengths_angles(ours)
    torch.testing.assert_close(back[0], lengths)
    torch.testing.assert_close(back[1], angles)


def test_stretch_keeps_lengths_angles_and_volume_of_any_cell():
    lengths, angles = triclinic(200)
    rows = lattice.from_lengths_angles(lengths, angles)
    cell = lattice.cell(rows)
    again = lattice.matrix(cell)
    torch.testing.assert_close(again, again.mT)
    torch.testing.assert_close(lattice.lengths_angles(again)[0], lengths)
    torch.testing.assert_close(lattice.lengths_angles(again)[1], angles)
    torch.testing.assert_close(lattice.volume(cell), torch.linalg.det(rows).abs())


def test_coefficients_survive_the_way_there_and_back():
    k = torch.randn(200, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64) / 2
    torch.testing.assert_close(lattice.cell(lattice.matrix(k)), k)


def test_cubic_cell_has_one_number():
    k = lattice.cell(5.0 * torch.eye(3, dtype=torch.float64)[None])
    torch.testing.assert_close(k, torch.tensor([[0, 0, 0, 0, 0, math.log(5.0)]]).double())


def test_tetragonal_cell_has_two():
    k = lattice.cell(torch.diag(torch.tensor([3.0, 3.0, 6.0], dtype=torch.float64))[None])
    assert k[0, :4].abs().max() < 1e-12
    assert k[0, 4] == pytest.approx(-math.log(2) / 3)
    assert k[0, 5] == pytest.approx(math.log(54) / 3)


def test_rotation_and_mirror_image_change_nothing():
    rows = lattice.from_lengths_angles(*triclinic(100))
    k = lattice.cell(rows)
    torch.testing.assert_close(lattice.cell(rows @ rotations(100)), k)
    torch.testing.assert_close(lattice.cell(-rows), k)


def test_renaming_the_axes_keeps_the_volume():
    rows = lattice.from_lengths_angles(*triclinic(20))
    torch.testing.assert_close(lattice.cell(rows)[:, 5], lattice.cell(rows[:, [2, 0, 1]])[:, 5])


def test_gradients_are_right_and_finite_at_a_cubic_cell():
    cubic = 4.0 * torch.eye(3, dtype=torch.float64)[None]
    nearly = cubic + 1e-9 * torch.ones(3, 3)
    general = lattice.from_lengths_angles(*triclinic(3))
    for rows in (cubic, nearly, general):
        torch.autograd.gradcheck(lattice.cell, (rows.clone().requires_grad_(),))
    for k in (torch.zeros(1, 6).double(), torch.randn(4, 6).double()):
        torch.autograd.gradcheck(lattice.matrix, (k.clone().requires_grad_(),))


def test_single_precision_is_kept_and_accurate():
    lengths, angles = triclinic(200, dtype=torch.float32)
    rows = lattice.from_lengths_angles(lengths, angles)
    cell = lattice.cell(rows)
    assert cell.dtype == torch.float32
    seen_lengths, seen_angles = lattice.lengths_angles(lattice.matrix(cell))
    assert ((seen_lengths - lengths) / lengths).abs().max() < 1e-5
    assert (seen_angles - angles).abs().max() < 1e-2


def test_long_needles_and_flat_plates_are_cells_too():
    rows = torch.diag_embed(torch.tensor([[2.0, 2.0, 200.0], [0.5, 80.0, 80.0]]))
    torch.testing.assert_close(
        lattice.lengths_angles(lattice.matrix(lattice.cell(rows)))[0],
        torch.tensor([[2.0, 2.0, 200.0], [0.5, 80.0, 80.0]]),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("row", [[0.0, 0, 0], [math.nan, 0, 0], [math.inf, 0, 0], [0, 2.0, 0]])
def test_no_cell_gives_nan_and_spares_its_neighbours(row):
    good = 3.0 * torch.eye(3)
    bad = good.clone()
    bad[0] = torch.tensor(row)
    k = lattice.cell(torch.stack([good, bad]))
    assert k[0].isfinite().all()
    assert k[1].isnan().all()


def test_impossible_angles_give_nan():
    rows = lattice.from_lengths_angles(torch.ones(1, 3), torch.tensor([[60.0, 60.0, 170.0]]))
    assert rows.isnan().any()
    assert lattice.cell(rows).isnan().all()
