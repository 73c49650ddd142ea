"""What there is to use, by name and with a line on each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from science import paths
from science.core.errors import UserError


def show(what: str = "") -> None:
    """Print the names of one kind, or of all kinds; ``UserError`` for a kind there is not."""
    if what and what not in KINDS:
        raise UserError(f"nothing is called {what!r}", f"write one of: {', '.join(KINDS)}")
    for kind in [what] if what else KINDS:
        rows = list(KINDS[kind]())
        if not what:
            print(f"{kind}:" if rows else f"{kind}: none")
        width = max((len(name) for name, _ in rows), default=0)
        for name, line in rows:
            print(f"{'' if what else '  '}{name:<{width}}  {line}".rstrip())


def _experiments() -> Iterable[tuple[str, str]]:
    from science.core.compose import NAMES, experiments

    return [(name, _line(paths.EXPERIMENTS / name / NAMES[0])) for name in experiments()]


def _line(path: Path) -> str:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        return str(yaml.safe_load(text).get("title", ""))
    except (yaml.YAMLError, AttributeError, UnicodeDecodeError):
        return "(not readable)"


def _datasets() -> Iterable[tuple[str, str]]:
    from science.core.datasets import card, cards

    return [(name, str(getattr(card(name), "title", ""))) for name in cards()]


def _releases() -> Iterable[tuple[str, str]]:
    # As `releases.releases` finds them, which would bring torch along.
    cards = sorted(paths.RELEASES.glob("*/*/card.yaml"))
    return [(card.parent.relative_to(paths.RELEASES).as_posix(), _line(card)) for card in cards]


KINDS: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {
    "experiments": _experiments,
    "datasets": _datasets,
    "releases": _releases,
}
