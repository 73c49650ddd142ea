"""Trained networks that a run opens: which they were, and copies of them.

The weights of a release are in no archive of sources, and the folder of another run lies on one
machine. So a run keeps every network that it opens, by SHA-256, and a repetition is handed those
copies: they are an input of the run, as its data are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from science import paths
from science.core.files import sha256, write_json
from science.core.manifest import portable
from science.core.provenance.snapshot import write_inside
from science.core.provenance.store import Store

HANDED = "FIFTH_NETWORKS"  # folder of copies that stand in for releases and runs of their names
Files = Mapping[str, str]  # name -> SHA-256
_INDEX = "index.json"
_NOTED = Path("checkpoints/networks.json")  # goes when the run ends; its manifest says it then
_KEPT = 20_000_000  # bytes of one file that the store takes; releases are smaller
_run: list[Path] = []  # folders of the runs that go on in this process, innermost last


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Note what is opened meanwhile as networks of the run in ``folder``."""
    _run.append(folder)
    try:
        yield
    finally:
        _run.pop()


def is_watched() -> bool:
    """Whether a run goes on, so that it matters what is opened."""
    return bool(_run)


def note(name: str, files: Mapping[str, bytes]) -> None:
    """Keep what was opened under ``name``: a release's files, or those that a run would have."""
    if not _run:
        return
    folder, store = _run[-1], Store(_run[-1])
    known = noted(folder)
    known[portable(name)] = {
        file: store.put(data) if len(data) <= _KEPT else hashlib.sha256(data).hexdigest()
        for file, data in files.items()
    }
    write_json(folder / _NOTED, known)


def noted(folder: Path) -> dict[str, Files]:
    """What the run in ``folder`` has opened so far, also before it was cut short."""
    path = folder / _NOTED
    found: dict[str, Files] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return dict(sorted(found.items()))


def handed(name: str) -> Path | None:
    """The folder of the copy that stands in for ``name``; none if nobody handed one over."""
    folder = os.environ.get(HANDED)
    if not folder:
        return None
    index = json.loads((Path(folder) / _INDEX).read_text(encoding="utf-8"))
    found = index.get(portable(name))
    return Path(folder) / found if found else None


def is_here(name: str, files: Files) -> bool:
    """Whether ``name`` is a release of this package with these very files, or any folder here."""
    folder = paths.RELEASES / name
    if all((folder / file).is_file() for file in files):
        return all(sha256(folder / file) == digest for file, digest in files.items())
    return not name.startswith("..") and Path(name).expanduser().is_dir()


def absent(name: str, files: Files) -> str:
    """What to say of a network that the run could not keep and that is not here."""
    sums = ", ".join(f"{file} {digest[:16]}" for file, digest in files.items())
    return (
        f"it opens the network {name} ({sums}), which was too large to keep and is not here: "
        f"install or copy it to that place"
    )


def whole(files: Files, store: Store) -> bool:
    """Whether the run kept all of a network's files."""
    return all(store.path(digest).is_file() for digest in files.values())


def hand_over(known: Mapping[str, Files], store: Store, folder: Path) -> dict[str, str]:
    """Write a run's copies below ``folder`` and return the variables that make them be opened.

    Args:
        known: name -> files, of the run's manifest.
        store: of the run.
        folder: to write to.

    Raises:
        UserError: a copy was altered.
    """
    index = {}
    for number, (name, files) in enumerate(sorted(known.items())):
        if whole(files, store):
            index[name] = f"{number:02d}"
            _copy(files, store, folder / index[name])
    if not index:
        return {}
    write_json(folder / _INDEX, index)
    return {HANDED: str(folder)}


def put_back(known: Mapping[str, Files], store: Store, tree: Path) -> None:
    """Complete an unpacked archive of sources, in which releases have cards but no weights."""
    for name, files in known.items():
        folder = tree / "science/releases" / name
        if folder.is_dir() and whole(files, store):
            _copy(files, store, folder)


def _copy(files: Files, store: Store, folder: Path) -> None:
    for file, digest in files.items():
        if not (folder / file).is_file():
            write_inside(folder, file, store.get(digest))
