"""Contact maps on disk: CASP's RR text, and L x L matrices as safetensors or npz.

RR (predictioncenter.org/casprol/index.cgi?page=format#RR): a header, the sequence in lines of 50,
then one line a pair, ``i j 0 8 p`` with residues counted from 1; three columns ``i j p`` are read
as well.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from science.core import read_bytes
from science.core.errors import UserError
from science.core.files import atomic, write_text
from science.core.read_bytes import UnreadableError
from science.proteins.alphabet import LETTERS, UNCERTAIN
from science.proteins.contacts import LEAST, Floats32, separated

Format = Literal["safetensors", "npz"]
NAMES = ("probability", "score", "contacts", "map")
PER_RESIDUE = 10  # pairs written to an RR file for each residue
_WIDTH = 50
_HEADS = ("PFRMAT", "TARGET", "AUTHOR", "METHOD", "REMARK", "MODEL", "RMODE")
_RESIDUES = frozenset(LETTERS + UNCERTAIN + "UO-")


@dataclass(frozen=True)
class Map:
    """A contact map from a file.

    Attributes:
        score: (L, L), symmetric; pairs that an RR file leaves out are 0.
        sequence: of the protein, empty if the file does not say.
        name: of the file.
    """

    score: Floats32
    sequence: str = ""
    name: str = ""


def write_rr(
    path: str | Path, sequence: str, probability: NDArray[np.floating], target: str, method: str
) -> None:
    """Write the likeliest pairs at least 6 apart, best first, ten a residue."""
    i, j = separated(len(sequence), LEAST)
    said = np.clip(probability[i, j], 0, 1)
    order = np.argsort(-said, kind="stable")[: PER_RESIDUE * len(sequence)]
    rows = [f"{i[k] + 1} {j[k] + 1} 0 8 {said[k]:.6f}" for k in order]
    lines = [sequence[k : k + _WIDTH] for k in range(0, len(sequence), _WIDTH)]
    head = ["PFRMAT RR", f"TARGET {' '.join(target.split())}", "AUTHOR fifth", f"METHOD {method}"]
    write_text(path, "\n".join([*head, "MODEL 1", *lines, *rows, "END"]) + "\n")


def write_matrix(
    path: str | Path, arrays: Mapping[str, NDArray[np.floating]], sequence: str
) -> None:
    """Write (L, L) arrays by name, as safetensors or npz by the path's ending."""
    whole = {name: np.ascontiguousarray(a, np.float32) for name, a in arrays.items()}
    with atomic(path) as temporary:
        if Path(path).suffix == ".npz":
            letters = np.array(sequence)
            np.savez_compressed(temporary, sequence=letters, **whole)  # type: ignore[arg-type]
        else:
            save_file(whole, temporary, {"sequence": sequence})


def read_map(path: str | Path) -> Map:
    """The map in an RR, safetensors or npz file.

    Raises:
        UserError: the file is unreadable, or holds no square matrix or list of pairs.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f"{path}: no such file", "give a prediction: .rr, .safetensors or .npz")
    if path.suffix == ".safetensors":
        return _from_safetensors(path)
    if path.suffix == ".npz":
        return _from_npz(path)
    try:
        return _from_rr(path, read_bytes.text(read_bytes.content(path)[0]))
    except UnreadableError as problem:
        raise UserError(f"{path}: {problem}", "give an RR file") from None


def _from_safetensors(path: Path) -> Map:
    try:
        with safe_open(path, "numpy") as file:
            name = _named(path, list(file.keys()))
            sequence = (file.metadata() or {}).get("sequence", "")
            return Map(_square(path, file.get_tensor(name)), sequence, path.stem)
    except (SafetensorError, OSError, TypeError) as problem:
        raise UserError(f"{path}: cannot be read ({problem})", "get it again") from None


def _from_npz(path: Path) -> Map:
    try:
        with np.load(path, allow_pickle=False) as file:
            name = _named(path, list(file.files))
            sequence = str(file["sequence"]) if "sequence" in file.files else ""
            return Map(_square(path, file[name]), sequence, path.stem)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as problem:
        raise UserError(f"{path}: cannot be read ({problem})", "get it again") from None


def _named(path: Path, names: list[str]) -> str:
    for name in (*NAMES, *names[:1]):
        if name in names:
            return name
    raise UserError(f"{path}: holds nothing", "give an L x L array called probability")


def _square(path: Path, array: NDArray[np.floating]) -> Floats32:
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.dtype.kind not in "fiu":
        raise UserError(f"{path}: {array.dtype} {array.shape}", "give an L x L array of numbers")
    if not np.isfinite(array).all():
        raise UserError(f"{path}: holds values that are not numbers", "write 0 for unknown pairs")
    whole = array.astype(np.float32)
    return np.asarray((whole + whole.T) / 2, np.float32)


def _from_rr(path: Path, text: str) -> Map:
    sequence: list[str] = []
    pairs: list[tuple[int, int, float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0] in _HEADS:
            continue
        if words[0] == "END":
            break
        if len(words) == 1 and not pairs and set(words[0].upper()) <= _RESIDUES:
            sequence.append(words[0].upper())
            continue
        pairs.append(_pair(path, number, words))
    if not pairs:
        raise UserError(f"{path}: no pairs", "an RR file has lines such as `1 25 0 8 0.9`")
    letters = "".join(sequence)
    length = max(len(letters), max(max(i, j) for i, j, _ in pairs))
    if letters and length > len(letters):
        raise UserError(f"{path}: residue {length} of {len(letters)}", "is it cut short?")
    score = np.zeros((length, length), np.float32)
    for i, j, value in pairs:
        score[i - 1, j - 1] = score[j - 1, i - 1] = value
    return Map(score, letters, path.stem)


def _pair(path: Path, number: int, words: list[str]) -> tuple[int, int, float]:
    try:
        if len(words) not in (3, 5):
            raise ValueError
        i, j, value = int(words[0]), int(words[1]), float(words[-1])
    except ValueError:
        raise UserError(
            f"{path}: line {number} is no pair: {' '.join(words)[:60]!r}",
            "write `i j 0 8 p` or `i j p`",
        ) from None
    if i < 1 or j < 1 or max(i, j) > 100_000 or not np.isfinite(value):
        raise UserError(f"{path}: line {number}: residues {i}, {j}, score {value}", "count from 1")
    return i, j, value
