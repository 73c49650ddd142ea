"""``fifth verify``: is every file of a bundle as it was made? Offline, running nothing of it.

Needs nothing but Python: ``python -m science.core.rerun.verify run.zip`` works without a package.
"""

from __future__ import annotations

import hashlib
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from science.core.errors import UserError
from science.core.provenance.snapshot import write_inside

SUMS = "manifest-sha256.txt"  # as BagIt names it (RFC 8493), so that sha256sum -c reads it too
CRATE = "ro-crate-metadata.json"
_LARGEST = 20_000_000_000  # bytes that a bundle may unpack to
_MOST = 100_000  # files
_BLOCK = 1 << 20
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def verify(bundle: str | Path) -> list[tuple[str, str]]:
    """Everything that is wrong with a bundle: (name, what); empty if nothing is.

    Files are hashed, never opened. Found are altered, added and removed files, names that are
    there twice or lead out of the archive, and damage to the archive itself.

    Raises:
        UserError: the file is no bundle at all.
    """
    path = Path(bundle)
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(_problems(archive))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "name a file that `fifth export` wrote") from None
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError, ValueError) as problem:
        return [(path.name, f"the archive itself is damaged: {problem}")]


def unpacked(bundle: str | Path, folder: Path) -> Path:
    """Verify a bundle, unpack it below ``folder``, and return the folder of its run.

    Raises:
        UserError: anything is wrong with it.
    """
    wrong = verify(bundle)
    if wrong:
        name, what = wrong[0]
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise UserError(f"{bundle}: {name}: {what}{more}", "get the bundle again from its maker")
    with zipfile.ZipFile(bundle) as archive:
        for entry in archive.infolist():
            write_inside(folder, entry.filename, archive.read(entry))
    return folder / "run"


def _problems(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    entries = archive.infolist()
    if len(entries) > _MOST or sum(e.file_size for e in entries) > _LARGEST:
        yield archive.filename or "archive", "it would unpack to more than is sensible"
        return
    names = [entry.filename for entry in entries]
    yield from _form(archive, names)
    if SUMS not in names:
        yield SUMS, "removed"
        return
    wanted, odd = _sums(archive)
    yield from ((SUMS, f"altered: line {line} is no sum") for line in odd)
    if CRATE not in wanted:
        yield CRATE, "not listed"
    for entry in entries:
        if entry.filename != SUMS:
            yield from _entry(archive, entry, wanted.get(entry.filename))
    yield from ((name, "removed") for name in sorted(set(wanted) - set(names)))


def _form(archive: zipfile.ZipFile, names: list[str]) -> Iterator[tuple[str, str]]:
    if archive.comment:
        yield archive.filename or "archive", "it has a comment, which no bundle has"
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield name, "is there twice"
    for name in filter(_strange, names):
        yield name, "leads out of the archive"


def _entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, wanted: str | None
) -> Iterator[tuple[str, str]]:
    if wanted is None:
        yield entry.filename, "added"
        return
    try:
        with archive.open(entry) as file:
            state = hashlib.sha256()
            while block := file.read(_BLOCK):
                state.update(block)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as problem:
        yield entry.filename, f"altered: cannot be read: {problem}"
        return
    except Exception as problem:  # zlib's own error is no subclass of the above
        yield entry.filename, f"altered: cannot be unpacked: {problem}"
        return
    if state.hexdigest() != wanted:
        yield entry.filename, "altered"


def _sums(archive: zipfile.ZipFile) -> tuple[dict[str, str], list[int]]:
    try:
        text = archive.read(SUMS).decode("utf-8")
    except Exception:
        return {}, [0]
    found, odd = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match:
            found[match[2]] = match[1]
        else:
            odd.append(number)
    return found, odd


def _strange(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts


def main(bundle: str) -> int:
    """Print what is wrong with a bundle; the exit status is 3 if anything is, else 0."""
    wrong = verify(bundle)
    for name, what in wrong:
        print(f"{name}: {what}")
    if not wrong:
        print("ok: every file is as it was made")
    return 3 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
