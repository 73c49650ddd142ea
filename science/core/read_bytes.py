"""Bytes and text of files that may be compressed, cut short, huge or no text at all."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

LIMIT = 256 * 2**20  # bytes of one file, unpacked
_PIECE = 2**20
_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)
_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz", ".txz")


class UnreadableError(Exception):
    """A file that gives nothing; the message says why and what would help."""


def plain_name(name: str) -> str:
    """File name without the suffix of its compression."""
    path = Path(name)
    return path.name.removesuffix(path.suffix) if path.suffix.lower() in _OPENERS else path.name


def is_archive(name: str) -> bool:
    """Whether the file holds other files (zip, or tar with or without compression)."""
    return Path(plain_name(name)).suffix.lower() in _ARCHIVES


def content(path: Path) -> tuple[bytes, str]:
    """Unpacked bytes of a file, and a warning if it ends before its end.

    Raises:
        UnreadableError: it is not there, cannot be unpacked at all, or is larger than ``LIMIT``.
    """
    opener = _OPENERS.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as file:
            return _drain(file)
    except IsADirectoryError:
        raise UnreadableError("is a folder") from None
    except OSError as problem:
        raise UnreadableError(f"cannot be read: {problem.strerror or problem}") from None


def members(path: Path) -> Iterator[tuple[str, bytes, str]]:
    """Name, bytes and warning of each file in an archive, in order of name; nothing is unpacked.

    Raises:
        UnreadableError: it is no archive, or larger than ``LIMIT`` in all.
    """
    left = LIMIT
    try:
        for name, file in _opened(path):
            with file:
                data, warning = _drain(file, left)
            left -= len(data)
            yield name, data, warning
    except _BROKEN as problem:
        raise UnreadableError(f"broken archive ({problem}); pack it again") from None


def text(data: bytes) -> str:
    """The text of a file, in UTF-8, UTF-16 with its mark, or else Latin-1.

    Raises:
        UnreadableError: it is empty or binary.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadableError("is empty; get it again")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise UnreadableError("is binary, not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _drain(file: Any, limit: int | None = None) -> tuple[bytes, str]:
    limit = LIMIT if limit is None else limit
    pieces: list[bytes] = []
    size = 0
    while True:
        try:
            piece = file.read1(_PIECE)  # unlike `read`, it keeps what came before the damage
        except _BROKEN as problem:
            if not pieces:
                raise UnreadableError(f"cannot be unpacked ({problem}); get it again") from None
            return b"".join(pieces), "the file is cut short or damaged; get it again"
        if not piece:
            return b"".join(pieces), ""
        size += len(piece)
        if size > limit:
            raise UnreadableError(f"is larger than {LIMIT // 2**20} MB unpacked; split it")
        pieces.append(piece)


def _opened(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(n for n in archive.namelist() if not n.endswith("/")):
                yield name, archive.open(name)
        return
    with tarfile.open(path) as tape:
        for item in sorted((m for m in tape if m.isfile()), key=lambda member: member.name):
            file = tape.extractfile(item)
            if file is not None:
                yield item.name, file
