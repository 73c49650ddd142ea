"""Pieces of a report page as markup: prose, tables, pictures, cards, code.

Everything that comes from data passes through one template environment that escapes it, so what
leaves here is safe to join; nothing else may call itself ``Markup``.
"""

from __future__ import annotations

import base64
import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

MISSING = "–"
_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))
_REPLACED = dict.fromkeys((*_TURNING, *_CONTROLS), "\ufffd")


@dataclass(frozen=True, slots=True)
class Measure:
    """A measured number with its interval, shown as ``0.991 [0.988, 0.994]``."""

    value: float
    low: float | None = None
    high: float | None = None


def clean(value: Any) -> Any:
    """Text without what can hide or reverse it: controls, bidirectional overrides, half pairs."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    whole = value.encode("utf-8", "replace").decode("utf-8")
    return whole.translate(_REPLACED)


ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("science.core"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    finalize=clean,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _render(macro: str, **values: Any) -> Markup:
    module = ENVIRONMENT.get_template("fragments.html.j2").module
    return Markup(getattr(module, macro)(**values))  # noqa: S704  (the macro escaped it)


def prose(text: str) -> Markup:
    """Paragraphs split at blank lines, lists of lines that begin with "- ", `code` in backticks."""
    blocks = []
    for block in str(text).replace("\r\n", "\n").split("\n\n"):
        lines = [line.strip() for line in block.strip().split("\n") if line.strip()]
        listed = bool(lines) and all(line.startswith("- ") for line in lines)
        items = [line[2:] for line in lines] if listed else [" ".join(lines)]
        if lines:
            blocks.append((listed, [_spans(item) for item in items]))
    return _render("prose", blocks=blocks)


def _spans(line: str) -> list[tuple[bool, str]]:
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return [(False, line)]
    return [(index % 2 == 1, part) for index, part in enumerate(parts) if part]


def note(text: str) -> Markup:
    """A remark that must not be overlooked."""
    return _render("note", body=prose(text))


def code(text: str) -> Markup:
    """A command or a listing, with a button that copies it."""
    return _render("code", text=str(text).rstrip())


def details(summary: str, parts: Iterable[object]) -> Markup:
    """A fold that opens on a click; ``parts`` are texts, tables or fragments."""
    return _render("details", summary=summary, parts=[_part(part) for part in parts])


def _part(part: object) -> Markup:
    if isinstance(part, Markup):
        return part
    return table(part) if isinstance(part, pd.DataFrame) else prose(str(part))


def cards(items: Iterable[Sequence[Any]]) -> Markup:
    """Headline numbers: ``(label, value, note)`` or ``(label, value, note, "good" | "short")``.

    The fourth item colours the card, and its meaning must also stand in the note's words.
    """
    shown = []
    for label, value, remark, *state in items:
        main, _, interval = str(_texts([value])[0]).partition(" [")
        interval = f"[{interval}" if interval else ""
        shown.append((label, main, interval, remark, state[0] if state else ""))
    return _render("cards", items=shown)


def picture(data: bytes, caption: str = "", alt: str = "") -> Markup:
    """An SVG or PNG inside the page, as an image: scripts in an image never run.

    Raises ``ValueError`` for bytes that are neither.
    """
    kind = "image/png" if data.startswith(b"\x89PNG\r\n\x1a\n") else ""
    kind = kind or ("image/svg+xml" if b"<svg" in data[:2000] else "")
    if not kind:
        raise ValueError("a picture must be SVG or PNG")
    source = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    size = re.search(rb"<svg[^>]*?\swidth=\"([0-9.]+)pt\"", data[:2000])
    wide = kind == "image/png" or (size is not None and float(size[1]) > 432)
    alt = alt or caption or "Figure"
    return _render("picture", source=source, caption=caption, alt=alt, wide=wide)


def table(
    rows: pd.DataFrame | Iterable[Mapping[str, Any]] | Any,
    caption: str = "",
    highlight: str | None = None,
    footer: Sequence[Mapping[str, Any]] = (),
) -> Markup:
    """A table that sorts by a click; numbers align and columns of numbers share their decimals.

    A ``highlight`` column of booleans marks rows and is not shown itself; any other is marked as a
    column. ``footer`` rows stay at the bottom whatever the order.
    """
    columns, records = _records(rows)
    flags = [record.get(highlight) for record in records] if highlight else []
    by_row = bool(flags) and all(_is_boolean(flag) or _is_missing(flag) for flag in flags)
    names = [name for name in columns if not (by_row and name == highlight)]
    heads, bodies, feet = [], [], []
    for name in names:
        values = [record.get(name) for record in records]
        numeric = _is_numeric(values)
        heads.append((str(name), numeric, name == highlight))
        texts = _texts([*values, *(row.get(name, "") for row in footer)])
        bodies.append(list(zip(texts[: len(values)], map(_sort_key, values), strict=True)))
        feet.append(texts[len(values) :])
    marked = [by_row and _is_boolean(flag) and bool(flag) for flag in flags] or [False] * len(
        records
    )
    return _render(
        "table",
        caption=caption,
        heads=heads,
        rows=list(zip(marked, zip(*bodies, strict=True), strict=True)) if bodies else [],
        feet=list(zip(*feet, strict=True)),
    )


def _records(rows: Any) -> tuple[list[Any], list[dict[Any, Any]]]:
    if isinstance(rows, pd.DataFrame):
        frame = rows if isinstance(rows.index, pd.RangeIndex) else rows.reset_index()
        columns = list(frame.columns)
        every = frame.itertuples(index=False, name=None)
        return columns, [dict(zip(columns, row, strict=True)) for row in every]
    records = [dict(row) for row in rows]
    return list(dict.fromkeys(name for record in records for name in record)), records


def _is_missing(value: object) -> bool:
    if isinstance(value, Measure):
        value = value.value
    return value is None or value is pd.NaT or value is pd.NA or value != value


def _is_boolean(value: object) -> bool:
    return type(value).__name__ in ("bool", "bool_")


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real | Measure) and not _is_boolean(value)


def _is_numeric(values: Sequence[object]) -> bool:
    present = [value for value in values if not _is_missing(value)]
    return bool(present) and all(map(_is_number, present))


def _sort_key(value: object) -> str:
    if _is_missing(value) or not _is_number(value):
        return ""
    return repr(float(value.value if isinstance(value, Measure) else value))  # type: ignore[arg-type]


def _texts(values: Sequence[object]) -> list[str]:
    measures = [
        value if isinstance(value, Measure) else Measure(float(value))  # type: ignore[arg-type]
        for value in values
        if _is_number(value) and not _is_missing(value) and not isinstance(value, numbers.Integral)
    ]
    pattern = _pattern(measures)
    return [_text(value, pattern) for value in values]


def _text(value: Any, pattern: str) -> str:
    if _is_missing(value):
        return MISSING
    if _is_boolean(value):
        return "yes" if value else "no"
    if isinstance(value, Measure):
        middle = _signed(value.value, pattern)
        if _is_missing(value.low) or _is_missing(value.high):
            return middle
        return f"{middle} [{_signed(value.low, pattern)}, {_signed(value.high, pattern)}]"
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return _signed(float(value), pattern)
    if isinstance(value, numbers.Integral):
        return str(int(value)).replace("-", "\u2212")
    return value.as_posix() if isinstance(value, Path) else str(value)


def _signed(value: Any, pattern: str) -> str:
    return format(float(value), pattern).replace("-", "\u2212")


_NOISE = 1e-12  # what rounding leaves of nothing


def _pattern(measures: Sequence[Measure]) -> str:
    """One format for a column: as many decimals as its intervals, or else its size, deserve."""
    sizes = [abs(m.value) for m in measures if abs(m.value) > _NOISE and math.isfinite(m.value)]
    if not sizes:
        return ".3f"
    if max(sizes) < 1e-3 or max(sizes) >= 1e7 or max(sizes) / min(sizes) > 1e5:
        return ".4g"
    halves = sorted(
        (m.high - m.low) / 2
        for m in measures
        if m.low is not None and m.high is not None and m.high > m.low
    )
    if halves:
        wanted = math.ceil(-math.log10(halves[len(halves) // 2]))
        return f".{min(5, max(3 if max(sizes) <= 1 else 0, wanted))}f"
    return f".{max(0, min(3, 4 - len(str(int(max(sizes))))))}f"
