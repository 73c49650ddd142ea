"""Crystals that every textbook has, for all tests of the domain."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def salt():
    """Rock salt, conventional cell, 8 atoms."""
    core = pytest.importorskip("pymatgen.core")
    cell = core.Lattice.cubic(5.692)
    return core.Structure.from_spacegroup("Fm-3m", cell, ["Na", "Cl"], [[0] * 3, [0.5] * 3])


@pytest.fixture(scope="session")
def quartz():
    """Alpha quartz, 9 atoms, hexagonal."""
    core = pytest.importorskip("pymatgen.core")
    cell = core.Lattice.hexagonal(4.913, 5.405)
    sites = [[0.47, 0, 2 / 3], [0.413, 0.267, 0.786]]
    return core.Structure.from_spacegroup("P3_221", cell, ["Si", "O"], sites)


@pytest.fixture(scope="session")
def perovskite():
    """Cubic strontium titanate, 5 atoms."""
    core = pytest.importorskip("pymatgen.core")
    sites = [[0.5] * 3, [0] * 3, [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    return core.Structure(core.Lattice.cubic(3.905), ["Sr", "Ti", "O", "O", "O"], sites)


@pytest.fixture(scope="session")
def triclinic():
    """Sodium titanate nitride, a made-up cell whose six parameters all differ."""
    core = pytest.importorskip("pymatgen.core")
    cell = core.Lattice.from_parameters(4.1, 5.3, 6.7, 81.0, 97.0, 108.0)
    sites = [[0.03, 0.12, 0.24], [0.51, 0.43, 0.71], [0.27, 0.83, 0.45], [0.75, 0.2, 0.9]]
    return core.Structure(cell, ["Na", "Ti", "N", "N"], sites)
