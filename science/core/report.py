"""A report: one self-contained page that a person opens without the code.

The page loads nothing and runs nothing but scripts whose digests stand in its content security
policy, so a name in the data that looks like markup stays text.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from science import __version__
from science.core import fragments
from science.core.files import write_text
from science.core.fragments import ENVIRONMENT, Measure, picture
from science.core.style import NIGHT, PAPER, SAVING, style

__all__ = ["Measure", "Report", "svg"]

_HEAVY = 300_000  # bytes of SVG above which a PNG is smaller and scrolls smoother


@dataclass
class _Section:
    heading: str
    level: int
    anchor: str
    parts: list[Markup] = field(default_factory=list)


class Report:
    """A page built from the top down; every method returns the report, so calls can be chained.

    What is added before the first ``section`` opens the page. ``meta`` are short facts below the
    title, such as the date and the code's version; ``lang`` is the language of its words.
    """

    def __init__(
        self, title: str, lead: str = "", meta: Mapping[str, str] | None = None, lang: str = "en"
    ) -> None:
        self.title, self.lead, self.meta, self.lang = title, lead, dict(meta or {}), lang
        self._opening: list[Markup] = []
        self._sections: list[_Section] = []
        self._scripts: list[str] = []
        self._styles: list[str] = []
        self._data: dict[str, str] = {}

    def section(self, heading: str, text: str = "", level: int = 2) -> Self:
        """Begin a section; ``level`` 3 is a part of the section above it."""
        if level not in (2, 3):
            raise ValueError(f"a section has level 2 or 3, not {level}")
        slug = re.sub(r"[^a-z0-9]+", "-", str(heading).lower()).strip("-")[:40] or "section"
        taken = {"content", *self._data, *(section.anchor for section in self._sections)}
        names = itertools.chain([slug], (f"{slug}-{n}" for n in itertools.count(2)))
        anchor = next(name for name in names if name not in taken)
        self._sections.append(_Section(heading, level, anchor))
        return self.text(text) if text else self

    def text(self, text: str) -> Self:
        """Paragraphs (split at blank lines), lists ("- " lines) and `code` in backticks."""
        return self._add(fragments.prose(text))

    def note(self, text: str) -> Self:
        """A remark that must not be overlooked, such as what is missing."""
        return self._add(fragments.note(text))

    def cards(self, items: Sequence[Sequence[Any]]) -> Self:
        """Headline numbers: ``(label, value, note)``, optionally with "good" or "short"."""
        return self._add(fragments.cards(items))

    def table(
        self,
        rows: Any,
        caption: str = "",
        highlight: str | None = None,
        footer: Sequence[Mapping[str, Any]] = (),
    ) -> Self:
        """A sortable table of a frame or a sequence of mappings; see ``fragments.table``."""
        return self._add(fragments.table(rows, caption, highlight, footer))

    def figure(self, figure: Figure, caption: str = "", alt: str = "") -> Self:
        """A drawn figure, as SVG where that is small and as PNG where it is not.

        ``alt`` tells in words what the figure shows, for people who cannot see it.
        """
        return self.picture(drawn(figure), caption, alt)

    def picture(self, data: bytes, caption: str = "", alt: str = "") -> Self:
        """A stored SVG or PNG; it is shown as an image, in which scripts never run."""
        return self._add(picture(data, caption, alt))

    def code(self, text: str) -> Self:
        """A command or listing, with a button that copies it."""
        return self._add(fragments.code(text))

    def details(self, summary: str, *parts: object) -> Self:
        """A fold that holds texts, data frames or fragments until someone opens it."""
        return self._add(fragments.details(summary, parts))

    def html(self, fragment: Markup) -> Self:
        """A fragment that an autoescaping template made.

        Raises ``TypeError`` for a plain string, which may hold anything. Inline styles and event
        handlers do not work on the page: its policy forbids them.
        """
        if not isinstance(fragment, Markup):
            raise TypeError("html() takes Markup from an autoescaping template, not text")
        return self._add(fragment)

    def script(self, text: str) -> Self:
        """JavaScript that runs once the page has loaded; its digest joins the page's policy.

        The same text given twice runs once.
        """
        # An inline script ends at the first "</script", even inside a string.
        safe = re.sub(r"<(?=/script)", r"\\x3c", _lines(text), flags=re.IGNORECASE)
        safe = safe.replace("<!--", r"\x3c!--")
        if safe not in self._scripts:
            self._scripts.append(safe)
        return self

    def style(self, text: str) -> Self:
        """CSS for what ``html`` adds; raises ``ValueError`` if it could end its own element."""
        if "</" in text:
            raise ValueError("CSS must not hold '</'")
        if _lines(text) not in self._styles:
            self._styles.append(_lines(text))
        return self

    def data(self, name: str, value: object) -> Self:
        """Data for a script, which finds it as JSON in the element with the id ``name``."""
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise ValueError(f"{name!r} must be small letters, digits and hyphens")
        text = json.dumps(value, allow_nan=False, sort_keys=True)
        self._data[name] = text.replace("<", r"\u003c").replace("&", r"\u0026")
        return self

    def render(self) -> str:
        """The whole page as HTML; the same calls give the same text."""
        styles = [_lines(_asset("report.css")), *self._styles]
        scripts = [_lines(_asset("report.js")), *self._scripts]
        policy = [
            "default-src 'none'",
            "img-src data:",
            f"style-src {' '.join(map(_digest, styles))}",
            f"script-src {' '.join(map(_digest, scripts))}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
        # Markup below: the project's own files, and text that script() and data() made safe.
        return ENVIRONMENT.get_template("report.html.j2").render(
            title=self.title,
            lang=self.lang,
            lead=fragments.prose(self.lead),
            meta=list(self.meta.items()),
            policy="; ".join(policy),
            version=__version__,
            styles=[Markup(style) for style in styles],  # noqa: S704
            opening=self._opening,
            sections=self._sections,
            blocks=[(name, Markup(text)) for name, text in self._data.items()],  # noqa: S704
            scripts=[Markup(script) for script in scripts],  # noqa: S704
        )

    def write(self, path: str | Path) -> Path:
        """Write the page to ``path``, whole or not at all, and return the path."""
        write_text(path, self.render())
        return Path(path)

    def _add(self, part: Markup) -> Self:
        (self._sections[-1].parts if self._sections else self._opening).append(part)
        return self


def drawn(figure: Figure) -> bytes:
    """``figure`` as SVG where that is small, and as PNG where it is not."""
    data = svg(figure)
    if len(data) > _HEAVY:
        return _saved(figure, format="png", dpi=160, metadata={"Software": None})
    return data


def svg(figure: Figure) -> bytes:
    """``figure`` as SVG that is the same for the same drawing, and turns dark on a dark page.

    Only figures of the house style turn, because only their colours are known to have a twin.
    """
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    text = _saved(figure, format="svg", metadata=nothing).decode()
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    return (_two_schemes(text) if PAPER in text else text).encode()


def _saved(figure: Figure, **how: Any) -> bytes:
    buffer = io.BytesIO()
    ours = mpl.colors.to_hex(figure.get_facecolor()) == PAPER
    # Ticks are made while drawing, so the style must be in force now as well.
    look = style() if ours else mpl.rc_context(SAVING)  # type: ignore[arg-type]
    with look, warnings.catch_warnings():
        # A box instead of a rare letter is bearable: caption and alt text spell it out.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, **how)
    return buffer.getvalue()


def _two_schemes(text: str) -> str:
    by_day = "".join(f"--c{i}:{day};" for i, day in enumerate(NIGHT))
    by_night = "".join(f"--c{i}:{night};" for i, night in enumerate(NIGHT.values()))
    for index, day in enumerate(NIGHT):
        text = text.replace(f": {day}", f": var(--c{index})")
    dark = f"@media (prefers-color-scheme:dark){{:root{{{by_night}}}}}"
    return text.replace("<defs>", f"<style>:root{{{by_day}}}{dark}</style><defs>", 1)


def _asset(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _lines(text: str) -> str:
    """``text`` with the line ends that a browser's parser gives it before it takes the digest."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _digest(text: str) -> str:
    whole = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(whole).decode()}'"
