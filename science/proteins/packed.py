"""Packed families and chains: many in one npz, read without pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.proteins.alignment import Alignment
from science.proteins.alphabet import ALPHABET
from science.proteins.structure import Chain, Floats32, cb_of

_UNKNOWN_DISTANCE = 65535
_UNKNOWN_PLACE = -(2**31)


class Pack:
    """One npz file with the arrays that a kind of pack has.

    Raises:
        UserError: the file cannot be read, or lacks one of ``needs``.
    """

    needs: tuple[str, ...] = ("ids",)

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                missing = [name for name in self.needs if name not in archive.files]
                arrays = {name: archive[name] for name in self.needs if not missing}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as problem:
            raise UserError(f"{self.path}: cannot be read ({problem})", "get it again") from None
        if missing:
            raise UserError(f"{self.path}: has no {', '.join(missing)}", "is it another file?")
        self.arrays: Mapping[str, NDArray[Any]] = arrays
        self.ids: tuple[str, ...] = tuple(map(str, arrays["ids"]))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def row(self) -> dict[str, int]:
        """Row number by id."""
        return {name: row for row, name in enumerate(self.ids)}

    def find(self, name: str) -> int:
        """Row number of that id."""
        if name not in self.row:
            raise UserError(f"{self.path}: no {name!r}", f"it holds {len(self)}, as {self.ids[0]}")
        return self.row[name]


class Families(Pack):
    """Alignments in one file: ``families["1a3a"]``, or all of them by iteration."""

    needs = ("ids", "depth", "length", "alphabet", "msa")

    @cached_property
    def _offset(self) -> NDArray[np.int64]:
        size = self.arrays["depth"].astype(np.int64) * self.arrays["length"]
        offset = np.concatenate([[0], np.cumsum(size)])
        if offset[-1] != len(self.arrays["msa"]) or "".join(self.arrays["alphabet"]) != ALPHABET:
            raise UserError(f"{self.path}: sizes or alphabet do not fit", "get the file again")
        return offset

    def __getitem__(self, name: str) -> Alignment:
        row = self.find(name)
        depth, length = int(self.arrays["depth"][row]), int(self.arrays["length"][row])
        flat = self.arrays["msa"][self._offset[row] : self._offset[row + 1]]
        return Alignment(flat.reshape(depth, length), source=f"{self.path.name}/{name}")

    def __iter__(self) -> Iterator[tuple[str, Alignment]]:
        for name in self.ids:
            yield name, self[name]


class Distances(Pack):
    """C-beta distance maps: ``labels["1a3a"]`` is (L, L) [Angstrom], ``nan`` where unknown."""

    needs = ("ids", "length", "seq", "coverage", "source", "upper_triangle_decidist")

    @cached_property
    def _offset(self) -> NDArray[np.int64]:
        length = self.arrays["length"].astype(np.int64)
        return np.concatenate([[0], np.cumsum(length * (length - 1) // 2)])

    def __getitem__(self, name: str) -> Floats32:
        row = self.find(name)
        length = int(self.arrays["length"][row])
        flat = self.arrays["upper_triangle_decidist"][self._offset[row] : self._offset[row + 1]]
        values = np.where(flat == _UNKNOWN_DISTANCE, np.nan, flat / np.float32(10))
        distance = np.zeros((length, length), np.float32)
        distance[np.triu_indices(length, 1)] = values
        return distance + distance.T

    def sequence(self, name: str) -> str:
        """The target's whole sequence."""
        return str(self.arrays["seq"][self.find(name)])

    def coverage(self, name: str) -> float:
        """Share of residues with a position."""
        return float(self.arrays["coverage"][self.find(name)])


class BetaChains(Pack):
    """ProMod3's chains: sequences and C-beta; rows also by number, as packed families name them."""

    needs = ("ids", "offset", "size", "seq", "cb_centiangstrom")

    def chain(self, row: int) -> Chain:
        """The chain of a row."""
        start = int(self.arrays["offset"][row])
        inside = slice(start, start + int(self.arrays["size"][row]))
        sequence = self.arrays["seq"][inside].tobytes().decode("ascii")
        cb = (self.arrays["cb_centiangstrom"][inside] / 100).astype(np.float32)
        return Chain(self.ids[row], sequence, cb, source=f"{self.path.name}/{self.ids[row]}")

    def __getitem__(self, name: str) -> Chain:
        return self.chain(self.find(name))

    def of_family(self, family: str) -> Chain:
        """The chain that a family's query is: ``1A32A|9`` by its row, ``1ahsA0`` by its code."""
        code, _, row = family.partition("|")
        if row:
            return self.chain(int(row))
        return self[f"{code[:4].upper()}_{code[4]}"]


class AtomChains(Pack):
    """Chains with their backbone: PDownB (with C-beta) and cgdms (without).

    Ids repeat in neither; PDownB's chain letter stands in its array ``chain``.
    """

    needs = ("ids", "seq", "offset", "atoms", "xyz_milliangstrom")

    def __getitem__(self, name: str) -> Chain:
        row = self.find(name)
        start, stop = (int(v) for v in self.arrays["offset"][row : row + 2])
        raw = self.arrays["xyz_milliangstrom"][start:stop]
        xyz = np.where(raw == _UNKNOWN_PLACE, np.nan, raw / 1000).astype(np.float32)
        sequence = str(self.arrays["seq"][row])
        atoms = [str(atom) for atom in self.arrays["atoms"]]
        backbone = np.full((len(sequence), 4, 3), np.nan, np.float32)
        for place, atom in enumerate(("N", "CA", "C", "O")):
            if atom in atoms:
                backbone[:, place] = xyz[:, atoms.index(atom)]
        given = xyz[:, atoms.index("CB")] if "CB" in atoms else None
        cb = cb_of(sequence, backbone, given)
        return Chain(name, sequence, cb, backbone, f"{self.path.name}/{name}")
