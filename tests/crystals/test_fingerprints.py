"""Fingerprints against definitions and known environments."""

import numpy as np
import pytest
from pymatgen.core import Composition, Lattice, Structure

from science.crystals import fingerprints


@pytest.fixture(scope="module")
def salt():
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.6), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ).get_primitive_structure()


def test_rock_salt_is_octahedral(salt):
    vector = fingerprints.structure(salt)
    assert vector.shape == (61,)
    before = {1: 2, 2: 6, 3: 4, 4: 6, 5: 4}  # weight and shapes of fewer neighbours
    place = sum(before.values())
    weight, flat, octahedral, pyramid = vector[place : place + 4]
    assert weight == pytest.approx(1, abs=0.05)
    assert octahedral > 0.95 > 0.6 > max(flat, pyramid)


def test_what_must_not_matter_does_not(salt):
    larger = salt.copy()
    larger.make_supercell([1, 1, 2])
    vector = fingerprints.structure(salt)
    assert fingerprints.structure(larger) == pytest.approx(vector, abs=1e-6)
    shifted = salt.copy().translate_sites([0, 1], [0.3, 0.1, 0.7])
    assert fingerprints.structure(shifted) == pytest.approx(vector, abs=1e-6)


def test_no_neighbours_is_no_error():
    alone = Structure(Lattice.cubic(50), ["He"], [[0, 0, 0]])
    found = fingerprints.structures([alone])
    assert found.shape == (1, 61)
    assert np.isnan(found).all() or np.isfinite(found).all()


def test_magpie_by_hand():
    vector = fingerprints.compositions([Composition("NaCl3")])[0]
    assert vector.shape == (132,)
    mean = (11 + 3 * 17) / 4
    deviation = (mean - 11 + 3 * (17 - mean)) / 4
    assert vector[:6] == pytest.approx([11, 17, 6, mean, deviation, 17])


def test_of_equally_many_the_least_is_the_mode():
    assert fingerprints.compositions([Composition("NaCl")])[0, 5] == 11


def test_scale_fills_what_is_missing():
    scale = fingerprints.scale(np.array([[1.0, 5.0], [3.0, 5.0]]))
    assert scale(np.array([[2.0, 6.0], [4.0, np.nan]])).tolist() == [[0, 1], [2, 0]]


def test_what_was_asked_before_is_read_and_a_torn_file_made_anew(salt, tmp_path, monkeypatch):
    first = fingerprints.remembered(salt, tmp_path)
    (file,) = tmp_path.rglob("*.npy")
    with monkeypatch.context() as patch:
        patch.setattr(fingerprints, "structure", lambda one: pytest.fail("asked again"))
        assert (fingerprints.remembered(salt, tmp_path) == first).all()
    file.write_bytes(file.read_bytes()[:90])
    assert (fingerprints.remembered(salt, tmp_path) == first).all()
    moved = salt.copy().translate_sites([0], [0.01, 0, 0])
    fingerprints.remembered(moved, tmp_path)
    assert len(list(tmp_path.rglob("*.npy"))) == 2
