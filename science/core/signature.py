"""What a class or factory takes: its parameters, their types, and whether a value fits one.

Signatures are the only schema of a config; nothing is declared twice.
"""

from __future__ import annotations

import contextlib
import copy
import difflib
import functools
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

ABSENT = Parameter.empty
_EXAMPLES: tuple[Any, ...] = (1, 0.1, True, "text", [1], [0.1], ["text"], None)


class UnfitError(ValueError):
    """A value that its parameter does not take; the message says what it expects instead."""


@dataclass(frozen=True)
class Signature:
    """Parameters of a target by name, those without a default, and their type hints.

    ``open`` says that any keyword is taken, ``rest`` that any number of positional values is.
    """

    parameters: dict[str, Parameter]
    required: frozenset[str]
    hints: dict[str, Any]
    open: bool
    rest: bool

    def positional(self) -> list[str]:
        """Names that ``_args_`` fill, in order."""
        kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        return [name for name, p in self.parameters.items() if p.kind in kinds]


@functools.cache
def signature(target: Callable[..., Any]) -> Signature:
    """Read the signature of a class or function.

    A constructor with ``**how`` is taken to hand them to the next class of its hierarchy, so that
    ``SupervisedTask(net, loss, **how)`` still knows every keyword of ``Task``.
    """
    parameters: dict[str, Parameter] = {}
    hints: dict[str, Any] = {}
    layers = _layers(target)
    for layer in layers:
        parameters = {**_own_parameters(layer), **parameters}
        hints = {**_hints(layer), **hints}
        more = _takes(layer, Parameter.VAR_KEYWORD)
        if not more:
            break
    own = _own_parameters(layers[0])
    required = frozenset(name for name, p in own.items() if p.default is ABSENT)
    rest = _takes(layers[0], Parameter.VAR_POSITIONAL)
    return Signature({**own, **parameters}, required, hints, more, rest)


def fit(value: Any, hint: Any) -> Any:
    """Return plain ``value`` as ``hint`` wants it (a list as a tuple, a string as a Path).

    Strict: ``"3"`` is no int. A hint that cannot be checked returns a copy. Raises ``UnfitError``.
    """
    adapter = _adapter(hint)
    text = _json(value)
    if adapter is None or text is None:
        return copy.deepcopy(value)
    try:
        fitted = adapter.validate_json(text, strict=True)
    except ValidationError:
        raise UnfitError(_expected(value, hint)) from None
    # Iterable[...] comes back as a one-shot iterator, which no second reader could use.
    return copy.deepcopy(value) if isinstance(fitted, Iterator) else fitted


def near(word: str, known: Iterable[str]) -> str:
    """Name the closest of ``known``, or all of them while they are few."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= 12 else ""


def _json(value: Any) -> str | None:
    """JSON of ``value``, None if lossy: in JSON pydantic's strictness takes a list for a tuple."""
    try:
        text = json.dumps(value)
        return text if json.loads(text) == value else None
    except (TypeError, ValueError):
        return None


def _layers(target: Callable[..., Any]) -> list[Callable[..., Any]]:
    if not inspect.isclass(target):
        return [target]
    return [c.__dict__["__init__"] for c in target.__mro__ if "__init__" in c.__dict__]


def _all_parameters(layer: Callable[..., Any]) -> list[Parameter]:
    try:
        return list(inspect.signature(layer).parameters.values())
    except (TypeError, ValueError):  # written in C: takes what it takes
        return [Parameter("rest", Parameter.VAR_KEYWORD)]


def _takes(layer: Callable[..., Any], variadic: Any) -> bool:
    return any(p.kind is variadic for p in _all_parameters(layer))


def _own_parameters(layer: Callable[..., Any]) -> dict[str, Parameter]:
    variadic = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    return {
        p.name: p for p in _all_parameters(layer) if p.kind not in variadic and p.name != "self"
    }


def _hints(layer: Callable[..., Any]) -> dict[str, Any]:
    """Type hints, each for itself: one that only a type checker could read spoils no other."""
    bare = inspect.unwrap(layer)
    hints: dict[str, Any] = {}
    for name, annotation in getattr(bare, "__annotations__", {}).items():
        stub = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            hints |= typing.get_type_hints(stub, getattr(bare, "__globals__", {}))
        except Exception:  # noqa: S112 - any error an annotation can raise means: not checkable
            continue
    return hints


def _adapter(hint: Any) -> TypeAdapter[Any] | None:
    for how in ({"config": ConfigDict(arbitrary_types_allowed=True)}, {}):
        try:
            return TypeAdapter(hint, **how)  # type: ignore[arg-type]
        except PydanticUserError:  # a model or dataclass brings its own settings: ask without ours
            continue
        except Exception:
            return None
    return None


def _expected(value: Any, hint: Any) -> str:
    choices = list(_choices(hint))
    if choices and len(choices) == len(arms(hint)):
        close = difflib.get_close_matches(str(value), [str(c) for c in choices], n=1, cutoff=0.5)
        tail = f"; did you mean {close[0]!r}?" if close else ""
        return f"expected one of {', '.join(map(repr, choices))}, got {value!r}{tail}"
    return f"expected {spell(hint)}, got {value!r}{_meant(value, hint)}"


def _meant(value: Any, hint: Any) -> str:
    """Suggest the number behind a quoted number, the list around a lone element, or an example."""
    adapter = _adapter(hint)
    unquoted = _parsed(value) if isinstance(value, str) else value
    for plain in (unquoted, [value], *_EXAMPLES):
        with contextlib.suppress(ValidationError, ValueError, AttributeError):
            adapter.validate_json(json.dumps(plain), strict=True)  # type: ignore[union-attr]
            likely = plain is unquoted or plain == [value]
            return f"; did you mean {plain!r}?" if likely else f"; write for example {plain!r}"
    return ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def arms(hint: Any) -> list[Any]:
    """Members of a union, with every value of a Literal as a member of its own."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return list(typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return [arm for member in typing.get_args(hint) for arm in arms(member)]
    return [hint]


def _choices(hint: Any) -> Iterator[Any]:
    for member in [hint, *typing.get_args(hint)]:
        if typing.get_origin(member) is typing.Literal:
            yield from typing.get_args(member)
        elif member is type(None):
            yield None


def spell(hint: Any) -> str:
    """Write a type as a person would: ``float or list[int]``."""
    if len(members := arms(hint)) > 1:
        return " or ".join(dict.fromkeys(map(spell, members)))
    if hint is None or hint is type(None):
        return "null"
    if isinstance(hint, str | int | bytes):  # a value of a Literal
        return repr(hint)
    if inspect.isclass(hint) and not typing.get_args(hint):
        return hint.__name__
    return str(hint).replace("typing.", "").replace("collections.abc.", "")


def holds_target(value: Any) -> bool:
    """Whether a node is anywhere inside ``value``."""
    if isinstance(value, Mapping):
        return "_target_" in value or any(map(holds_target, value.values()))
    return isinstance(value, list) and any(map(holds_target, value))
