"""The twenty amino acids and the gap as small numbers.

Letters outside the twenty: U (selenocysteine) and O (pyrrolysine) count as the C and K they derive
from. B, Z, J and X say that the residue is uncertain; they become gaps, since a gap is what every
model here already takes for "no residue known".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError

LETTERS = "ARNDCQEGHILKMFPSTWYV"
ALPHABET = LETTERS + "-"
GAP = 20
SIZE = 21
GAPS = "-._~"
UNCERTAIN = "BZJX"
_PARENT = {"U": "C", "O": "K"}

Tokens = NDArray[np.uint8]

UNKNOWN = 255  # what no sequence may hold: digits, punctuation


def _table() -> Tokens:
    table = np.full(256, UNKNOWN, np.uint8)
    for token, letter in enumerate(LETTERS):
        table[ord(letter)] = table[ord(letter.lower())] = token
    for letter, parent in _PARENT.items():
        table[ord(letter)] = table[ord(letter.lower())] = LETTERS.index(parent)
    for letter in UNCERTAIN + UNCERTAIN.lower() + GAPS:
        table[ord(letter)] = GAP
    return table


_TOKEN = _table()
_LETTER = np.frombuffer(ALPHABET.encode(), np.uint8)


def lookup(letters: Tokens) -> Tokens:
    """Tokens of letters given as bytes; `UNKNOWN` for what is no residue and no gap."""
    tokens: Tokens = _TOKEN[letters]
    return tokens


def encode(sequence: str) -> Tokens:
    """(L,) tokens of a sequence; lower case counts as upper, dots as gaps.

    Raises:
        UserError: a character is no residue and no gap.
    """
    raw = np.frombuffer(sequence.encode("latin-1", errors="replace"), np.uint8)
    tokens = lookup(raw)
    bad = np.flatnonzero(tokens == UNKNOWN)
    if len(bad):
        found = sequence[int(bad[0])]
        raise UserError(
            f"{found!r} at position {bad[0] + 1} is no residue",
            f"sequences are made of {LETTERS}, {UNCERTAIN}UO and gaps",
        )
    return tokens


def decode(tokens: Tokens) -> str:
    """The sequence of (L,) tokens."""
    return _LETTER[tokens].tobytes().decode()
