"""Dataset cards: where data comes from, what may be done with it, and how to get it.

A card is one YAML file. Its files are looked for in the cache, then in the mirror folder
(``FIFTH_MIRROR``, for machines without internet), then on the network, and used only when the
SHA-256 on the card agrees. A user's own data is one card as well: `card` takes the path of a YAML
file, and its relative file paths start at that file's folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, overload

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from science import paths
from science.core.download import download, host
from science.core.errors import UserError
from science.core.files import sha256
from science.core.verified import matches


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise ValueError(f"{name!r} must be a relative path without '..'")
    if str(path) != name or any(part.startswith(".") for part in path.parts):
        raise ValueError(f"{name!r} must be a plain path, and hidden names are reserved")
    return name


def _address(url: str) -> str:
    try:
        host(url)
    except UserError as problem:
        raise ValueError(problem.problem) from None
    return url


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_OURS = r"^(science(\.[A-Za-z_]\w*)+)?$"
Inside = Annotated[str, AfterValidator(_inside)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Texts = Annotated[list[str], BeforeValidator(_listed)]
Addresses = Annotated[list[Annotated[str, AfterValidator(_address)]], BeforeValidator(_listed)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Original(_Strict):
    """The same content as its publisher serves it, when the mirror holds a compressed copy."""

    name: Inside
    urls: Addresses = Field(min_length=1)
    sha256: Digest
    bytes: int = Field(gt=0)


class File(_Strict):
    """One file of a card.

    ``mirror`` is a path below ``FIFTH_MIRROR``; ``path`` is for a user's own card, starts at
    the card's folder, and may be a folder whose files the reader knows. ``original`` is what the
    network gives instead of a file without ``urls``.
    """

    name: Inside
    urls: Addresses = []
    sha256: Digest | None = None
    bytes: int | None = Field(default=None, gt=0)
    mirror: Inside | None = None
    path: str | None = None
    original: Original | None = None
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _one_address(cls, data: Any) -> Any:
        if isinstance(data, dict) and "url" in data:
            if "urls" in data:
                raise ValueError("give `url` or `urls`, not both")
            data = {**data, "urls": data["url"]}
            del data["url"]
        return data

    @model_validator(mode="after")
    def _has_a_place(self) -> File:
        if self.path is None and self.mirror is None and not self.urls and self.original is None:
            raise ValueError(f"{self.name}: give a `url`, a `mirror` path or a `path`")
        if self.sha256 is None and self.path is None:
            raise ValueError(f"{self.name}: `sha256` is missing")
        return self


class Card(_Strict):
    """What a dataset is and where its files are.

    Attributes:
        name: ``<domain>/<name>``, as in ``datasets/<domain>/<name>.yaml``.
        licence: of the files as they are served, with whose it is.
        units: physical unit of each array or column.
        split: the rule that says which rows are for training and which for testing.
        notes: what is known to be wrong or missing.
        reader: dotted name of what turns the files into arrays.
        table: dotted name of the function that makes a ``science.core.table.Table`` of it, for
            training and evaluation.
        embedded: the reader makes the data itself; there are no files.
        hosts: hosts that the addresses are known to redirect to.
    """

    name: Inside
    title: str
    description: str
    licence: str
    citation: Texts = []
    homepage: str = ""
    units: dict[str, str] = {}
    split: str = ""
    notes: Texts = []
    reader: str = Field(default="", pattern=_OURS)
    table: str = Field(default="", pattern=_OURS)
    embedded: bool = False
    hosts: Texts = []
    files: list[File] = []
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _files_fit(self) -> Card:
        names = [file.name for file in self.files]
        if self.embedded == bool(names):
            raise ValueError("give `files`, or `embedded: true` and none")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two files are named {', '.join(twice)}")
        return self

    def file(self, name: str) -> File:
        """The file of that name."""
        for file in self.files:
            if file.name == name:
                return file
        known = ", ".join(file.name for file in self.files) or "none"
        raise UserError(f"{self.name}: no file {name!r} on this card", f"it has {known}")


def cards() -> list[str]:
    """Names of the cards that come with the workbench, sorted."""
    found = paths.DATASETS.glob("*/*.yaml")
    return sorted(path.relative_to(paths.DATASETS).with_suffix("").as_posix() for path in found)


def card(name_or_path: str | Path) -> Card:
    """The card of that name, or in that YAML file."""
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        known = cards()
        if str(name_or_path) not in known:
            cure = f"known: {', '.join(known)}; or give the path of your own YAML card"
            raise UserError(f"{name_or_path}: no such dataset card", cure)
        path = paths.DATASETS / f"{name_or_path}.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        made = Card.model_validate(data)
    except OSError as problem:
        raise UserError(f"{path}: cannot be read", str(problem.strerror)) from None
    except yaml.YAMLError as problem:
        raise UserError(f"{path}: not YAML", " ".join(str(problem).split())) from None
    except ValidationError as problem:
        raise UserError(f"{path}: not a dataset card", _explain(problem)) from None
    made._folder = path.resolve().parent
    return made


@overload
def fetch(source: Card | str | Path, file: str) -> Path: ...
@overload
def fetch(source: Card | str | Path, file: None = None) -> dict[str, Path]: ...
def fetch(source: Card | str | Path, file: str | None = None) -> Path | dict[str, Path]:
    """Paths of a card's files on this machine, brought here if need be and checked.

    With ``file``, the one path; without, all of them by name. Mirror files are used in place. A
    file may come under its original's name (``x.csv`` for ``x.csv.gz``); readers take both.
    """
    this = source if isinstance(source, Card) else card(source)
    if file is not None:
        return _bring(this, this.file(file))
    return {entry.name: _bring(this, entry) for entry in this.files}


def verify(source: Card | str | Path) -> list[tuple[str, str]]:
    """Read every file anew and say of each: ``ok``, ``missing``, or what is wrong, and where."""
    this = source if isinstance(source, Card) else card(source)
    return [(entry.name, _status(this, entry)) for entry in this.files]


def where(source: Card | str | Path) -> dict[str, Path | None]:
    """Where each file of a card lies now; ``None`` for one that is not on this machine."""
    this = source if isinstance(source, Card) else card(source)
    found: dict[str, Path | None] = {}
    for entry in this.files:
        here = [place.path for place in _places(this, entry) if place.there]
        found[entry.name] = here[0] if here else None
    return found


@dataclass(frozen=True)
class _Place:
    """Where a file may lie, and what it must be there."""

    path: Path
    kind: Literal["own", "cache", "mirror"]
    digest: str | None
    size: int | None

    @property
    def there(self) -> bool:
        return self.path.is_file() or (self.kind == "own" and self.path.is_dir())

    def wrong(self, agrees: Callable[[Path, str], bool] = matches) -> str:
        if self.path.is_dir():
            return "a folder has no SHA-256 or size" if self.digest or self.size else ""
        have = self.path.stat().st_size
        if self.size is not None and have != self.size:
            short = " (cut short)" if have < self.size else ""
            return f"{have} bytes where the card says {self.size}{short}"
        if self.digest is None or agrees(self.path, self.digest):
            return ""
        return "SHA-256 differs from the card"


def _places(this: Card, entry: File) -> list[_Place]:
    if entry.path is not None:
        own = this._folder / Path(entry.path).expanduser()
        return [_Place(own, "own", entry.sha256, entry.bytes)]
    cache, mirror, first = paths.cache() / this.name, paths.mirror(), entry.original
    places = [_Place(cache / entry.name, "cache", entry.sha256, entry.bytes)]
    if first:
        places.append(_Place(cache / first.name, "cache", first.sha256, first.bytes))
    if entry.mirror and mirror:
        places.append(_Place(mirror / entry.mirror, "mirror", entry.sha256, entry.bytes))
    return places


def _bring(this: Card, entry: File) -> Path:
    for place in _places(this, entry):
        if not place.there:
            continue
        wrong = place.wrong()
        if not wrong:
            return place.path
        if place.kind != "cache":
            own = place.kind == "own"
            cure = "correct the card" if own else "copy it again or unset FIFTH_MIRROR"
            raise UserError(f"{place.path}: {wrong}", cure)
        # The cache is ours, and a damaged file in it helps nobody.
        place.path.unlink(missing_ok=True)
    if entry.path is not None:
        missing = _places(this, entry)[0].path
        raise UserError(
            f"{missing}: no such file or folder", f"correct `path` in the card {this.name}"
        )
    return _download(this, entry)


def _download(this: Card, entry: File) -> Path:
    source: File | Original = entry
    if not entry.urls and entry.original:
        source = entry.original
    mirror = paths.mirror()
    if not source.urls:
        missing = f"{mirror / (entry.mirror or '')}: no such file" if mirror else entry.name
        how = f"set FIFTH_MIRROR to a folder that holds {entry.mirror}"
        raise UserError(f"{this.name}: {missing}", f"{how}; {entry.note}" if entry.note else how)
    target = paths.cache() / this.name / source.name
    return download(source.urls, target, digest=source.sha256, size=source.bytes, hosts=this.hosts)


def _status(this: Card, entry: File) -> str:
    for place in _places(this, entry):
        if place.there:
            wrong = place.wrong(lambda path, digest: sha256(path) == digest)
            return f"wrong: {place.path}: {wrong}" if wrong else f"ok ({place.kind})"
    return "missing"


def _explain(problem: ValidationError) -> str:
    said = []
    for error in problem.errors():
        at = ".".join(str(part) for part in error["loc"]) or "card"
        said.append(f"{at}: {error['msg'].removeprefix('Value error, ')}")
    return "; ".join(said)
