"""The paradigm ladders of all domains keep the same promise."""

from __future__ import annotations

import pytest

from science import paths
from science.core.ladder import FILE, PARADIGMS, row_of

DOMAINS = sorted(p.parent.name for p in paths.PACKAGE.glob(f"*/{FILE}") if p.parent.name != "core")


def test_there_are_rows_to_look_at():
    assert DOMAINS


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_paradigm_has_a_way(domain):
    ways = [cell.paradigm for cell in row_of(domain).cells]
    assert ways == sorted(ways, key=PARADIGMS.index)
    assert set(ways) == set(PARADIGMS)


@pytest.mark.parametrize("domain", DOMAINS)
def test_learning_is_shown_examples_and_theory_and_computing_are_not(domain):
    for cell in row_of(domain).cells:
        assert cell.learns or cell.paradigm != "learn", cell.name
        assert not cell.learns or cell.paradigm not in ("theory", "compute"), cell.name
