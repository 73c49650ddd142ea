"""Memory of files whose SHA-256 has been checked, so that a second start need not read them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import filelock

from science import paths
from science.core.files import sha256, write_json


def matches(path: Path, digest: str) -> bool:
    """Whether ``path`` has that SHA-256; a file unchanged since it was last read is not re-read.

    Unchanged means the same size and modification time [ns]. Where the cache cannot be written
    nothing is remembered and every call reads the file.
    """
    before = path.stat()
    stamp = [before.st_size, before.st_mtime_ns, digest]
    key = str(path.resolve())
    if _memory().get(key) == stamp:
        return True
    if sha256(path) != digest:
        return False
    _remember(key, stamp)
    return True


def _store() -> Path:
    return paths.cache() / "verified.json"


def _memory() -> dict[str, list[object]]:
    try:
        known = json.loads(_store().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(key: str, stamp: list[object]) -> None:
    with contextlib.suppress(OSError):
        store = _store()
        store.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(store.with_name(".lock-verified")):
            known = {name: seen for name, seen in _memory().items() if Path(name).exists()}
            write_json(store, {**known, key: stamp})
