"""What a sweep varies: keys with lists, ranges of whole numbers, or intervals to draw from."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from science.core.errors import UserError
from science.core.seeds import rng

_RANGE = re.compile(r"range\((-?\d+)(?:,\s*(-?\d+))?(?:,\s*(-?\d+))?\)")
_UNIFORM = re.compile(r"(log)?uniform\(([^,]+),([^)]+)\)")
_MOST = 10_000
Choice = list[str] | tuple[bool, float, float]


def expand(
    axes: Sequence[str], samples: int = 0, seed: int = 0, together: bool = False
) -> list[tuple[str, ...]]:
    """Overrides of every recipe that ``axes`` span.

    Args:
        axes: ``key=a,b,c``, ``key=range(5)``, ``key=uniform(0,1)`` or ``key=loguniform(1e-4,1)``.
        samples: if given, so many random draws in place of the whole grid.
        seed: of the draws.
        together: the first values of all axes are one recipe, the second ones the next, and so on.

    Raises:
        UserError: an axis that cannot be read, a continuous one without ``samples``, or axes of
            different length that are to go together.
    """
    keys = [key for key, _ in choices(axes, samples)]
    given = [choice for _, choice in choices(axes, samples)]
    grid: list[Sequence[str]]
    if samples:
        stream = rng(seed, "sweep")
        drawn = [[_draw(choice, stream) for choice in given] for _ in range(samples)]
        grid = [list(values) for values in dict.fromkeys(map(tuple, drawn))]
    elif together:
        if len({len(choice) for choice in given}) > 1:
            cure = "give every key as many values, in the same order"
            raise UserError("axes of different length cannot go together", cure)
        grid = list(zip(*map(_listed, given), strict=True))
    else:
        grid = list(itertools.islice(itertools.product(*map(_listed, given)), _MOST + 1))
    if len(grid) > _MOST:
        raise UserError(f"more than {_MOST} recipes", "take fewer values, or --samples N")
    return [tuple(f"{k}={v}" for k, v in zip(keys, values, strict=True)) for values in grid]


def choices(axes: Sequence[str], samples: int) -> list[tuple[str, Choice]]:
    """Keys of the axes with what each may be: a list, or (logarithmic, lowest, highest).

    Raises:
        UserError: an axis that cannot be read, or a continuous one without ``samples``.
    """
    found = []
    for axis in axes:
        key, equals, text = axis.partition("=")
        if not equals or not key or not text:
            raise UserError(f"axis {axis!r}", "write key=a,b or key=range(5)")
        found.append((key, _choices(axis, text, samples)))
    return found


def _choices(axis: str, text: str, samples: int) -> Choice:
    numbers = _RANGE.fullmatch(text)
    if numbers:
        return [str(i) for i in range(*(int(g) for g in numbers.groups() if g is not None))]
    between = _UNIFORM.fullmatch(text)
    if between:
        if not samples:
            raise UserError(f"axis {axis!r} is continuous", "say how many draws: --samples 20")
        try:
            return bool(between[1]), float(between[2]), float(between[3])
        except ValueError:
            raise UserError(f"axis {axis!r}", "write key=uniform(0,1)") from None
    return list(_split(text))


def _split(text: str) -> Iterator[str]:
    """Parts between commas that are in no bracket."""
    depth, part = 0, ""
    for letter in text:
        depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and not depth:
            yield part
            part = ""
        else:
            part += letter
    yield part


def _listed(choice: Choice) -> list[str]:
    return choice if isinstance(choice, list) else []


def _draw(choice: Choice, stream: Any) -> str:
    if isinstance(choice, list):
        return choice[int(stream.integers(len(choice)))]
    log, low, high = choice
    if log:
        import math

        return f"{math.exp(stream.uniform(math.log(low), math.log(high))):.6g}"
    return f"{stream.uniform(low, high):.6g}"
