"""Homologues by profile: found where there are any, grouped, and not otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.seeds import rng
from science.proteins.alignment import Alignment
from science.proteins.families import Family, families
from science.proteins.homologues import closest, grouped, profiles, relations, search
from science.proteins.relatives import relations as known


def family(name: str, seed: int, rows: int = 20, length: int = 60, changed: float = 0.3) -> Family:
    """Descendants of one ancestor, the seed's."""
    ancestor = rng(seed, "ancestor").integers(0, 20, length)
    draw = rng(seed, "descent", name)
    other = draw.integers(0, 20, (rows, length))
    tokens = np.where(draw.random((rows, length)) < changed, other, ancestor).astype(np.uint8)
    return Family(name, Alignment(tokens), np.full((length, length), np.nan, np.float32))


def test_families_of_one_ancestor_are_related_and_others_are_not() -> None:
    train = [family("a", 1), family("b", 2), family("c", 3), family("d", 3)]
    found = relations(train, [family("t", 1)])
    assert found["a"].target == "t"
    assert found["a"].evalue is not None
    assert found["a"].evalue < 1e-6
    assert [found[name].target for name in "bcd"] == ["", "", ""]
    assert found["c"].group == found["d"].group
    assert len({found[name].group for name in "abc"}) == 3


def test_groups_join_by_any_chain_of_hits() -> None:
    label = grouped(["a", "b", "c", "d"], [("a", "b", 1e-9), ("c", "b", 1e-5)])
    assert label["a"] == label["b"] == label["c"] != label["d"]
    assert len(set(grouped(["a", "b"], []).values())) == 2


def test_the_closest_has_the_least_expectation() -> None:
    assert closest([("a", "x", 1e-3), ("a", "y", 1e-9), ("b", "x", 0.5)]) == {
        "a": ("y", 1e-9),
        "b": ("x", 0.5),
    }


@pytest.mark.mirror
def test_the_table_holds_what_the_search_finds() -> None:
    """A dozen targets against all chains that are said to be for training."""
    targets = families("proteins/psicov")[:6]
    train = families("proteins/promod3-extra")
    hits = search(profiles(targets), train, 1.0)
    table = known()
    assert all(table[name].target for _, name, _ in hits)
    named = {target.name for target in targets}
    said = {name for name, found in table.items() if found.target in named and "|" in name}
    own = search(profiles([f for f in train if f.name in said]), targets, 1e-2)
    assert said <= {name for _, name, _ in hits} | {name for name, _, _ in own}
