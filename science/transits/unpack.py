"""Opening files that may be missing, damaged or hostile."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from pathlib import Path
from typing import BinaryIO

from science.core.errors import UserError

# The largest archive product of one star is below 200 MB; more than this is a bomb or a mistake.
LIMIT = 2 * 1024**3
_CHUNK = 16 * 1024**2
_AGAIN = "fetch or write it again"


def unpack(path: Path) -> BinaryIO:
    """The file's content, decompressed when it is gzip, positioned at its start.

    A plain file is returned open, so that large tables are read in place.

    Raises:
        UserError: missing, unreadable, empty, a directory, damaged, or larger than ``LIMIT``.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "not a regular file"
            raise UserError(f"{path} is {kind}", "name a light-curve file inside it")
        if path.stat().st_size > LIMIT:
            raise UserError(f"{path} is larger than {LIMIT / 1024**3:.3g} GiB", "split it")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist", "check the name") from error
    except PermissionError as error:
        raise UserError(f"{path} may not be read", "change its permissions") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be opened ({error})", "check the name") from error
    return _decompressed(file, path)


def _decompressed(file: BinaryIO, path: Path) -> BinaryIO:
    start = file.read(2)
    file.seek(0)
    if not start:
        file.close()
        raise UserError(f"{path} is empty", _AGAIN)
    if start != b"\x1f\x8b":
        return file
    with file:
        content = _inflate(file, path)
    if not content.getbuffer().nbytes:
        raise UserError(f"{path} is empty once decompressed", _AGAIN)
    return content


def _inflate(file: BinaryIO, path: Path) -> io.BytesIO:
    content = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            while chunk := packed.read(_CHUNK):
                content.write(chunk)
                if content.tell() > LIMIT:
                    raise UserError(
                        f"{path} decompresses to more than {LIMIT / 1024**3:.3g} GiB",
                        "this is no light curve; split it if it is",
                    )
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"{path} is a damaged gzip file ({error})", _AGAIN) from error
    content.seek(0)
    return content
