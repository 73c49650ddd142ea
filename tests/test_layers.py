"""The shape of the house: who may import whom, and what nobody may call."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import science

HOUSE = Path(science.__file__).parent
FILES = sorted(p for p in HOUSE.rglob("*.py") if "_share" not in p.parts)
DOMAINS = sorted(
    d.name
    for d in HOUSE.iterdir()
    if d.is_dir() and d.name not in {"core", "releases"} and any(d.glob("*.py"))
)


def imports(tree, package):
    """Absolute names of everything a module imports, at top level or inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else []
            home = ".".join([*up, *([node.module] if node.module else [])])
            yield from (f"{home}.{alias.name}" for alias in node.names)


def breaches(source, place):
    """What the module at ``place`` (parts below ``science``) does that its layer forbids."""
    tree = ast.parse(source)
    layer = place[0] if len(place) > 1 else ""
    for name in imports(tree, ["science", *place[:-1]]):
        parts = name.split(".")
        inner = parts[1] if parts[0] == "science" and len(parts) > 1 else None
        if layer and inner in DOMAINS and inner != layer:
            yield f"imports {name}"
        foreign = parts[0] in {"lightning", "pytorch_lightning"} and layer != "core"
        pickles = parts[0] in {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve"}
        parallel = name in {"joblib.Parallel", "joblib.delayed", "joblib.parallel_config"}
        if (foreign and parts[-1] != "LightningDataModule") or (pickles and not parallel):
            yield f"imports {name}"
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        yield from unsafe(call)


def unsafe(call):
    name = ast.unparse(call.func)
    words = {k.arg: k.value for k in call.keywords}
    on = {k for k, v in words.items() if not (isinstance(v, ast.Constant) and v.value is False)}
    if name == "torch.load" and not (
        isinstance(words.get("weights_only"), ast.Constant) and words["weights_only"].value is True
    ):
        yield "torch.load without weights_only=True"
    if "allow_pickle" in on:
        yield f"{name} with allow_pickle"
    if name in {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec"}:
        yield f"calls {name}"
    if name.endswith(("read_pickle", "to_pickle", "os.system")) or "shell" in on:
        yield f"calls {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(HOUSE).as_posix())
def test_a_module_keeps_to_its_layer(file):
    found = list(breaches(file.read_text(encoding="utf-8"), file.relative_to(HOUSE).parts))
    assert not found


def test_core_does_not_know_the_names_of_domains():
    word = re.compile(rf"\b({'|'.join(DOMAINS)})\b")
    core = [f for f in FILES if f.is_relative_to(HOUSE / "core")]
    naming = {f.name: word.findall(f.read_text(encoding="utf-8")) for f in core}
    assert not {name: words for name, words in naming.items() if words}


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("import science.transits.read", "core/x.py"),
        ("from science.transits import read", "core/nn/x.py"),
        ("from science import transits", "core/x.py"),
        ("from ..transits import read", "core/x.py"),
        ("def f():\n    from science.transits import read", "weather/x.py"),
        ("import lightning", "transits/x.py"),
        ("from lightning.pytorch import Trainer", "transits/x.py"),
        ("import pickle", "core/x.py"),
        ("torch.load(f)", "core/x.py"),
        ("torch.load(f, weights_only=False)", "core/x.py"),
        ("np.load(f, allow_pickle=True)", "transits/x.py"),
        ("np.load(f, allow_pickle=flag)", "transits/x.py"),
        ("yaml.load(f)", "core/x.py"),
        ("pd.read_pickle(f)", "transits/x.py"),
    ],
)
def test_each_breach_is_seen(source, place):
    assert list(breaches(source, Path(place).parts))


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("from lightning import LightningDataModule", "transits/x.py"),
        ("from lightning import Trainer", "core/x.py"),
        ("from science.core.task import Task", "transits/x.py"),
        ("from .read import read", "transits/x.py"),
        ("np.load(f, allow_pickle=False)", "transits/x.py"),
        ("torch.load(f, weights_only=True)", "core/x.py"),
    ],
)
def test_what_is_allowed_passes(source, place):
    assert not list(breaches(source, Path(place).parts))
