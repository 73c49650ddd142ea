"""The matcher: closed forms, what must not matter, and pymatgen itself."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from science.crystals import matcher
from science.crystals.crystals import pack
from science.crystals.matcher import Tolerances, reduce, rms, table


def theirs(one, two):
    found = StructureMatcher(0.3, 0.5, 10).get_rms_dist(one, two)
    return np.nan if found is None else found[0]


def caesium_chloride(a=4.1, shift=0.0):
    return Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5 + shift]])


def perovskite(a=4.0, symbols=("Sr", "Ti", "O")):
    sites = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(a), [symbols[i] for i in (0, 1, 2, 2, 2)], sites)


def shaken(structure, rng, amplitude, strain):
    """Rotated, strained, displaced, translated and renumbered."""
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    cell = structure.lattice.matrix @ (np.eye(3) + rng.normal(0, strain, (3, 3))) @ rotation
    frac = structure.frac_coords + rng.normal(0, amplitude, (len(structure), 3)) / 4 + rng.random(3)
    order = rng.permutation(len(structure))
    return Structure(Lattice(cell), [structure.species[i] for i in order], frac[order])


@pytest.mark.parametrize("shift", [0.01, 0.05, 0.1])
def test_one_site_of_two_moved(shift):
    """Half of the way each, in units of (V / 2)^(1/3)."""
    a = 4.1
    found = rms([caesium_chloride(a, shift)], [caesium_chloride(a)])[0]
    assert found == pytest.approx(shift * a / 2 / (a**3 / 2) ** (1 / 3))


def test_what_must_not_matter(rng):
    one = perovskite()
    for _ in range(5):
        assert rms([shaken(one, rng, 0, 0)], [one])[0] == pytest.approx(0, abs=1e-6)
    larger = one.copy()
    larger.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    assert rms([larger], [one])[0] == pytest.approx(0, abs=1e-6)
    assert rms([perovskite(5.0)], [one])[0] == pytest.approx(0, abs=1e-6)  # volumes are made equal


def test_what_must_matter():
    one = perovskite()
    assert np.isnan(rms([perovskite(symbols=("Sr", "Ti", "S"))], [one])[0])
    assert np.isnan(rms([perovskite(symbols=("Ti", "Sr", "O"))], [one])[0])
    tall = Structure(Lattice.tetragonal(4, 8), one.species, one.frac_coords)
    assert np.isnan(rms([tall], [one])[0])


def test_tolerances_are_those_given():
    one, two = caesium_chloride(shift=0.1), caesium_chloride()
    assert np.isfinite(rms([one], [two])[0])
    assert np.isnan(rms([one], [two], Tolerances(stol=0.05))[0])


def test_agrees_with_pymatgen(rng):
    """Matches and misses, from nearly equal to unrelated, of several lattices."""
    wurtzite = [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.38]]
    originals = [
        perovskite(),
        caesium_chloride(),
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.6), ["Na", "Cl"], [[0] * 3, [0.5] * 3]),
        Structure.from_spacegroup("Fd-3m", Lattice.cubic(3.57), ["C"], [[0, 0, 0]]),
        Structure.from_spacegroup("P6_3mc", Lattice.hexagonal(3.25, 5.2), ["Zn", "O"], wurtzite),
        Structure.from_spacegroup(
            "P4_2/mnm", Lattice.tetragonal(4.6, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
        ),
    ]
    one, two = [], []
    for amplitude, strain in [(0.0, 0.0), (0.2, 0.02), (0.8, 0.05), (1.6, 0.1), (3.0, 0.15)]:
        for structure in originals:
            one += [shaken(structure, rng, amplitude, strain), structure]
            two += [structure, shaken(structure, rng, amplitude, strain)]
    found = rms(one, two)
    expected = np.array([theirs(a, b) for a, b in zip(one, two, strict=True)])
    assert np.isfinite(expected).any()
    assert np.isnan(expected).any()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_ties_are_settled_as_pymatgen_does():
    """Sites half a cell from two others: which is nearest hangs on rounding."""
    one, two = perovskite(), perovskite(symbols=("Ti", "Sr", "O"))
    np.testing.assert_allclose(rms([one, two], [two, one]), [theirs(one, two), theirs(two, one)])


def test_batches_give_the_same(rng):
    structures = [shaken(perovskite(), rng, 0.4, 0.02) for _ in range(4)]
    packed = rms(pack(structures), pack([perovskite()] * 4))
    assert packed == pytest.approx(rms(structures, [perovskite()] * 4), abs=1e-5)
    assert packed == pytest.approx(rms(reduce(structures), reduce([perovskite()] * 4)), abs=1e-5)


def test_processes_give_the_same(rng):
    structures, truth = [shaken(perovskite(), rng, 0.4, 0.02) for _ in range(6)], [perovskite()] * 6
    assert rms(structures, truth, jobs=2).tolist() == rms(structures, truth).tolist()


def test_table_has_a_row_for_each_target():
    found = table([[perovskite(), perovskite(5)], [], [caesium_chloride()]], [perovskite()] * 3)
    assert found.shape == (3, 2)
    assert found[0] == pytest.approx([0, 0], abs=1e-6)
    assert np.isnan(found[1:]).all()


def test_what_cannot_be_compared_does_not_match():
    flat = Structure(Lattice([[4, 0, 0], [4, 0, 0], [0, 0, 4]]), ["Cs", "Cl"], np.zeros((2, 3)))
    missing = Structure(Lattice.cubic(4), ["Cs", "Cl"], [[0, 0, 0], [np.nan, 0, 0]])
    mixed = Structure(Lattice.cubic(4), [{"Cs": 0.5, "Rb": 0.5}, "Cl"], [[0, 0, 0], [0.5] * 3])
    heaped = Structure(Lattice.cubic(4), ["Cs", "Cl"], np.zeros((2, 3)))
    odd = [flat, missing, mixed, heaped]
    assert np.isnan(rms(odd, [caesium_chloride()] * 4)).all()
    assert np.isnan(rms([caesium_chloride()] * 3, odd[:3])).all()


def test_progress_is_told():
    said = []
    rms([perovskite()] * 3, [perovskite()] * 3, tell=lambda *done: said.append(done))
    assert said == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.mirror
def test_agrees_with_pymatgen_on_samples_of_a_model(mirror, rng):
    from science.crystals.crystal_table import reduced_formulas
    from science.crystals.read import table as read

    samples, known = read("crystals/diffcsp-mp-20"), read("crystals/mp-20")
    formulas, names = reduced_formulas(samples.species), reduced_formulas(known.species)
    pairs = [
        (i, j)
        for i in rng.permutation(len(formulas))[:1500]
        for j in np.flatnonzero(names == formulas[i])[:2]
    ][:60]
    one = samples.take(np.array([i for i, _ in pairs])).structures()
    two = known.take(np.array([j for _, j in pairs])).structures()
    expected = np.array([theirs(a, b) for a, b in zip(one, two, strict=True)])
    assert np.isfinite(expected).sum() > 5
    np.testing.assert_allclose(rms(one, two), expected, atol=1e-4)


def test_few_pairs_need_pymatgen(rng, monkeypatch):
    asked = []
    monkeypatch.setattr(matcher, "_asked", lambda *pair: asked.append(pair) or np.nan)
    one = [shaken(perovskite(), rng, 0.4, 0.02) for _ in range(20)]
    assert np.isfinite(rms(one, [perovskite()] * 20)).any()
    assert not asked


@pytest.fixture
def rng():
    return np.random.default_rng(8)
