"""Compose an experiment from its file, the shared groups and overrides; explain what went wrong.

Hydra's Compose API does the composing and nothing else of Hydra is used. No resolver runs:
``${seed}`` works, ``${oc.env:HOME}`` does not, since an experiment from a stranger must not read
this machine's environment.
"""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from science import paths
from science.core.errors import UserError

if TYPE_CHECKING:
    from hydra.errors import MissingConfigException

NAMES = ("experiment.yaml", "config.yaml")  # as written by a person, as saved by a run


class ConfigError(UserError):
    """An experiment that cannot be composed, checked or built; ``problems`` has one line each."""

    def __init__(self, problem: str, cure: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(problem, cure)
        self.problems = list(problems) or [problem]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problem, self.cure, self.problems)


def experiments() -> list[str]:
    """Names of the experiments that come with the workbench, such as ``domain/quickstart``."""
    found = paths.EXPERIMENTS.glob(f"*/**/{NAMES[0]}")
    return sorted(file.parent.relative_to(paths.EXPERIMENTS).as_posix() for file in found)


def load(experiment: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Compose an experiment into plain data with every interpolation resolved.

    Args:
        experiment: a name from ``experiments()``, or the path of a YAML file or of a folder with an
            ``experiment.yaml`` (or, as in a run, a ``config.yaml``) in it.
        overrides: Hydra's grammar, such as ``net=domain/small`` or ``net.width=128``. A key
            need not be in the file yet: whether it means anything is for ``check`` to say.

    Raises:
        ConfigError: no such experiment or option, bad YAML, bad override, or a ``${...}`` that
            points nowhere or calls a resolver.
    """
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    file = locate(experiment)
    groups = str(paths.CONFIGS.resolve()).replace("\\", "/").replace("'", "\\'")
    given = [_override(override, file) for override in overrides]
    with _explained(file), _without_resolvers():
        with initialize_config_dir(config_dir=str(file.parent), version_base="1.3"):
            _forget_resolvers()  # those Hydra has just registered
            tree = compose(file.name, [f"hydra.searchpath=['file://{groups}']", *given])
        plain = OmegaConf.to_container(tree, resolve=True)
    if not isinstance(plain, dict) or not all(isinstance(key, str) for key in plain):
        raise ConfigError(f"{file} is no mapping of sections", "begin with title: ...")
    try:
        json.dumps(plain)
    except TypeError as error:
        raise ConfigError(f"{file} holds more than plain data: {error}", "leave out tags") from None
    return {str(key): value for key, value in plain.items()}


def locate(experiment: str | Path) -> Path:
    """File that holds ``experiment``, a name or a path."""
    written = Path(experiment)
    for place in (paths.EXPERIMENTS / written, written):
        for file in (place, *(place / name for name in NAMES)):
            if file.is_file() and file.suffix in {".yaml", ".yml"}:
                return file.resolve()
    known = experiments()
    near = difflib.get_close_matches(str(experiment), known, n=1, cutoff=0.5)
    cure = f"did you mean {near[0]!r}?" if near else "fifth list experiments shows those there are"
    raise ConfigError(f"no experiment {str(experiment)!r}, nor a YAML file of that path", cure)


def _override(override: str, file: Path) -> str:
    """Let a plain ``key=value`` set keys that no file mentions, and leave groups to Hydra.

    Signatures know keys that files leave at their defaults, so Hydra's refusal of unknown keys
    would be wrong as often as right; the gate knows better.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException as error:
        why = str(error).splitlines()[0]
        raise ConfigError(
            f"override {override!r}: {why}", "write key=value or net=group/x"
        ) from None
    key = str(parsed.key_or_group)
    if not key:
        raise ConfigError(f"override {override!r} names no key", "write key=value or net=group/x")
    if key.split(".")[0].split("/")[0] == "hydra":
        raise ConfigError(
            f"override {override!r} is about Hydra, not the experiment", "leave it out"
        )
    if parsed.is_sweep_override():
        raise ConfigError(f"override {override!r} has several values", "quote it, or write [a,b]")
    is_group = any((root / key).is_dir() for root in (paths.CONFIGS, file.parent))
    bare = not (parsed.is_add() or parsed.is_force_add() or parsed.is_delete() or is_group)
    return f"++{override}" if bare else override


@contextlib.contextmanager
def _without_resolvers() -> Iterator[None]:
    from omegaconf.basecontainer import BaseContainer

    saved = dict(BaseContainer._resolvers)
    _forget_resolvers()
    try:
        yield
    finally:
        _forget_resolvers()
        BaseContainer._resolvers.update(saved)


def _forget_resolvers() -> None:
    from omegaconf.basecontainer import BaseContainer

    BaseContainer._resolvers.clear()


@contextlib.contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Turn what Hydra, OmegaConf and the YAML reader raise into one line and a cure."""
    import yaml
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except MissingConfigException as error:
        raise _missing(file, error) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{file}{where}: {what}", "mend the YAML") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not UTF-8 text", "save it as UTF-8") from None
    except (HydraException, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise _untangled(file, error) from None


def _untangled(file: Path, error: Exception) -> ConfigError:
    from omegaconf.errors import UnsupportedInterpolationType

    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    text = (str(root).splitlines() or ["cannot be composed"])[0]
    if isinstance(root, UnsupportedInterpolationType) or "resolving interpolation" in text:
        cure = "resolvers such as oc.env are refused: write the value itself"
        return ConfigError(f"{file}: {text}", cure)
    where = getattr(root, "full_key", None)
    place = f"{file}: {where}: {text}" if where else f"{file}: {text}"
    group = str(error).partition("+")[2].strip()
    return ConfigError(place, f"write +{group} to add it" if "To append" in str(error) else "")


def _missing(file: Path, error: MissingConfigException) -> ConfigError:
    """Name the options there are for a group option that is not there."""
    wanted = (error.missing_cfg_file or "").removesuffix(".yaml")
    group, _, option = wanted.partition("/")
    options = sorted(
        found.relative_to(root / group).with_suffix("").as_posix()
        for root in (paths.CONFIGS, file.parent)
        if option
        for found in (root / group).rglob("*.yaml")
    )
    if not options:
        return ConfigError(f"{file}: there is no config {wanted!r}", "see its defaults list")
    near = difflib.get_close_matches(option, options, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ConfigError(f"no option {option!r} for {group}", f"{hint}known: {', '.join(options)}")
