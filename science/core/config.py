"""Experiments as data: ``load`` one, ``check`` it, and ``build`` what it names.

Building is a short recursion of our own rather than ``hydra.utils.instantiate``, because it hands
out only what ``allow`` allows and thus needs no list of what is forbidden.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from science.core.allow import NotAllowedError, configurable, resolve
from science.core.compose import ConfigError, experiments, load
from science.core.gate import CONTROL, check, check_node
from science.core.signature import ABSENT, UnfitError, fit, holds_target, signature

__all__ = [
    "ConfigError",
    "build",
    "check",
    "check_node",
    "checked",
    "configurable",
    "experiments",
    "load",
]


def checked(experiment: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Load an experiment and refuse it, with all its problems, unless it passes ``check``.

    The parts of a suite are loaded and checked too.
    """
    config = load(experiment, overrides)
    problems = check(config)
    if not problems:
        problems = [p for part in config.get("suite", ()) for p in _part(part)]
    if problems:
        count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise ConfigError(f"{experiment} has {count}:{listed}", problems=problems)
    return config


def _part(name: str) -> list[str]:
    try:
        config = load(name)
    except ConfigError as error:
        return [f"suite: {error.problem}" + (f"; {error.cure}" if error.cure else "")]
    if "suite" in config:
        return [f"suite: {name!r} is a suite itself, and suites do not nest"]
    return [f"{name}: {problem}" for problem in check(config)]


def build(node: Mapping[str, Any], **extra: Any) -> Any:
    """Build what a node names, and the nodes inside it first.

    ``extra`` are constructor arguments that a config cannot know; they win over the node's own.
    ``_partial_: true`` gives a ``functools.partial`` instead, ``_recursive_: false`` hands the
    inner nodes over as plain data, ``_args_`` are positional; ``_convert_`` changes nothing, since
    values are plain lists and dicts already. Values take the type their parameter asks for.

    Raises:
        ConfigError: a target outside the allow-list, or a value its parameter does not take.
    """
    return _build(node, extra, str(node.get("_target_")))


def _build(node: Mapping[str, Any], extra: Mapping[str, Any], path: str) -> Any:
    try:
        target = resolve(node.get("_target_"))
    except NotAllowedError as refusal:
        raise ConfigError(f"{path}: {refusal}") from None
    takes = signature(target)
    deep = node.get("_recursive_", True)
    own = {key: value for key, value in node.items() if key not in CONTROL and key not in extra}
    kwargs = {
        k: _argument(v, takes.hints.get(k, ABSENT), f"{path}.{k}", deep) for k, v in own.items()
    }
    names = itertools.chain(takes.positional(), itertools.repeat(""))
    given = zip(node.get("_args_", ()), names, strict=False)
    args = [_argument(v, takes.hints.get(k, ABSENT), f"{path}._args_", deep) for v, k in given]
    if node.get("_partial_"):
        return functools.partial(target, *args, **kwargs, **extra)
    try:
        return target(*args, **kwargs, **extra)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}", "change the value in the experiment") from error


def _argument(value: Any, hint: Any, path: str, deep: bool) -> Any:
    if not deep:
        return copy.deepcopy(value)
    if holds_target(value):
        return _children(value, path)
    if hint is ABSENT:
        return copy.deepcopy(value)
    try:
        return fit(value, hint)
    except UnfitError as problem:
        raise ConfigError(f"{path}: {problem}") from None


def _children(value: Any, path: str) -> Any:
    if isinstance(value, Mapping) and "_target_" in value:
        return _build(value, {}, path)
    if isinstance(value, Mapping):
        return {key: _children(child, f"{path}.{key}") for key, child in value.items()}
    if isinstance(value, list):
        return [_children(child, f"{path}[{i}]") for i, child in enumerate(value)]
    return copy.deepcopy(value)
