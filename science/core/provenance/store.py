"""Files kept by what is in them: one copy of each, and a name that proves it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from science.core.errors import UserError
from science.core.files import atomic

FOLDER = "store"


class Store:
    """The folder ``store`` of a run: ``ab/cdef...`` is the file whose SHA-256 is ``abcdef...``."""

    def __init__(self, run: Path) -> None:
        self.folder = run / FOLDER

    def put(self, data: bytes) -> str:
        """Keep ``data`` and return its SHA-256."""
        name = hashlib.sha256(data).hexdigest()
        target = self.path(name)
        if not target.is_file():
            with atomic(target) as temporary:
                temporary.write_bytes(data)
        return name

    def get(self, name: str) -> bytes:
        """What is kept under ``name``.

        Raises:
            UserError: there is nothing of that name, or it has been changed.
        """
        path = self.path(name)
        if not path.is_file():
            raise UserError(f"{path}: not kept", "the run was recorded without it")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != name:
            raise UserError(f"{path}: changed since it was kept", "bring the run's folder again")
        return data

    def path(self, name: str) -> Path:
        """Where ``name``, a SHA-256 in hexadecimal, is or would be."""
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise UserError(f"{name!r} is no SHA-256", "the manifest is damaged")
        return self.folder / name[:2] / name[2:]
