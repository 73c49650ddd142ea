"""Crystals as graphs: the same neighbours as pymatgen's, and nothing lost on the way back."""

import numpy as np
import pytest
import torch

pytest.importorskip("pymatgen.core")
pytest.importorskip("torch_geometric")

from pymatgen.core import Lattice, Structure

from science.core.errors import UserError
from science.crystals.pyg import edge_vectors, from_data, neighbours, to_data


def random_structure(seed, atoms, low=2.0, high=9.0):
    rng = np.random.default_rng(seed)
    angles = rng.uniform(55, 125, 3)
    while sum(angles) > 340 or 2 * max(angles) > sum(angles) - 20:
        angles = rng.uniform(55, 125, 3)
    cell = Lattice.from_parameters(*rng.uniform(low, high, 3), *angles)
    return Structure(cell, ["Si"] * atoms, rng.uniform(-1.5, 2.5, (atoms, 3)))


def edges(centre, neighbour, shift, distance):
    shift = np.asarray(shift).round().astype(int)
    rows = zip(centre, neighbour, *shift.T, np.asarray(distance).round(5), strict=True)
    return sorted(tuple(map(float, row)) for row in rows)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("cutoff", [1.5, 4.0, 7.0])
def test_neighbours_are_those_of_pymatgen(seed, cutoff):
    structure = random_structure(seed, atoms=1 + seed % 7)
    theirs = structure.get_neighbor_list(cutoff, exclude_self=True)
    frac = torch.tensor(structure.frac_coords)
    ours = neighbours(frac, torch.tensor(structure.lattice.matrix.copy()), cutoff)
    assert edges(*(part.numpy() for part in ours)) == edges(*theirs)


def test_a_thin_cell_sees_many_of_its_own_images():
    structure = Structure(Lattice.from_parameters(0.9, 9, 9, 90, 90, 90), ["H"], [[0, 0, 0]])
    data = to_data(structure, 4.0)
    assert sorted(data.edge_shift[:, 0].tolist()) == [-4, -3, -2, -1, 1, 2, 3, 4]


def test_coordination_of_rock_salt(salt):
    data = to_data(salt, salt.lattice.a / 2)  # exactly the distance of the nearest
    assert data.edge_index.shape == (2, 8 * 6)
    assert torch.bincount(data.edge_index[1]).tolist() == [6] * 8
    assert (data.z[data.edge_index[0]] != data.z[data.edge_index[1]]).all()


def test_large_cells_are_done_in_parts(salt, monkeypatch):
    whole = to_data(salt * (2, 2, 2), 5.0)
    monkeypatch.setattr("science.crystals.pyg._AT_ONCE", 5000)
    parts = to_data(salt * (2, 2, 2), 5.0)
    assert torch.equal(whole.edge_index, parts.edge_index)
    assert torch.equal(whole.edge_shift, parts.edge_shift)


def test_500_atoms(salt):
    data = to_data(salt * (4, 4, 4), 3.0)
    assert data.edge_index.shape == (2, 512 * 6)


def test_lengths_are_those_of_the_vectors(triclinic):
    data = to_data(triclinic, 5.0)
    torch.testing.assert_close(edge_vectors(data).norm(dim=-1), data.edge_length)


def test_every_edge_has_its_opposite(triclinic):
    data = to_data(triclinic, 5.0)
    vectors = edge_vectors(data)
    torch.testing.assert_close(vectors.sum(0), torch.zeros(3), atol=1e-3, rtol=0)
    there = {
        (*pair, *shift)
        for pair, shift in zip(data.edge_index.T.tolist(), data.edge_shift.tolist(), strict=True)
    }
    assert {(b, a, -x, -y, -z) for a, b, x, y, z in there} == there


def test_batches_of_pyg_keep_every_graph_as_it_was(salt, quartz, perovskite):
    from torch_geometric.loader import DataLoader

    graphs = [to_data(s, 4.0, y=float(i)) for i, s in enumerate((salt, quartz, perovskite))]
    batch = next(iter(DataLoader(graphs, batch_size=3)))
    assert batch.y.tolist() == [0, 1, 2]
    assert batch.cell.shape == (3, 3, 3)
    torch.testing.assert_close(edge_vectors(batch).norm(dim=-1), batch.edge_length)
    torch.testing.assert_close(edge_vectors(batch), torch.cat([edge_vectors(g) for g in graphs]))


def test_structures_come_back(salt, quartz, perovskite, triclinic):
    for before in (salt, quartz, perovskite, triclinic):
        after = from_data(to_data(before, 3.0))
        assert after.atomic_numbers == before.atomic_numbers
        np.testing.assert_allclose(after.lattice.matrix, before.lattice.matrix, atol=1e-5)
        np.testing.assert_allclose(after.cart_coords, before.cart_coords, atol=1e-5)


def test_gradients_reach_places_and_cell(perovskite):
    data = to_data(perovskite, 4.0)
    data.pos.requires_grad_()
    data.cell.requires_grad_()
    edge_vectors(data).square().sum().backward()
    assert data.pos.grad.isfinite().all()
    assert data.cell.grad.abs().sum() > 0


def test_a_lone_atom_has_no_edges_and_mistakes_are_named(salt):
    lone = Structure(Lattice.cubic(20), ["He"], [[0, 0, 0]])
    assert to_data(lone, 3.0).edge_index.shape == (2, 0)
    with pytest.raises(UserError, match="cutoff of 0"):
        to_data(salt, 0)
    mixed = Structure(Lattice.cubic(4), [{"Fe": 0.5, "Ni": 0.5}], [[0, 0, 0]])
    with pytest.raises(UserError, match="disordered"):
        to_data(mixed, 3.0)
    data = to_data(salt, 3.0)
    del data.cell
    with pytest.raises(UserError, match="no cell"):
        from_data(data)
