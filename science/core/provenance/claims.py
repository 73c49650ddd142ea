"""Claims: what a repetition has to bear out, as ``measure.model > measure.model`` or a number.

The model ``ours`` is the run's own. A measure whose name has more than letters in it is quoted:
``"hit rate".ours > "hit rate".random choice``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from science.core.errors import UserError

OURS = "ours"
_MODEL = "this run"
_PLAIN = r"[A-Za-z0-9_@/-]+"
_NUMBER = r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?"
_SIDE = rf'(?:(?:{_PLAIN}|"[^"]+")\.[^<>=]+?|{_NUMBER})'
_PARTS = re.compile(rf'({_PLAIN}|"[^"]+")\.(.+)')
_CLAIM = re.compile(rf"^\s*({_SIDE})\s*(>=|<=|>|<)\s*({_SIDE})\s*$")
_HOW = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


def judge(claim: str, rows: Iterable[Mapping[str, Any]]) -> bool | None:
    """Whether ``claim`` holds of ``rows`` (``model``, ``measure``, ``value``).

    None if a value it speaks of is missing.

    Raises:
        UserError: it is no claim.
    """
    match = _CLAIM.match(claim)
    if not match:
        cure = "write such as auc.ours > auc.trees or rmse.ours < 0.3"
        raise UserError(f"{claim!r} is no claim", cure)
    rows = list(rows)
    known = {(row["measure"], row["model"]): float(row["value"]) for row in rows}
    left, right = (_value(match[i], known, _own(rows)) for i in (1, 3))
    return None if left is None or right is None else bool(_HOW[match[2]](left, right))


def proposed(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Claims that hold beyond the intervals: ours against every other model, by each measure.

    Where nobody is beaten so clearly, that ours is no worse than the far end of its own interval.
    """
    own = _own(rows)
    ours = {row["measure"]: row for row in rows if row["model"] == own}
    found = []
    for row in rows:
        mine = ours.get(row["measure"])
        if mine is None or row["model"] == own or None in (mine.get("low"), mine.get("high")):
            continue
        measure, model = _quoted(row["measure"]), row["model"]
        if row["lower_is_better"] and mine["high"] < row["value"]:
            found.append(f"{measure}.{OURS} < {measure}.{model}")
        if not row["lower_is_better"] and mine["low"] > row["value"]:
            found.append(f"{measure}.{OURS} > {measure}.{model}")
    return found or [claim for row in ours.values() for claim in _no_worse(row)]


def _no_worse(row: Mapping[str, Any]) -> Iterator[str]:
    low, high = row.get("low"), row.get("high")
    if row["lower_is_better"] and high is not None:
        yield f"{_quoted(row['measure'])}.{OURS} <= {high:.6g}"
    if not row["lower_is_better"] and low is not None:
        yield f"{_quoted(row['measure'])}.{OURS} >= {low:.6g}"


def _own(rows: Sequence[Mapping[str, Any]]) -> str:
    """The run's own model: that of this name, else the first."""
    names = [str(row["model"]) for row in rows]
    return _MODEL if _MODEL in names or not names else names[0]


def _quoted(measure: str) -> str:
    return measure if re.fullmatch(_PLAIN, measure) else f'"{measure}"'


def _value(side: str, known: Mapping[tuple[str, str], float], own: str) -> float | None:
    side = side.strip()
    if re.fullmatch(_NUMBER, side):
        return float(side)
    parts = _PARTS.fullmatch(side)
    if parts is None:
        return None
    model = own if parts[2] == OURS else parts[2]
    return known.get((parts[1].strip('"'), model))
