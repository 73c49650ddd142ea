"""Phases of large cells on the hull: two scales of energies become one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from science.crystals import known, larger
from science.crystals.hull import Hull

METALS = {"Na": -1.5, "K": -1.6, "Rb": -1.7}


@pytest.fixture
def lists(monkeypatch):
    """A list that is off by 0.4 eV for each Se, and knows one large cell."""
    pairs = [(f"{a}{x}", e) for a, e in METALS.items() for x in ("Cl", "Se")]
    salts = dict(pairs)
    here = pd.DataFrame(pairs, columns=["formula", "formation_energy_per_atom"])
    here["material_id"], here["e_above_hull"] = here["formula"], 0.0
    old = {f: e + 0.2 * ("Se" in f) for f, e in salts.items()}
    index = {"mbid": [f"i{i}" for i in range(8)], "composition": [*old, "Na10K10Se20", "Na1K1Se2"]}
    index["e_form"] = [*old.values(), -1.6, -9.0]  # the last is small
    monkeypatch.setattr(known, "hull_entries", lambda card="": here)
    monkeypatch.setattr(known, "known_index", lambda card="": pd.DataFrame(index))
    for made in (larger.shifts, larger.larger):
        made.cache_clear()
    yield
    for made in (larger.shifts, larger.larger):
        made.cache_clear()


def test_differences_of_two_schemes_are_found_by_element(lists):
    found = larger.shifts()
    assert found.of["Se"] - found.of["Cl"] == pytest.approx(-0.4, abs=1e-6)
    assert np.abs(found.residual).max() < 1e-6


def test_only_large_cells_are_taken_and_on_the_scale_of_the_hull(lists):
    (phase,) = larger.larger()
    assert phase.formula == "Na10K10Se20"
    assert phase.e_form == pytest.approx(-1.8 + larger.MARGIN, abs=1e-6)
    assert Hull.known().above("NaKSe2", -1.5).e_hull == pytest.approx(0.05, abs=1e-9)
    assert Hull.known(larger=True).above("NaKSe2", -1.5).e_hull == pytest.approx(0.27, abs=1e-6)


@pytest.mark.mirror
def test_real_lists_agree_once_they_are_on_one_scale(mirror):
    found = larger.shifts()
    assert np.median(np.abs(found.residual)) < 0.004  # eV/atom
    assert np.mean(np.abs(found.residual) < 0.05) > 0.94
    # The corrections that MP2020 has for these anions and its predecessor had not.
    for element, correction in {"Se": -0.472, "Te": -0.422, "Br": -0.534, "I": -0.379}.items():
        assert found.of[element] == pytest.approx(correction, abs=0.03)
    assert len(larger.larger()) > 40_000
