"""The package's own sources in one small archive, so that a run can be repeated with its code."""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path, PurePosixPath

from science import paths
from science.core.errors import UserError

_SUFFIXES = {".py", ".yaml", ".json", ".csv", ".j2", ".css", ".js", ".typed"}
_LARGEST = 2_000_000  # bytes of one source; larger ones are data
_DATE = (1980, 1, 1, 0, 0, 0)
_MOST = 200_000_000  # bytes that an archive may unpack to


@functools.cache
def snapshot() -> bytes:
    """A zip archive, the same for the same sources, of the package, its configs and cards."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in sorted(_sources().items()):
            archive.writestr(zipfile.ZipInfo(name, _DATE), path.read_bytes(), compresslevel=1)
    return buffer.getvalue()


def unpack(data: bytes, folder: Path) -> Path:
    """Unpack a snapshot below ``folder`` and return it.

    Raises:
        UserError: the archive is damaged, or a name in it leads out of the folder.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(one.file_size for one in archive.infolist()) > _MOST:
                raise UserError("the archive of the code is too large", "it is not one of ours")
            for one in archive.infolist():
                write_inside(folder, one.filename, archive.read(one))
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as problem:
        raise UserError(f"the archive of the code is damaged: {problem}") from None
    return folder


def write_inside(folder: Path, name: str, data: bytes) -> None:
    """Write ``name`` below ``folder``; refuse a name that leads elsewhere."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise UserError(f"{name!r} leads out of its archive", "do not trust this file")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _sources() -> dict[str, Path]:
    roots = {"science": paths.PACKAGE, "configs": paths.CONFIGS, "datasets": paths.DATASETS}
    if paths.ROOT == paths.PACKAGE / "_share":  # installed: they lie within the package
        roots = {"science": paths.PACKAGE}
    return {
        f"{top}/{path.relative_to(root).as_posix()}": path
        for top, root in roots.items()
        for path in root.rglob("*")
        if path.suffix in _SUFFIXES
        and path.is_file()
        and path.stat().st_size <= _LARGEST
        and "__pycache__" not in path.parts
    }
