"""Finds which families are related, by profile: what a sequence comparison does not see.

A profile HMM of each family (HMMER by way of pyhmmer; Eddy 2011, PLoS Comput. Biol. 7, e1002195)
is searched against the queries of the others. Two proteins whose sequences share nothing that an
identity threshold would notice may still have one fold and one family, and a network that has seen
the one would be judged on what it remembers. `relatives` holds what it found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from science.proteins.alphabet import decode
from science.proteins.families import Family
from science.proteins.relatives import Relation

MOST = 1000  # sequences that a profile is made of at most
OF_TEST, FROM_TEST, AMONG = 1e-2, 1.0, 1e-3  # E-values

Hit = tuple[str, str, float]  # the family whose profile it is, the one that was found, E-value


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
    run: Any = pyhmmer.hmmsearch
    for top in run(models, block, cpus=1, E=evalue):
        name = str(top.query.name)
        hits += [(name, str(hit.name), float(hit.evalue)) for hit in top if hit.name != name]
    return hits


def relations(train: Sequence[Family], test: Sequence[Family]) -> dict[str, Relation]:
    """What each training family is related to.

    It is related to a test family if that one's profile finds it at E < 1, or if its own profile
    finds the test family at E < 0.01. Families whose profiles find each other at E < 0.001 make a
    group (single linkage).
    """
    own = profiles(train)
    of_test = [(family, target, e) for family, target, e in search(own, test, OF_TEST)]
    found = search(profiles(test), train, FROM_TEST)
    nearest = closest(of_test + [(family, target, e) for target, family, e in found])
    label = grouped([family.name for family in train], search(own, train, AMONG))
    return {
        name: Relation(label[name], *nearest.get(name, ("", None)))
        for name in (family.name for family in train)
    }


def closest(hits: Iterable[Hit]) -> dict[str, tuple[str, float]]:
    """The best second of each first, with its E-value."""
    best: dict[str, tuple[str, float]] = {}
    for name, other, evalue in hits:
        if evalue < best.get(name, ("", float("inf")))[1]:
            best[name] = (other, evalue)
    return best


def grouped(names: Sequence[str], hits: Sequence[Hit]) -> dict[str, int]:
    """Number of each name's group, names being joined by any chain of hits."""
    place = {name: number for number, name in enumerate(names)}
    a, b = [place[h[0]] for h in hits], [place[h[1]] for h in hits]
    links = coo_array(([1] * len(hits), (a, b)), shape=(len(names), len(names)))
    _, label = connected_components(links, directed=False)
    return {name: int(number) for name, number in zip(names, label, strict=True)}
