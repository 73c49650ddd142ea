"""The state of the code: not only its commit, but all that differs from it, and kept."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from science import __version__, paths
from science.core import manifest
from science.core.provenance.secrets import found
from science.core.provenance.snapshot import snapshot
from science.core.provenance.store import Store

_SOURCES = {
    ".py",
    ".yaml",
    ".yml",
    ".toml",
    ".cfg",
    ".json",
    ".csv",
    ".md",
    ".j2",
    ".css",
    ".js",
    ".sh",
}
_LARGEST = 1_000_000  # bytes of one untracked file
_FILES = 500  # untracked files that are kept
_MOST = 20_000_000  # bytes of the difference


def code(store: Store | None = None) -> dict[str, Any]:
    """Version, commit, digest of the sources, and what the checkout has beside the commit.

    With a ``store``, the whole difference and every untracked source are kept in it, and named by
    SHA-256: ``patch``, ``untracked`` (path -> SHA-256), and ``snapshot``, the package's sources as
    they are. What seems to hold a secret is not kept but listed under ``withheld``, with why.
    """
    known = manifest.code()
    known["snapshot"] = None if store is None else store.put(snapshot())
    if known["commit"] is None:
        return known | {"installed": _installed()}
    known["installed"] = None
    withheld: dict[str, str] = {}
    patch = _git("diff", "HEAD", "--binary", "--no-color", "--no-ext-diff") or b""
    names = (_git("ls-files", "--others", "--exclude-standard", "-z") or b"").decode().split("\0")
    known |= {"patch": None, "untracked": {}, "withheld": withheld}
    known["dirty"] = bool(patch) or any(Path(n).suffix in _SOURCES for n in names if n)
    if store is None:
        return known
    if patch:
        known["patch"] = _keep(store, "the difference from the commit", patch, _MOST, withheld)
    sources = [name for name in names if Path(name).suffix in _SOURCES]
    if len(sources) > _FILES:
        withheld[f"{len(sources) - _FILES} further files"] = f"more than {_FILES} are untracked"
    for name in sources[:_FILES]:
        path = paths.ROOT / name
        if path.is_file() and not path.is_symlink():
            kept = _keep(store, name, path.read_bytes(), _LARGEST, withheld)
            if kept:
                known["untracked"][name] = kept
    return known


def _keep(store: Store, name: str, data: bytes, most: int, withheld: dict[str, str]) -> str | None:
    why = f"larger than {most // 1_000_000} MB" if len(data) > most else ""
    why = why or found(data.decode("utf-8", "replace"))
    if why:
        withheld[name] = why
        return None
    return store.put(data)


def _installed() -> dict[str, str] | None:
    """Version of the installed wheel, and the digest of its own list of files."""
    from science.core.provenance.environment import record_digest

    try:
        own = metadata.distribution("fifth-paradigm")
    except metadata.PackageNotFoundError:
        return None
    return {"version": own.version or __version__, "record": record_digest(own)}


def _git(*words: str) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", *words],  # noqa: S607 - git is found as the user's shell finds it
            cwd=paths.ROOT,
            capture_output=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
