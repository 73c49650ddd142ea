"""The gate every config passes before anything is built: all that is wrong with it, at once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from science.core.allow import NotAllowedError, kind, resolve
from science.core.signature import (
    ABSENT,
    Signature,
    UnfitError,
    arms,
    fit,
    holds_target,
    near,
    signature,
)

CONTROL = {
    "_target_": str,
    "_partial_": bool,
    "_args_": list[Any],
    "_recursive_": bool,
    "_convert_": str,
}
MISSING = "???"


@dataclass(frozen=True)
class Section:
    """One top-level key: a plain value of type ``holds``, one node, or ``many`` nodes by name.

    ``kind`` is the class a node must build; ``given`` are arguments a run supplies itself.
    """

    holds: Any = None
    many: bool = False
    kind: str | None = None
    given: frozenset[str] = frozenset()


SECTIONS = {
    "title": Section(holds=str),
    "question": Section(holds=str),
    "seed": Section(holds=int),
    "start": Section(holds=str),
    "suite": Section(holds=list[str]),
    "data": Section(kind="lightning.LightningDataModule"),
    "net": Section(kind="torch.nn.Module"),
    "task": Section(kind="lightning.LightningModule", given=frozenset({"net"})),
    "trainer": Section(kind="lightning.Trainer"),
    "callbacks": Section(many=True, kind="lightning.Callback"),
    "record": Section(kind="science.core.callbacks.record.Record"),
    "protocol": Section(),
    "evaluation": Section(),
    "baselines": Section(many=True),
    "figures": Section(many=True),
}
REQUIRED = ("title", "question", "seed")
TRAINING = ("data", "net", "task", "trainer")
SUITE = ("title", "question", "suite")


def check(config: Mapping[str, Any]) -> list[str]:
    """Everything wrong with an experiment, one sentence each: ``path: what; did you mean ...``.

    Every key and value is compared with the signature of the target it goes to. Nothing is built,
    and targets outside the allow-list are not imported. An empty list means the experiment can run.
    """
    suite = "suite" in config
    known = SUITE if suite else tuple(s for s in SECTIONS if s != "suite")
    problems = [
        f"{key}: no such section{near(str(key), known)}" for key in config if key not in known
    ]
    if suite:
        problems = [f"{p} (a suite has only {', '.join(SUITE)})" for p in problems]
    needed = SUITE if suite else REQUIRED + (() if _only_measures(config) else TRAINING)
    problems += [f"{s}: missing section" for s in needed if s not in config]
    for name, value in config.items():
        problems += _section(str(name), value, SECTIONS.get(str(name), Section()), name in known)
    return problems


def _only_measures(config: Mapping[str, Any]) -> bool:
    """Whether the experiment trains nothing: a protocol that measures what is there already."""
    return "protocol" in config and not any(section in config for section in TRAINING)


def check_node(path: str, node: Any, section: Section = Section()) -> list[str]:
    """Everything wrong with one node (a mapping with ``_target_``) found at ``path``."""
    if not isinstance(node, Mapping) or "_target_" not in node:
        return [f"{path}: expected a mapping with _target_, got {node!r}"]
    return list(_node(path, node, section))


def _section(name: str, value: Any, section: Section, known: bool) -> Iterator[str]:
    if not known:
        yield from _inside(name, value)
    elif section.holds is not None:
        yield from _value(name, value, section.holds)
    elif section.many:
        yield from _many(name, value, section)
    elif value is not None or name in REQUIRED + TRAINING:
        yield from check_node(name, value, section)


def _many(name: str, value: Any, section: Section) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, Mapping) or "_target_" in value:
        yield f"{name}: expected a mapping from names to nodes, got {value!r}"
        return
    for key, node in value.items():
        if node is not None:
            yield from check_node(f"{name}.{key}", node, section)


def _inside(path: str, value: Any) -> Iterator[str]:
    """Problems of every node within ``value``, which itself answers to no signature."""
    if isinstance(value, Mapping) and "_target_" in value:
        yield from _node(path, value, Section())
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _inside(f"{path}.{key}", child)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _inside(f"{path}[{index}]", child)
    elif value == MISSING:
        yield f"{path}: a value must be given, such as {path}=..."


def _node(path: str, node: Mapping[str, Any], section: Section) -> Iterator[str]:
    for key in CONTROL.keys() & node.keys():
        yield from _value(f"{path}.{key}", node[key], CONTROL[key])
    try:
        target = resolve(node["_target_"])
    except NotAllowedError as refusal:
        yield f"{path}._target_: {refusal}"
        yield from _inside(path, {k: v for k, v in node.items() if k != "_target_"})
        return
    takes = signature(target)
    partial = node.get("_partial_") is True
    if not partial and section.kind is not None:
        yield from _misplaced(path, target, kind(section.kind))
    yield from _arguments(path, node, takes)
    for name in sorted(section.given & node.keys()):
        yield f"{path}.{name}: the run fills this in from the section {name!r}; remove it here"
    if not partial:
        yield from _absent(path, node, takes, section.given)


def _arguments(path: str, node: Mapping[str, Any], takes: Signature) -> Iterator[str]:
    positional = takes.positional()
    given = node.get("_args_")
    arguments = given if isinstance(given, list) else []
    for index, value in enumerate(arguments):
        name = positional[index] if index < len(positional) else None
        if name is None and not takes.rest:
            yield f"{path}._args_[{index}]: {_owner(node)} takes {len(positional)} arguments"
        elif name in node:
            yield f"{path}.{name}: also given by _args_[{index}]; keep one of the two"
        yield from _argument(f"{path}._args_[{index}]", value, takes, name or "")
    for key, value in node.items():
        if key in CONTROL:
            continue
        if key not in takes.parameters and not takes.open:
            yield f"{path}.{key}: {_owner(node)} has no such key{near(str(key), takes.parameters)}"
        yield from _argument(f"{path}.{key}", value, takes, str(key))


def _argument(path: str, value: Any, takes: Signature, name: str) -> Iterator[str]:
    hint = takes.hints.get(name, ABSENT)
    inner = list(_inside(path, value))
    yield from inner
    if isinstance(value, Mapping) and "_target_" in value and value.get("_partial_") is not True:
        yield from _misfit(path, value["_target_"], hint)
    if inner or hint is ABSENT or holds_target(value):
        return
    default = takes.parameters[name].default
    for problem in _value(path, value, hint):
        simple = isinstance(default, str | int | float) and "did you mean" not in problem
        yield f"{problem}; leave it out for the default {default!r}" if simple else problem


def _value(path: str, value: Any, hint: Any) -> Iterator[str]:
    if value == MISSING:
        yield f"{path}: a value must be given, such as {path}=..."
        return
    try:
        fit(value, hint)
    except UnfitError as problem:
        yield f"{path}: {problem}"


def _misfit(path: str, name: Any, hint: Any) -> Iterator[str]:
    """A nested node whose class cannot be what the parameter around it wants."""
    try:
        target = resolve(name)
    except NotAllowedError:
        return
    members = arms(hint)
    if all(inspect.isclass(m) and not getattr(m, "_is_protocol", False) for m in members):
        yield from _misplaced(path, target, *members)


def _misplaced(path: str, target: Callable[..., Any], *wanted: type) -> Iterator[str]:
    if inspect.isclass(target) and not issubclass(target, wanted):
        names = " or ".join(w.__name__ for w in wanted if w is not type(None))
        yield f"{path}._target_: expected a kind of {names}, got {target.__name__}"


def _absent(
    path: str, node: Mapping[str, Any], takes: Signature, given: frozenset[str]
) -> Iterator[str]:
    arguments = node.get("_args_")
    placed = takes.positional()[: len(arguments) if isinstance(arguments, list) else 0]
    for name in takes.parameters:
        if name in takes.required and name not in {*node, *placed, *given}:
            yield f"{path}.{name}: missing; {_owner(node)} needs it"


def _owner(node: Mapping[str, Any]) -> str:
    return re.sub(r".*\.", "", str(node["_target_"]))
