"""Two names for data: one for its bytes, one for what it says however it is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.provenance.canonical import identify
from science.core.samples import Samples

_BLOCK = 1 << 27  # bytes that are looked at together


def byte_id(files: Mapping[str, str]) -> str:
    """Digest over names and SHA-256 of files."""
    return identify(dict(files))


def semantic_id(data: Any) -> str | None:
    """Digest over what ``data`` says: names, shapes, kinds of number and values.

    Takes samples, an xarray dataset (recognised by its ``data_vars``), a mapping of arrays, and
    anything with a method ``semantic_id``. The file format, chunks, compression, byte order and
    order of variables do not matter. ``None`` for what it cannot look into.
    """
    own = getattr(data, "semantic_id", None)
    if callable(own):
        return str(own())
    if isinstance(data, Samples):
        return _digest(_samples(data))
    if hasattr(data, "data_vars") and hasattr(data, "variables"):
        return _digest(_dataset(data))
    if isinstance(data, Mapping):
        return _digest((str(name), _Array(np.asarray(data[name]))) for name in sorted(data))
    return None


def split_ids(samples: Samples) -> dict[str, str]:
    """Of each split, a digest over the names of its samples, in any order: leaks show in it."""
    found = {}
    for name in sorted(map(str, np.unique(samples.split))):
        inside = sorted(map(str, samples.id[samples.split == name]))
        found[name] = hashlib.sha256("\n".join(inside).encode()).hexdigest()
    return found


class _Array:
    """An array that is read in blocks along its first axis, and what else belongs to it."""

    def __init__(self, values: Any, *about: Any) -> None:
        self.values, self.about = values, about

    def blocks(self) -> Iterator[NDArray[Any]]:
        size = int(getattr(self.values, "nbytes", 0))
        if not getattr(self.values, "ndim", 0) or size <= _BLOCK:
            yield np.asarray(self.values)
            return
        rows = max(1, len(self.values) * _BLOCK // size)
        for start in range(0, len(self.values), rows):
            yield np.asarray(self.values[start : start + rows])


def _samples(samples: Samples) -> Iterator[tuple[str, _Array]]:
    columns = {f"input {name}": array for name, array in samples.inputs.items()}
    columns |= {"id": samples.id, "group": samples.group, "split": samples.split}
    answer = samples.answer
    columns |= {} if answer is None else {"answer": answer}
    columns |= {} if samples.size is None else {"size": samples.size}
    yield from ((name, _Array(columns[name])) for name in sorted(columns))


def _dataset(dataset: Any) -> Iterator[tuple[str, _Array]]:
    for name in sorted(map(str, dataset.variables)):
        variable = dataset[name].variable
        about = (list(map(str, variable.dims)), str(variable.attrs.get("units", "")))
        yield name, _Array(variable, *about)


def _digest(columns: Iterable[tuple[str, _Array]]) -> str:
    state = hashlib.sha256()
    for name, column in columns:
        shape = list(getattr(column.values, "shape", ()))
        kind = ""
        inner = hashlib.sha256()
        for block in column.blocks():
            kind, raw = _plain(block)
            inner.update(raw)
        head = json.dumps([name, shape, kind, *column.about], ensure_ascii=True)
        state.update(f"{head}\0{inner.hexdigest()}\n".encode())
    return state.hexdigest()


def _plain(array: NDArray[Any]) -> tuple[str, bytes]:
    """Kind and little-endian bytes, with one NaN, one zero, times in ns and texts as JSON."""
    if array.dtype.kind in "mM":
        array = array.astype(f"{array.dtype.kind}8[ns]").view("i8")
        return "time", np.ascontiguousarray(array.astype("<i8")).tobytes()
    if array.dtype.kind in "USO":
        texts = [t.decode() if isinstance(t, bytes) else str(t) for t in array.ravel().tolist()]
        return "text", json.dumps(texts, ensure_ascii=True).encode() + b"\n"
    plain = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=True))
    if plain.dtype.kind == "f":
        plain[np.isnan(plain)] = np.nan
        plain += 0.0  # minus zero says what zero says
    return plain.dtype.str, plain.tobytes()
