"""Open a file of fields, whatever it is: NetCDF, zarr or GRIB; or say what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from science.core.errors import UserError

if TYPE_CHECKING:
    import xarray as xr

_FORMATS = {b"CDF\x01": "netcdf4", b"CDF\x02": "netcdf4", b"CDF\x05": "netcdf4"}
_FORMATS |= {b"\x89HDF": "netcdf4", b"GRIB": "cfgrib"}
_PADDING = 65536  # bytes at the end of a file in which its last message must end
_AGAIN = "copy or download it again"


def opened(source: str | Path) -> xr.Dataset:
    """The dataset as its file has it; values are read when they are needed.

    Args:
        source: path of a NetCDF or GRIB file or of a zarr store, or the address of a zarr store
            (``https://``, ``gs://``).

    Raises:
        UserError: there is nothing, or nothing that can be read.
    """
    name = str(source)
    if "://" in name:
        return _store(name)
    path = Path(source)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder", "correct the path")
    if path.is_dir():
        return _store(name)
    engine = _format(path)
    try:
        return _file(path, engine)
    except ImportError as problem:
        cure = "pip install 'fifth-paradigm[grib]'"
        raise UserError(f"{path}: GRIB needs another package: {problem}", cure) from None
    except (OSError, ValueError, EOFError, KeyError, RuntimeError) as problem:
        raise UserError(f"{path}: cannot be read, perhaps cut short: {problem}", _AGAIN) from None


def _format(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror}", "see that you may read it") from None
    if not head:
        raise UserError(f"{path}: the file is empty", _AGAIN)
    if head not in _FORMATS:
        cure = "give NetCDF, zarr or GRIB"
        raise UserError(f"{path}: neither NetCDF nor GRIB (it begins with {head!r})", cure)
    return _FORMATS[head]


def _file(path: Path, engine: str) -> xr.Dataset:
    import xarray as xr

    extra: dict[str, Any] = {}
    if engine == "cfgrib":
        whole(path)
        # Its index beside the file would be a trace in a folder that is not ours.
        extra["backend_kwargs"] = {"indexpath": "", "errors": "raise"}
    dataset = xr.open_dataset(path, engine=engine, decode_timedelta=False, **extra)
    if not dataset.data_vars:
        raise UserError(f"{path}: no variable in the file", _AGAIN)
    return dataset


def whole(path: Path) -> None:
    """See that every GRIB message ends as it must.

    Raises:
        UserError: the last one does not.
    """
    with path.open("rb") as file:
        file.seek(-min(_PADDING, path.stat().st_size), os.SEEK_END)
        # Archives pad their files with zeros.
        if not file.read().rstrip(b"\0").endswith(b"7777"):
            raise UserError(f"{path}: the last GRIB message is cut short", _AGAIN)


def _store(name: str) -> xr.Dataset:
    import xarray as xr

    try:
        dataset: xr.Dataset = xr.open_zarr(name, decode_timedelta=False, **_options(name))
    except ImportError as problem:
        package = "gcsfs" if name.startswith("gs:") else "aiohttp"
        raise UserError(f"{name}: {problem}", f"pip install {package}") from None
    except Exception as problem:  # zarr, its stores and networks raise what they like
        raise UserError(f"{name}: no zarr store can be read there: {problem}", _AGAIN) from None
    if not dataset.data_vars:
        raise UserError(f"{name}: no variable in the store", _AGAIN)
    return dataset


def _options(name: str) -> dict[str, Any]:
    if "://" not in name:
        return {"consolidated": (Path(name) / ".zmetadata").exists()}
    return {"storage_options": {"token": "anon"}} if name.startswith("gs:") else {}
