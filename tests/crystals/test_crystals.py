"""A batch of crystals: what goes in comes out, and what cannot go in is named."""

import numpy as np
import pytest
import torch

pytest.importorskip("pymatgen.core.structure")

from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import DummySpecies, Lattice, Structure

from science.core.errors import UserError
from science.crystals.crystals import Crystals, pack, unpack, wrap


def salt():
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.69), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    )


def quartz():
    cell = Lattice.hexagonal(4.913, 5.405)
    sites = [[0.47, 0, 2 / 3], [0.413, 0.267, 0.786]]
    return Structure.from_spacegroup("P3_221", cell, ["Si", "O"], sites)


def test_batch_has_the_shapes_it_says():
    batch = pack([salt(), quartz()])
    assert batch.species.shape == (2, 9)
    assert batch.species.dtype == torch.int64
    assert batch.frac.shape == (2, 9, 3)
    assert batch.frac.dtype == batch.cell.dtype == torch.float32
    assert batch.count.tolist() == [8, 9]
    assert batch.mask.tolist() == [[True] * 8 + [False], [True] * 9]
    assert batch.species[0].tolist() == [11] * 4 + [17] * 4 + [0]
    assert pack([salt()], size=20).species.shape == (1, 20)
    assert pack([]).species.shape == (0, 0)


def test_structures_come_back():
    for before, after in zip([salt(), quartz()], unpack(pack([salt(), quartz()])), strict=True):
        assert after.atomic_numbers == before.atomic_numbers
        np.testing.assert_allclose(after.lattice.parameters, before.lattice.parameters, rtol=1e-5)
        np.testing.assert_allclose(after.distance_matrix, before.distance_matrix, atol=1e-4)
        assert StructureMatcher().fit(before, after)


def test_orientation_is_forgotten():
    turned = salt()
    turned.lattice = Lattice(
        salt().lattice.matrix @ Lattice.from_parameters(1, 1, 1, 90, 90, 90).matrix[[1, 2, 0]]
    )
    torch.testing.assert_close(pack([turned]).cell, pack([salt()]).cell)


def test_rows_can_be_taken():
    batch = pack([salt(), quartz(), salt()]).take([2, 0])
    assert isinstance(batch, Crystals)
    assert batch.count.tolist() == [8, 8]


def test_wrapping_never_gives_one():
    frac = torch.tensor([-1e-9, 1.0, 0.25, -0.25, 7.0, 0.99999999])
    assert wrap(frac).tolist() == [0.0, 0.0, 0.25, 0.75, 0.0, 0.0]


def test_charges_and_isotopes_are_elements():
    lattice = Lattice.cubic(4)
    batch = pack([Structure(lattice, ["Fe3+", "D"], [[0, 0, 0], [0.5] * 3])])
    assert batch.species.tolist() == [[26, 1]]


def test_what_cannot_be_packed_is_named():
    cell, at = Lattice.cubic(4), [[0, 0, 0]]
    flat = Lattice([[1, 0, 0], [2, 0, 0], [0, 0, 1]])
    bad = {
        "disordered": Structure(cell, [{"Fe": 0.5, "Ni": 0.5}], at),
        "no element": Structure(cell, [DummySpecies("X")], at),
        "not numbers": Structure(cell, ["Fe"], [[np.nan, 0, 0]]),
        "without volume": Structure(flat, ["Fe"], at),
        "no atoms": Structure(cell, [], []),
    }
    for words, structure in bad.items():
        with pytest.raises(UserError, match=f"structure 1.*{words}"):
            pack([salt(), structure])
    with pytest.raises(UserError, match="8 atoms, more than 4"):
        pack([salt()], size=4)
