"""TensorFlow's record files, read without TensorFlow.

A record is: length (uint64), its masked CRC-32C, the bytes, their masked CRC-32C, little-endian.
The bytes are here a ``tf.train.Example``: a protocol buffer of names and lists.

Source: tensorflow/core/lib/io/record_writer.h and tensorflow/core/example/feature.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError

Feature = NDArray[Any] | list[bytes]

_CURE = "the file is damaged; download it again"


_CRC = list(range(256))  # table of the Castagnoli polynomial, bits reversed
for _ in range(8):
    _CRC = [(value >> 1) ^ (0x82F63B78 if value & 1 else 0) for value in _CRC]


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) of ``data``; RFC 3720 appendix B.4 has examples."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    """CRC-32C rotated and shifted, as record files store it."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(path: str | Path) -> Iterator[bytes]:
    """The records of one file in order; a damaged or truncated one ends in a `UserError`."""
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        while head := file.read(12):
            at = f"{path}: record at byte {file.tell() - len(head)}"
            if len(head) < 12 or masked(head[:8]) != struct.unpack("<I", head[8:])[0]:
                raise UserError(f"{at} does not begin as a record", _CURE)
            (length,) = struct.unpack("<Q", head[:8])
            if file.tell() + length + 4 > size:
                raise UserError(f"{at} is cut short", _CURE)
            data, check = file.read(length), file.read(4)
            if masked(data) != struct.unpack("<I", check)[0]:
                raise UserError(f"{at} fails its checksum", _CURE)
            yield data


def examples(path: str | Path) -> Iterator[dict[str, Feature]]:
    """The ``tf.train.Example`` of each record: name to float32 or int64 array, or list of bytes."""
    for number, data in enumerate(records(path)):
        try:
            yield _example(data)
        except (LookupError, ValueError, OverflowError):
            problem = f"{path}: record {number} is not a tf.train.Example"
            raise UserError(problem, "check that this is the file the card names") from None


def _example(data: bytes) -> dict[str, Feature]:
    entries = [dict(_fields(entry)) for _, group in _fields(data) for _, entry in _fields(group)]
    return {entry[1].decode(): _feature(entry.get(2, b"")) for entry in entries}


def _feature(data: bytes) -> Feature:
    for kind, values in _fields(data):
        parts = [part for _, part in _fields(values)]
        if kind == 1:
            return parts
        joined = b"".join(parts)
        if kind == 2:
            return np.frombuffer(joined, "<f4")
        numbers, at = [], 0
        while at < len(joined):
            value, at = _varint(joined, at)
            numbers.append(value)
        return np.array(numbers, np.uint64).astype(np.int64)
    return []


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Field number and raw bytes of each field; packed or not, lists join to the same bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        start, wire = at, key & 7
        if wire == 2:
            size, start = _varint(data, at)
        elif wire == 0:
            size = _varint(data, at)[1] - at
        else:
            size = {1: 8, 5: 4}.get(wire, len(data))
        at = start + size
        if at > len(data):
            raise ValueError("field is longer than its message")
        yield key >> 3, data[start:at]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at + shift // 7]
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at + shift // 7 + 1
    raise ValueError("varint is too long")
