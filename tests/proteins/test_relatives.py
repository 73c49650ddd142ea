"""Who is kept out of training, and who shares a group."""

from __future__ import annotations

from science.proteins.relatives import group, related, relations


def test_known_relatives_of_test_targets_are_named():
    assert relations()["1vqoS0"].target == "1i4j"  # E = 2e-17 by MMseqs2 as well
    assert related("1vqoS0")
    assert not related("1ahsA0")
    removed = [r for r in relations().values() if r.target]
    assert len(removed) == 83
    assert all(r.evalue is not None and r.evalue < 1 for r in removed)


def test_groups_hold_relatives_together_and_not_everybody():
    sizes = {}
    for relation in relations().values():
        sizes[relation.group] = sizes.get(relation.group, 0) + 1
    assert sum(sizes.values()) == 1748
    assert max(sizes.values()) == 52
    assert len(sizes) == 1170
    assert group("nobody has heard of it") == "nobody has heard of it"
    assert group("1ahsA0").startswith("group ")
