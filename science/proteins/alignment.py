"""An alignment of a protein with its homologues, columns at the query's residues."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.proteins.alphabet import GAP, SIZE, Tokens, decode


@dataclass(frozen=True)
class Alignment:
    """N aligned sequences of L columns.

    Attributes:
        tokens: (N, L) uint8, indices into ``alphabet.ALPHABET``; row 0 is the query.
        names: N names, or none at all where a packed file holds none.
        source: what it was made of, for messages and reports.
        notes: what a reader had to change or assume, one sentence each.
    """

    tokens: Tokens
    names: tuple[str, ...] = ()
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        tokens = self.tokens
        if tokens.dtype != np.uint8 or tokens.ndim != 2 or 0 in tokens.shape:
            raise UserError(
                f"{self.source or 'alignment'}: tokens are {tokens.dtype} {tokens.shape}",
                "an alignment is uint8 (N, L) with at least one row and one column",
            )
        if tokens.max() >= SIZE:
            raise UserError(f"{self.source or 'alignment'}: token {tokens.max()}", "0 to 20")
        if self.names and len(self.names) != len(tokens):
            raise UserError(f"{self.source}: {len(self.names)} names, {len(tokens)} sequences")

    @property
    def depth(self) -> int:
        """N, the number of sequences."""
        return len(self.tokens)

    @property
    def length(self) -> int:
        """L, the number of columns."""
        return int(self.tokens.shape[1])

    @property
    def query(self) -> str:
        """The first sequence."""
        return decode(self.tokens[0])

    def take(self, rows: NDArray[np.int64]) -> Self:
        """These rows; keep 0 first, for it is the query."""
        names = tuple(self.names[row] for row in rows) if self.names else ()
        return replace(self, tokens=self.tokens[rows], names=names)

    def columns(self, start: int, stop: int) -> Self:
        """Columns ``start`` to ``stop``, for crops."""
        return replace(self, tokens=np.ascontiguousarray(self.tokens[:, start:stop]))

    def coverage(self) -> NDArray[np.float64]:
        """(L,) share of sequences with a residue in each column."""
        share: NDArray[np.float64] = (self.tokens != GAP).mean(0)
        return share

    def without_repeats(self) -> Self:
        """The first of each distinct row, in order."""
        view = np.ascontiguousarray(self.tokens).view(f"V{self.length}").ravel()
        _, first = np.unique(view, return_index=True)
        return self.take(np.sort(first))

    def covering(self, least: float) -> Self:
        """Rows with residues in at least this share of the columns, and the query."""
        kept = (self.tokens != GAP).mean(1) >= least
        kept[0] = True
        return self.take(np.flatnonzero(kept))
