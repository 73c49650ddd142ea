"""De novo measures, the whole evaluation, and other people's samples."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from science.core.errors import UserError
from science.crystals import dng_metrics
from science.crystals.evaluate import evaluate
from science.crystals.read_entry import Entry


def salt(a=5.6, one="Na", two="Cl"):
    return Structure(
        Lattice.cubic(a).matrix @ (np.ones((3, 3)) - np.eye(3)) / 2,
        [one, two],
        [[0, 0, 0], [0.5, 0.5, 0.5]],
    )


def test_wasserstein_of_a_shift_is_the_shift():
    values = np.random.default_rng(0).normal(size=500)
    found = dng_metrics.distances({"density": values + 2}, {"density": values}, resamples=0)
    assert found["density_distance"].value == pytest.approx(2)
    assert found["density_distance"].n == 500


def test_a_draw_is_repeatable_and_of_the_size():
    values = np.random.default_rng(0).normal(size=3000)
    one, two = (dng_metrics.distances({"e": values}, {"e": values}, resamples=20) for _ in "ab")
    assert one == two
    assert one["e_distance"].n == 1000
    assert one["e_distance"].value < 0.1


def test_coverage_of_itself_is_whole_and_of_others_none():
    cutoffs = dng_metrics.CUTOFFS["mp-20"]
    same = dng_metrics.coverage([salt(), salt(6.0)], [salt()], cutoffs)
    assert same["coverage_recall"].value == same["coverage_precision"].value == 1
    caesium = Structure(Lattice.cubic(4.1), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    half = dng_metrics.coverage([salt()], [salt(), caesium], dng_metrics.CUTOFFS["perov-5"])
    assert half["coverage_recall"].value == 0.5


def test_bad_rows_are_counted_and_stop_nothing():
    overlapping = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.01]])
    missing = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [np.nan, 0, 0.5]])
    flat = Structure(Lattice([[4, 0, 0], [4, 0, 0], [0, 0, 4]]), ["Na"], [[0, 0, 0]])
    noble = Structure(Lattice.cubic(5), ["He", "Ne"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    entries = [
        Entry("good", salt(5.7)),
        Entry("unread", None, "no cell"),
        Entry("overlapping", overlapping),
        Entry("missing", missing),
        Entry("flat", flat),
        Entry("noble", noble),
    ]
    said = []
    found = evaluate(entries, [("ref", salt())], resamples=20, tell=lambda *a: said.append(a))
    table = found.table.set_index("name")
    assert table.index.tolist() == ["good", "unread", "overlapping", "missing", "flat", "noble"]
    assert table.valid.tolist() == [True] + [False] * 5
    assert table.problem["unread"] == "no cell"
    assert "apart" in table.problem["overlapping"]
    assert "not numbers" in table.problem["missing"]
    assert "volume" in table.problem["flat"] or "cubic" in table.problem["flat"]
    assert "He" in table.problem["noble"]
    assert table.matched["good"] == "ref"
    assert table.rms["good"] < 1e-6
    metrics = found.metrics["rows"][0]["metrics"]
    assert metrics["valid"]["value"] == pytest.approx(1 / 6)
    assert metrics["matched"]["value"] > 0
    assert said[-1][0] == "matching"


def test_large_cells_pass():
    large = salt()
    large.make_supercell([5, 5, 10])
    assert len(large) == 500
    found = evaluate([Entry("large", large)], [("ref", salt())], resamples=0)
    assert found.table.rms[0] < 1e-6


def test_energies_are_compared_if_given():
    found = evaluate(
        [Entry("a", salt())], [("r", salt())], energies=lambda s: np.ones(len(s)), resamples=0
    )
    assert found.metrics["rows"][0]["metrics"]["energy_distance"]["value"] == 0


def test_nothing_given():
    with pytest.raises(UserError):
        evaluate([], [("r", salt())])
    with pytest.raises(UserError):
        evaluate([Entry("a", salt())], [])


@pytest.mark.mirror
def test_published_samples_give_the_published_numbers(mirror):
    """DiffCSP (Jiao et al. 2023): 83.25 % valid by SMACT, and 0.340 for the number of elements."""
    from science.crystals.read import structures, table

    samples = table("crystals/diffcsp-mp-20")
    some = samples.take(np.random.default_rng(5).permutation(len(samples))[:800])
    entries = [Entry(*pair) for pair in zip(some.id, some.structures(), strict=True)]
    reference = structures("crystals/mp-20", "test")
    found = evaluate(entries, reference[::6], resamples=100)
    metrics = found.metrics["rows"][0]["metrics"]
    assert metrics["valid_structure"]["value"] > 0.995
    assert metrics["valid_composition"]["low"] < 0.8325 < metrics["valid_composition"]["high"]
    assert metrics["elements_distance"]["value"] == pytest.approx(0.340, abs=0.08)
