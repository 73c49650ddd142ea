"""``fifth export``: a run as one file that says what it is, and can be verified and repeated.

The bundle is a zip archive that is the same for the same run: an RO-Crate 1.1 that follows the
Process Run Crate 0.5 profile, Croissant 1.1 metadata of the dataset, a model card, the REFORMS
items that a manifest can answer, and the SHA-256 of every file.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from science.core.errors import UserError
from science.core.files import atomic
from science.core.provenance.secrets import clean, found
from science.core.rerun.crate import crate
from science.core.rerun.croissant import croissant
from science.core.rerun.records import Recorded, read
from science.core.rerun.texts import model_card, readme, reforms, requirements
from science.core.rerun.verify import CRATE, SUMS

DATE = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = ("checkpoints", "trials")
_TEXTS = {".json", ".yaml", ".csv", ".html", ".md", ".txt", ".svg"}


def export(folder: str | Path, out: str | Path) -> Path:
    """Write the bundle of a finished run and return its path.

    Raises:
        UserError: the run is not finished, or one of its files seems to hold a secret.
    """
    run = read(folder)
    run = replace(run, config=clean(run.config))  # texts of the bundle quote it
    files = _files(run)
    for name, data in files.items():
        _refuse_secrets(name, data)
    files |= _described(run, files)
    sums = "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(files))
    target = Path(out)
    with (
        atomic(target) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in (*sorted(files), SUMS):
            data = sums.encode() if name == SUMS else files[name]
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return target


def _files(run: Recorded) -> dict[str, bytes]:
    """Every file of the run below ``run/``; texts without anybody's home."""
    found_: dict[str, bytes] = {}
    for path in sorted(p for p in run.folder.rglob("*") if p.is_file()):
        name = path.relative_to(run.folder)
        if name.parts[0] in _LEFT_OUT or any(part.startswith(".") for part in name.parts):
            continue
        data = path.read_bytes()
        if name.as_posix() == "config.yaml":
            import yaml

            plain = clean(yaml.safe_load(data))
            data = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).encode()
        found_[f"run/{name.as_posix()}"] = data
    return found_


def _refuse_secrets(name: str, data: bytes) -> None:
    if Path(name).suffix not in _TEXTS and not name.startswith("run/store/"):
        return
    why = found(data.decode("utf-8", "replace"))
    if "secret" in why or "login" in why:
        raise UserError(f"{name}: {why}", "remove it from the run before you pass the run on")


def _described(run: Recorded, files: Mapping[str, bytes]) -> dict[str, bytes]:
    made: dict[str, bytes] = {
        "README.md": readme(run).encode(),
        "model-card.md": model_card(run).encode(),
        "reforms.md": reforms(run).encode(),
        "requirements.txt": requirements(run).encode(),
    }
    about = croissant(run)
    if about is not None:
        made["data.croissant.json"] = _json(about)
    made[CRATE] = _json(crate(run, {**files, **made}))
    return made


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
