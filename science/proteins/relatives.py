"""Which training families are related to a test target, and which to each other.

``relatives.csv`` has a line for each family of ``proteins/deepcov-list`` and
``proteins/promod3-extra``. It was made with pyhmmer 0.12 (HMMER 3): a profile of every alignment
(its first 1,000 rows, match columns where the query has residues) searched the queries of the other
side. A family is related to a target if the target's profile finds it at E < 1, or its own profile
the target at E < 0.01; both directions are needed, each misses what the other finds. Families whose
profiles find each other at E < 0.001 make a group (single linkage).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("relatives.csv")


@dataclass(frozen=True)
class Relation:
    """What is known of a training family's relatives.

    Attributes:
        group: number that related families share.
        target: the PSICOV target it is closest to; empty if it is related to none.
        evalue: of that.
    """

    group: int
    target: str = ""
    evalue: float | None = None


@cache
def relations() -> dict[str, Relation]:
    """Relations by the family's name."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["family"]: Relation(
                int(row["group"]),
                row["target"],
                float(row["evalue"]) if row["evalue"] else None,
            )
            for row in csv.DictReader(file)
        }


def related(family: str) -> bool:
    """Whether a training family is a homologue of a PSICOV target, and must teach nothing."""
    relation = relations().get(family)
    return relation is not None and bool(relation.target)


def group(family: str) -> str:
    """Name of the group that a family belongs to: itself, if it is not in the table."""
    relation = relations().get(family)
    return family if relation is None else f"group {relation.group}"
