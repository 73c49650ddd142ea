"""Structures that a reader can turn: on a page of their own, or on the page of a run.

Without scripts, and on paper, each shows as a picture. The script draws on a plain canvas, about
20 kB for a page of any number of structures: 3Dmol would add half a megabyte, and a WebGL context
per structure, of which browsers grant a page only a few.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import jinja2
from pydantic import BaseModel, Field, model_validator

from science.core import pictures
from science.core.fragments import ENVIRONMENT
from science.core.report import Report
from science.crystals.scene import Scene, scene

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

_POSTER = 240  # pixels a side
_ASSETS = Path(__file__).parent / "assets"
_Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
_Point = tuple[float, float, float]


class _SceneData(BaseModel):
    cell: tuple[_Point, _Point, _Point]
    kinds: list[tuple[str, _Colour, float]]
    atoms: list[tuple[float, float, float, int, int, int]]
    bonds: list[tuple[int, int]]
    faces: list[tuple[int, int, int, int]]

    @model_validator(mode="after")
    def _points_at_what_there_is(self) -> Self:
        kinds = [atom[3] for atom in self.atoms]
        atoms = [i for row in (*self.bonds, *self.faces) for i in row]
        if not _within(kinds, len(self.kinds)) or not _within(atoms, len(self.atoms)):
            raise ValueError("a bond, face or atom points at nothing")
        return self


class Item(BaseModel):
    """One structure on the page.

    Attributes:
        name: what it is called.
        lines: facts below it, one line each.
        group: structures in a row of one group turn together, such as a prediction and the truth.
        cif: base64 of a file to download, or nothing.
        poster: base64 of a PNG.
        scene: numbers for the script, as ``Scene.data`` gives them.
    """

    name: str
    lines: list[str] = []
    group: str = ""
    cif: str = ""
    poster: str = Field(pattern=r"^[A-Za-z0-9+/=]*$")
    scene: _SceneData


class _Items(BaseModel):
    items: list[Item]


def item(
    name: str, structure: Structure, lines: Sequence[str] = (), group: str = "", cif: bool = True
) -> Item:
    """``structure`` ready to be shown, with a CIF to download unless ``cif`` is false."""
    what = scene(structure)
    text = str(structure.to(fmt="cif")) if cif else ""
    return Item(
        name=name,
        lines=list(lines),
        group=group,
        cif=base64.b64encode(text.encode()).decode(),
        poster=base64.b64encode(_png(what)).decode(),
        scene=_SceneData.model_validate(what.data()),
    )


def add(page: Report, items: Sequence[Item], caption: str = "") -> None:
    """Show structures on ``page``, in a grid; those of one group side by side."""
    if not items:
        return
    scenes = [item.scene.model_dump() for item in items]
    digest = hashlib.sha256(json.dumps([scenes, [i.name for i in items]]).encode()).hexdigest()
    name = f"scenes-{digest[:12]}"
    shown = [
        {
            **one.model_dump(include={"name", "lines", "group", "cif", "poster"}),
            "index": index,
            "file": _file(one.name),
            "kinds": [kind[:2] for kind in one.scene.kinds],
        }
        for index, one in enumerate(items)
    ]
    grouped = itertools.groupby(enumerate(shown), lambda pair: pair[1]["group"] or pair[0])
    environment = ENVIRONMENT.overlay(loader=jinja2.FileSystemLoader(_ASSETS))
    module: Any = environment.get_template("viewer.html.j2").module
    fragment = module.structures([[o for _, o in some] for _, some in grouped], name, caption)
    page.html(fragment).data(name, scenes)
    page.style((_ASSETS / "viewer.css").read_text(encoding="utf-8"))
    page.script((_ASSETS / "viewer.js").read_text(encoding="utf-8"))


def keep(
    folder: Path, items: Sequence[Item], caption: str, section: str, name: str = "structures"
) -> None:
    """Keep structures with a run, to be shown on its page under the heading ``section``."""
    data = _Items(items=list(items)).model_dump()
    pictures.keep_widget(folder, name, data, "crystals/viewer", caption, section)


def widget(page: Report, data: Any, caption: str) -> None:
    """Show what ``keep`` wrote; raises ``ValueError`` for anything else."""
    add(page, _Items.model_validate(data).items, caption)


def _file(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name)  # formulas have their digits below the line
    return f"{re.sub(r'[^A-Za-z0-9.+-]+', '-', plain).strip('-.') or 'structure'}.cif"


def _within(numbers: Sequence[int], count: int) -> bool:
    return all(0 <= number < count for number in numbers)


def _png(what: Scene) -> bytes:
    from PIL import Image

    from science.crystals.render import render

    pixels = (255 * render(what, _POSTER)).round().astype("uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGBA").quantize(96).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
