"""What a config may name: a narrow list, by kind and not by prefix alone.

A config is data and must not be able to run code. A name outside the packages below is refused
before anything of it is imported; inside them only certain kinds of thing are handed out.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

_Factory = TypeVar("_Factory", bound=Callable[..., Any])
_MARK = "__configurable__"


@dataclass(frozen=True)
class Package:
    """One place that targets may come from; ``kinds`` are the classes they must descend from."""

    name: str
    kinds: tuple[str, ...] = ()


# torchmetrics only where its metrics are arithmetic: others (FID, BERTScore) load weights by path.
PACKAGES = (
    Package("science"),
    Package("torch.nn", ("torch.nn.Module",)),
    Package("torch.optim", ("torch.optim.Optimizer", "torch.optim.lr_scheduler.LRScheduler")),
    Package("torchmetrics.aggregation", ("torchmetrics.Metric",)),
    Package("torchmetrics.classification", ("torchmetrics.Metric",)),
    Package("torchmetrics.collections", ("torch.nn.Module",)),
    Package("torchmetrics.regression", ("torchmetrics.Metric",)),
    Package("torchmetrics.retrieval", ("torchmetrics.Metric",)),
    Package("lightning.pytorch.trainer", ("lightning.pytorch.Trainer",)),
    Package("lightning.pytorch.callbacks", ("lightning.pytorch.Callback",)),
    Package("lightning.pytorch.loggers", ("lightning.pytorch.loggers.logger.Logger",)),
)
# Shorter spellings everybody uses; the class behind one must still be defined in a package above.
SPELLINGS = ("torchmetrics", "lightning", "lightning.pytorch")


class NotAllowedError(ValueError):
    """A name that no config may use, or that does not exist; the message says what to write."""


def configurable(function: _Factory) -> _Factory:
    """Mark a factory function of ours as something a config may name."""
    setattr(function, _MARK, True)
    return function


def resolve(name: object) -> Callable[..., Any]:
    """Return the class or factory called ``name``; else raise ``NotAllowedError``."""
    if not isinstance(name, str) or not all(map(str.isidentifier, name.split("."))):
        raise NotAllowedError(f"{name!r} is not a dotted name such as 'torch.nn.Linear'")
    if any(part.startswith("_") for part in name.split(".")):
        raise NotAllowedError(f"{name!r} is private, and a config names public things only")
    home, _, leaf = name.rpartition(".")
    if not _within(home, tuple(p.name for p in PACKAGES)) and home not in SPELLINGS:
        raise NotAllowedError(
            f"{name!r} is outside the allow-list ({_places()}){_elsewhere(leaf, name)}"
        )
    module = _import(home)
    if not hasattr(module, leaf):
        raise NotAllowedError(f"{home!r} has no {leaf!r}{_near(name, _names(module))}")
    found = getattr(module, leaf)
    if not _allowed(found):
        raise NotAllowedError(
            f"{name!r} is no class or factory a config may name{_near(name, _names(module))}"
        )
    return found  # type: ignore[no-any-return]


def _allowed(found: object) -> bool:
    """Whether ``found`` was defined in one of the packages and is of a kind it hands out."""
    package = next((p for p in PACKAGES if _within(_defined(found), (p.name,))), None)
    if package is None:
        return False
    if not inspect.isclass(found):
        return inspect.isfunction(found) and getattr(found, _MARK, False) is True
    if issubclass(found, BaseException) or inspect.isabstract(found):
        return False
    return not package.kinds or issubclass(found, tuple(map(kind, package.kinds)))


def kind(name: str) -> type:
    """Class called ``name``: for our own lists of kinds, never for what a config says."""
    home, _, leaf = name.rpartition(".")
    found: type = getattr(importlib.import_module(home), leaf)
    return found


def _import(home: str) -> ModuleType:
    """Import ``home`` step by step: every part must be a true submodule of the one before.

    Attributes are not followed, because ``science.core.files.os`` would lead anywhere.
    """
    parts = home.split(".")
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise NotAllowedError(
                    f"{home!r} needs {error.name!r}; install it{_extra(parts)}"
                ) from None
            found = pkgutil.iter_modules(getattr(module, "__path__", []), f"{module.__name__}.")
            near = _near(name, (m.name for m in found))
            raise NotAllowedError(f"there is no module {name!r}{near}") from None
        except ImportError as error:
            raise NotAllowedError(f"{home!r} cannot be imported: {error}") from None
    return module


def _names(module: ModuleType) -> Iterator[str]:
    """Full names of what ``module`` has for configs."""
    public = (name for name in dir(module) if not name.startswith("_"))
    return (f"{module.__name__}.{n}" for n in public if _allowed(getattr(module, n, None)))


def _extra(parts: list[str]) -> str:
    domain = parts[0] == "science" and parts[1:] and parts[1] != "core"
    return f": pip install 'fifth-paradigm[{parts[1]}]'" if domain else ""


def _elsewhere(leaf: str, name: str) -> str:
    """Suggest an allowed target of the same class name whose full name looks much like ``name``."""
    for home in (*SPELLINGS, *(p.name for p in PACKAGES)):
        candidate = f"{home}.{leaf}"
        if difflib.SequenceMatcher(None, candidate, name).ratio() > 0.75:
            try:
                resolve(candidate)
            except NotAllowedError:
                continue
            return f"; did you mean {candidate!r}?"
    return ""


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]!r}?" if near else ""


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == p or name.startswith(f"{p}.") for p in packages)


def _defined(found: object) -> str:
    return str(getattr(found, "__module__", ""))


def _places() -> str:
    roots = (p.name if p.name.startswith("torch.") else p.name.split(".")[0] for p in PACKAGES)
    return ", ".join(dict.fromkeys(roots))
