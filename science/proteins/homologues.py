"""Which families are related, by profile: what a sequence comparison does not see.

A profile HMM of each family (HMMER by way of pyhmmer; Eddy 2011, PLoS Comput. Biol. 7, e1002195)
is searched against the queries of the others. Two proteins whose sequences share nothing that an
identity threshold would notice may still have one fold and one family, and a network that has seen
the one would be judged on what it remembers.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from science import paths
from science.core.errors import UserError
from science.core.files import write_text
from science.proteins.alphabet import decode
from science.proteins.families import Family

MOST = 1000  # sequences that a profile is made of at most
OF_TEST, FROM_TEST, AMONG = 1e-2, 1.0, 1e-2  # E-values
HEADER = ("family", "relation", "other", "evalue")
TEST, TRAIN = "test", "train"


@dataclass(frozen=True)
class Relations:
    """Families by what they are related to.

    Attributes:
        homologues: names of those related to a test family: nothing may be learned from them.
        relatives: names of those related to another training family: not for validation.
    """

    homologues: frozenset[str] = frozenset()
    relatives: frozenset[str] = frozenset()


Hit = tuple[str, str, float]  # the searched-for family, the one that was found, E-value


def profiles(found: Sequence[Family]) -> list[Any]:
    """A profile HMM of each family, every column of its alignment a match state."""
    from pyhmmer.easel import Alphabet, TextMSA, TextSequence
    from pyhmmer.plan7 import Background, Builder

    alphabet = Alphabet.amino()
    builder, background = Builder(alphabet, symfrac=0.0), Background(alphabet)
    made = []
    for family in found:
        rows = [
            TextSequence(name=str(number), sequence=decode(tokens))
            for number, tokens in enumerate(family.alignment.tokens[:MOST])
        ]
        aligned = TextMSA(name=family.name, sequences=rows).digitize(alphabet)
        made.append(builder.build_msa(aligned, background)[0])
    return made


def search(models: Sequence[Any], found: Sequence[Family], evalue: float) -> list[Hit]:
    """(profile, family, E-value) wherever a profile finds a family's query; not itself."""
    import pyhmmer
    from pyhmmer.easel import Alphabet, TextSequence, TextSequenceBlock

    block = TextSequenceBlock(
        TextSequence(name=f.name, sequence=f.alignment.query.replace("-", "")) for f in found
    ).digitize(Alphabet.amino())
    hits = []
    for top in pyhmmer.hmmsearch(models, block, cpus=1, E=evalue):
        name = str(top.query.name)
        hits += [(name, str(hit.name), float(hit.evalue)) for hit in top if hit.name != name]
    return hits


def relations(train: Sequence[Family], test: Sequence[Family]) -> list[tuple[str, str, str, float]]:
    """Rows (family, ``test`` or ``train``, the closest other family, E-value), closest first.

    A training family counts as a homologue if a test family's profile finds it at E < 1, or if its
    own profile finds a test family at E < 0.01.
    """
    own = profiles(train)
    of_test = [(t, f, e) for f, t, e in search(own, test, OF_TEST)]
    of_test += search(profiles(test), train, FROM_TEST)
    among = search(own, train, AMONG)
    rows = _closest([(f, t, e) for t, f, e in of_test], TEST)
    barred = {name for name, *_ in rows}
    both = [h for a, b, e in among for h in ((a, b, e), (b, a, e)) if not {a, b} & barred]
    return rows + _closest(both, TRAIN)


def write(path: str | Path, rows: Sequence[tuple[str, str, str, float]]) -> None:
    """The rows of `relations` as a table with a header."""
    lines = [",".join(HEADER)]
    lines += [f"{family},{kind},{other},{evalue:.2g}" for family, kind, other, evalue in rows]
    write_text(path, "\n".join(lines) + "\n")


def read(name: str) -> Relations:
    """The relations in ``homologues.csv`` of an experiment, or in a file of one's own.

    Raises:
        UserError: there is no such file, or it is not such a table.
    """
    path = Path(name)
    if path.suffix != ".csv":
        path = paths.EXPERIMENTS / name / "homologues.csv"
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        kinds = {kind: {r["family"] for r in rows if r["relation"] == kind} for kind in (TEST, TRAIN)}
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as problem:
        cure = f"give a table with the columns {', '.join(HEADER)}"
        raise UserError(f"{path}: cannot be read ({problem})", cure) from None
    return Relations(frozenset(kinds[TEST]), frozenset(kinds[TRAIN]))


def _closest(hits: Sequence[Hit], kind: str) -> list[tuple[str, str, str, float]]:
    best: dict[str, tuple[str, float]] = {}
    for name, other, evalue in hits:
        if evalue < best.get(name, ("", float("inf")))[1]:
            best[name] = (other, evalue)
    rows = [(name, kind, other, evalue) for name, (other, evalue) in best.items()]
    return sorted(rows, key=lambda row: (row[3], row[0]))
