"""The installed packages as they are on disk, not as their version numbers say.

Every distribution comes with a list of its files, their sizes and SHA-256 (``RECORD``). A file
that has the listed size and is no younger than its list is taken to be as it was installed; every
other one is read and hashed, once, so that an edited or a planted file is found and a second look
is quick. ``deep`` trusts no date and reads all.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import functools
import hashlib
import io
import json
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from science import paths
from science.core.files import sha256, write_json

_CODE = (".py", ".so", ".pyd", ".dll", ".pth")
_SHOWN = 20  # names of altered files that a manifest lists
_SLACK_NS = 60 * 10**9  # an installer may touch files for a while after it wrote the list
Stamps = dict[str, tuple[int, int]]  # path relative to the site folder -> (bytes, mtime in ns)
Listed = list[tuple[metadata.Distribution, list[tuple[str, str, int]]]]


@functools.cache
def environment() -> dict[str, Any]:
    """Python, the numerical libraries, every distribution, and what was altered in them.

    ``distributions`` is name -> ``{"version", "record"}``; ``record`` is a digest over the files'
    real contents, and ``altered`` is path -> ``edited``, ``missing`` or ``planted``.
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "torch": _torch(),
        "blas": _blas(),
        **installed(),
    }


def installed(deep: bool = False) -> dict[str, Any]:
    """`distributions` of every folder that packages are imported from; the first one counts."""
    every: dict[str, dict[str, str]] = {}
    altered: dict[str, str] = {}
    count = 0
    for folder in _sites():
        found = distributions(folder, deep)
        every = {**found["distributions"], **every}
        altered = {**found["altered"], **altered}
        count += found["altered_count"]
    order = sorted(every.items(), key=lambda item: item[0].lower())
    shown = dict(sorted(altered.items())[:_SHOWN])
    return {"distributions": dict(order), "altered": shown, "altered_count": count}


def _sites() -> list[Path]:
    """Folders on the path with distributions in them, in the order of import."""
    known = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    places = [p for p in sys.path if p and (p in known or any(Path(p).glob("*.dist-info")))]
    return [Path(p) for p in dict.fromkeys(map(os.path.realpath, places))]


def distributions(folder: Path, deep: bool = False) -> dict[str, Any]:
    """``distributions``, ``altered`` and ``altered_count`` of one folder of packages."""
    stamps = _walk(folder)
    stamp = hashlib.sha256(repr(stamps).encode()).hexdigest()
    memory = paths.cache() / "environment" / f"{_key(folder)}.json"
    known = {} if deep else _read(memory)
    if known.get("stamp") == stamp:
        found: dict[str, Any] = known["found"]
        return found
    every = [one for one in metadata.distributions(path=[str(folder)]) if one.metadata["Name"]]
    listed = [(one, list(_record(one))) for one in every]
    before: dict[str, list[Any]] = known.get("files", {})
    trusted = {} if deep else _trusted(listed, stamps)
    fresh: dict[str, list[Any]] = {}
    hashes = {}
    for name, own in stamps.items():
        old = before.get(name)
        if name in trusted:
            hashes[name] = trusted[name]
        elif old is not None and tuple(old[:2]) == own:
            hashes[name], fresh[name] = str(old[2]), old
        else:
            with contextlib.suppress(OSError):
                hashes[name] = sha256(folder / name)
                fresh[name] = [*own, hashes[name]]
    found = _compared(listed, hashes)
    with contextlib.suppress(OSError):
        write_json(memory, {"stamp": stamp, "found": found, "files": fresh})
    return found


def record_digest(distribution: metadata.Distribution) -> str:
    """SHA-256 over a distribution's own list of files, whatever the order of its lines."""
    lines = sorted((distribution.read_text("RECORD") or "").splitlines())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def lock(known: dict[str, Any]) -> list[str]:
    """``name==version`` of every distribution of an `environment`, for pip."""
    return [f"{name}=={entry['version']}" for name, entry in known["distributions"].items()]


def _trusted(listed: Listed, stamps: Stamps) -> dict[str, str]:
    """SHA-256 as listed, of files of the listed size that are no younger than their list."""
    found = {}
    for one, files in listed:
        folder = Path(str(getattr(one, "_path", ""))).name
        made = stamps.get(f"{folder}/RECORD", (0, 0))[1]
        for path, digest, size in files:
            have = stamps.get(path)
            if digest and have and have[0] == size and have[1] <= made + _SLACK_NS:
                found[path] = digest
    return found


def _compared(listed: Listed, hashes: dict[str, str]) -> dict[str, Any]:
    every: dict[str, dict[str, str]] = {}
    altered: dict[str, str] = {}
    owned: set[str] = set()
    for one, files in listed:
        owned.update(path for path, _, _ in files)
        lines = []
        for path, wanted, _ in files:
            have = hashes.get(path)
            if have is None and not path.startswith(".."):
                altered[path] = "missing"
            elif wanted and have and have != wanted:
                altered[path] = "edited"
            lines.append(f"{path}\0{have}")
        digest = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
        every[one.metadata["Name"]] = {"version": one.version, "record": digest}
    planted = (n for n in hashes if n not in owned and n.endswith(_CODE))
    altered |= {name: "planted" for name in planted if ".dist-info/" not in name}
    shown = dict(sorted(altered.items())[:_SHOWN])
    order = sorted(every.items(), key=lambda item: item[0].lower())
    return {"distributions": dict(order), "altered": shown, "altered_count": len(altered)}


def _record(one: metadata.Distribution) -> Iterator[tuple[str, str, int]]:
    """(path, SHA-256 in hexadecimal or nothing, bytes) of each line, less compiled copies."""
    for row in csv.reader(io.StringIO(one.read_text("RECORD") or "")):
        if len(row) < 3 or row[0].endswith((".pyc", "/RECORD", "/INSTALLER", "/REQUESTED")):
            continue
        kind, _, value = row[1].partition("=")
        digest = ""
        if kind == "sha256":
            with contextlib.suppress(ValueError):
                digest = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
        yield row[0], digest, int(row[2]) if row[2].isdigit() else -1


def _walk(folder: Path) -> Stamps:
    """Size and time of every file below ``folder``, less compiled copies."""
    found: Stamps = {}
    waiting = [("", str(folder))]
    while waiting:
        above, place = waiting.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        waiting.append((f"{above}{entry.name}/", entry.path))
                elif not entry.name.endswith(".pyc") and entry.is_file():
                    state = entry.stat()
                    found[above + entry.name] = (state.st_size, state.st_mtime_ns)
    return dict(sorted(found.items()))


def _torch() -> dict[str, str]:
    import torch

    told = torch.__config__.show().splitlines()
    built = "\n".join(line for line in told if "CPU capability" not in line)  # not of the build
    return {"version": torch.__version__, "build": hashlib.sha256(built.encode()).hexdigest()}


def _blas() -> list[str]:
    """The linear algebra and threading libraries that are loaded, with their versions."""
    try:
        import threadpoolctl
    except ImportError:
        return []
    loaded = threadpoolctl.threadpool_info()
    parts = ("internal_api", "version", "threading_layer")
    return sorted({" ".join(str(one[p]) for p in parts if one.get(p)) for one in loaded})


def _key(folder: Path) -> str:
    return hashlib.sha256(f"{folder.resolve()}{sys.version}".encode()).hexdigest()[:16]


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
