"""Composing, checking and building experiments, with real targets and with hostile ones."""

from __future__ import annotations

import copy
import functools
import pickle
from pathlib import Path

import pytest
import torch
import yaml

from science import paths
from science.core.allow import NotAllowedError, resolve
from science.core.config import ConfigError, build, check, checked, experiments, load

LINEAR = "_target_: torch.nn.Linear\nin_features: {}\nout_features: 1\n"
ADAM = {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.01}
GOOD = {
    "title": "A line",
    "question": "Does it fit?",
    "seed": 1,
    "data": {"_target_": "science.core.testing.Nothing"},
    "net": {"_target_": "torch.nn.Linear", "in_features": 3, "out_features": 1},
    "task": {
        "_target_": "science.core.supervised.SupervisedTask",
        "loss": {"_target_": "torch.nn.MSELoss", "reduction": "none"},
        "optimizer": ADAM,
    },
    "trainer": {"_target_": "lightning.Trainer", "max_epochs": 2},
    "callbacks": {
        "stop": {"_target_": "lightning.pytorch.callbacks.EarlyStopping", "monitor": "x"}
    },
    "baselines": {},
}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A workbench of two experiments and a few options, in a folder with an awkward name."""
    home = tmp_path / "it's a, house=1"
    files = {
        "configs/base.yaml": "seed: 7\nnet: ???\n",
        "configs/net/near/small.yaml": LINEAR.format(3),
        "configs/net/near/large.yaml": LINEAR.format(99),
        "experiments/near/line/experiment.yaml": (
            "defaults: [base, {net: near/small}, _self_]\ntitle: Seed ${seed}\nquestion: Why?\n"
        ),
        "experiments/near/both/experiment.yaml": "title: t\nquestion: q\nsuite: [near/line]\n",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    monkeypatch.setattr(paths, "CONFIGS", home / "configs")
    monkeypatch.setattr(paths, "EXPERIMENTS", home / "experiments")
    return home


def written(folder: Path, text: str | dict) -> Path:
    file = folder / "mine.yaml"
    file.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
    return file


def wrong(**changes):
    """Problems of the good experiment with some of its sections replaced."""
    return check({**copy.deepcopy(GOOD), **changes})


@pytest.fixture(autouse=True)
def _data(monkeypatch):
    """A data module where configs may name it, without another engineer's domain."""
    import sys
    from types import ModuleType

    from lightning import LightningDataModule

    module = ModuleType("science.core.testing")
    nothing = type("Nothing", (LightningDataModule,), {"__module__": module.__name__})
    module.Nothing = nothing
    monkeypatch.setitem(sys.modules, module.__name__, module)


# Composing


def test_experiments_are_found_and_composed(house):
    assert experiments() == ["near/both", "near/line"]
    config = load("near/line")
    assert config["title"] == "Seed 7"
    assert config["net"] == {"_target_": "torch.nn.Linear", "in_features": 3, "out_features": 1}
    assert "defaults" not in config


def test_overrides_choose_options_and_set_keys_no_file_mentions(house):
    config = load("near/line", ["net=near/large", "net.bias=false", "seed=9", "trainr.x=[1,2]"])
    assert (config["net"]["in_features"], config["net"]["bias"]) == (99, False)
    assert config["title"] == "Seed 9"
    assert any("trainr" in problem and "'trainer'" in problem for problem in check(config))


def test_an_experiment_may_lie_anywhere(house, tmp_path, monkeypatch):
    file = written(tmp_path, "defaults: [base, {net: near/large}, _self_]\ntitle: mine\n")
    monkeypatch.chdir(tmp_path)
    assert load(file) == load(str(file)) == load("mine.yaml")
    assert load(house / "experiments/near/line") == load("near/line")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").write_text(yaml.safe_dump(load("near/line")))
    assert load(tmp_path / "run") == load("near/line")


@pytest.mark.parametrize(
    ("experiment", "overrides", "said"),
    [
        ("near/lien", [], "near/line"),
        ("far", [], "fifth list experiments"),
        ("near/line", ["net=near/lage"], "near/large"),
        ("near/line", ["net=nowhere"], "near/large, near/small"),
        ("near/line", ["net=3"], "must be a string"),
        ("near/line", ["net=[1,"], "net=[1,"),
        ("near/line", ["seed"], "seed"),
        ("near/line", ["=3"], "names no key"),
        ("near/line", ["seed=1,2"], "several values"),
        ("near/line", ["hydra.searchpath=[pkg://os]"], "Hydra"),
        ("near/line", ["title=${nothing.here}"], "nothing.here"),
        ("near/line", ["+net=near/small"], "net"),
    ],
)
def test_a_mistake_in_composing_is_explained(house, experiment, overrides, said):
    with pytest.raises(ConfigError) as caught:
        load(experiment, overrides)
    assert said in str(caught.value)
    assert "\n" not in caught.value.problem


@pytest.mark.parametrize(
    "text",
    [
        "title: [1,\nfoo: 3",
        "title: a\ntitle: b",
        "- 1",
        "1: 2",
        "defaults: {a: b}",
        "defaults: [nowhere]",
        "title: ${}",
        "title: ${seed}\nseed: ${title}",
        "title: !!python/object/apply:pathlib.PosixPath ['a']",
        "title: \x00",
        "x: " + "[" * 3000,
    ],
)
def test_a_broken_file_is_an_error_that_names_it(house, tmp_path, text):
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load(written(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "title: ${oc.env:SECRET}",
        "title: ${oc.decode:'${oc.env:SECRET}'}",
        "way: oc.env\ntitle: ${${way}:SECRET}",
        "title: ${now:%Y}",
        "defaults: [{net: '${oc.env:SECRET}'}]",
        "defaults: [{net: 'near/${oc.env:SECRET}'}]",
        "hydra: {searchpath: ['pkg://science']}\ntitle: ${oc.env:SECRET}",
        "title: !!python/object/apply:os.getenv [SECRET]",
    ],
)
def test_an_experiment_cannot_read_the_environment(house, tmp_path, monkeypatch, text):
    monkeypatch.setenv("SECRET", "hunter2")
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text))
    assert "hunter2" not in str(caught.value)


def test_resolvers_of_the_caller_survive(house):
    from omegaconf import OmegaConf

    OmegaConf.register_new_resolver("double", lambda x: 2 * int(x))
    try:
        with pytest.raises(ConfigError):
            load("near/line", ["title='${double:4}'"])
        assert OmegaConf.create({"x": "${double:4}"}).x == 8
    finally:
        OmegaConf.clear_resolver("double")


# Checking


def test_a_good_experiment_has_no_problems():
    assert check(GOOD) == []


def test_five_different_mistakes_are_reported_at_once(tmp_path, house):
    config = copy.deepcopy(GOOD)
    config["calbacks"] = config.pop("callbacks")
    config["net"]["in_featurs"] = 3
    config["trainer"]["max_epochs"] = "many"
    config["trainer"]["precision"] = "bf16-mixd"
    config["task"]["loss"] = {"_target_": "torch.nn.MSELos"}
    problems = check(load(written(tmp_path, config)))
    hints = {
        "calbacks": "did you mean 'callbacks'?",
        "net.in_featurs": "did you mean 'in_features'?",
        "trainer.max_epochs": "expected int or null, got 'many'; write for example 1",
        "trainer.precision": "did you mean 'bf16-mixed'?",
        "task.loss._target_": "did you mean 'torch.nn.MSELoss'?",
    }
    assert sorted(p.split(":")[0] for p in problems) == sorted(hints)
    for path, hint in hints.items():
        (found,) = [p for p in problems if p.startswith(f"{path}:")]
        assert hint in found


def test_a_value_outside_a_literal_gets_the_nearest_choice(monkeypatch):
    from typing import Literal

    from science.core import testing

    def init(self, mode: Literal["even", "odd"], width: int = 3, path: Path | None = None):
        pass

    pad = type("Pad", (), {"__init__": init, "__module__": "science.core.testing"})
    init.__globals__.update(Literal=Literal)
    monkeypatch.setattr(testing, "Pad", pad, raising=False)
    node = {"_target_": "science.core.testing.Pad", "mode": "eve", "width": "3"}
    first, second = wrong(protocol=node)
    assert first == "protocol.mode: expected one of 'even', 'odd', got 'eve'; did you mean 'even'?"
    assert second == "protocol.width: expected int, got '3'; did you mean 3?"
    assert wrong(protocol={**node, "mode": "odd", "width": 1, "path": "a/b"}) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"title": 3}, "title"),
        ({"seed": "1"}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": "???"}, "seed"),
        ({"trainer": "gpu"}, "trainer"),
        ({"trainer": None}, "trainer"),
        ({"trainer": {}}, "trainer"),
        ({"net": {"_target_": "torch.nn.Linear", "in_features": 1}}, "net.out_features"),
        (
            {"net": {"_target_": "torch.nn.Linear", "_args_": [1, 2, True, None, None, 6]}},
            "net._args_[5]",
        ),
        ({"net": {"_target_": "torch.nn.Linear", "_args_": [1, "x"]}}, "net._args_[1]"),
        (
            {"net": {"_target_": "torch.nn.Linear", "_args_": [1, 2], "in_features": 1}},
            "net.in_features",
        ),
        ({"net": {"_target_": "torch.nn.Linear", "_args_": 1}}, "net._args_"),
        ({"net": {"_target_": 3}}, "net._target_"),
        ({"net": {"_target_": None}}, "net._target_"),
        ({"net": {**ADAM, "_partial_": "yes"}}, "net._partial_"),
        ({"net": {**ADAM, "_partial_": False}}, "net._target_"),
        ({"net": [GOOD["net"]]}, "net"),
        ({"task": {**GOOD["task"], "net": GOOD["net"]}}, "task.net"),
        ({"task": {**GOOD["task"], "optimiser": ADAM}}, "task.optimiser"),
        ({"task": {**GOOD["task"], "optimizer": {**ADAM, "lr": "fast"}}}, "task.optimizer.lr"),
        ({"callbacks": GOOD["callbacks"]["stop"]}, "callbacks"),
        ({"callbacks": {"a": 3}}, "callbacks.a"),
        ({"callbacks": {"a": GOOD["net"]}}, "callbacks.a._target_"),
        ({"extra": {"deep": [{"_target_": "os.system"}]}}, "extra.deep[0]._target_"),
        ({"net": {"_target_": "torch.nn.Nope", "x": {"_target_": "os.system"}}}, "net.x._target_"),
    ],
)
def test_each_mistake_is_reported_at_its_path(changes, path):
    problems = wrong(**changes)
    assert [p for p in problems if p.startswith(f"{path}:")], problems


def test_missing_sections_are_named():
    assert {p.split(":")[0] for p in check({})} >= {"title", "seed", "data", "net", "task"}


def test_a_callback_may_be_switched_off():
    assert wrong(callbacks={"stop": None}) == []
    assert wrong(callbacks=None, baselines=None) == []


def test_a_suite_has_only_its_parts(house):
    with pytest.raises(ConfigError) as caught:
        checked("near/both")
    assert all(p.startswith("near/line: ") for p in caught.value.problems)
    assert check({"title": "t", "question": "q", "suite": ["a"]}) == []
    suite = {"title": "t", "question": "q", "suite": "a", "net": GOOD["net"]}
    assert {p.split(":")[0] for p in check(suite)} == {"suite", "net"}
    (house / "experiments/near/both/experiment.yaml").write_text(
        "title: t\nquestion: q\nsuite: [near/both, near/lien]\n"
    )
    with pytest.raises(ConfigError) as caught:
        checked("near/both")
    assert "do not nest" in caught.value.problems[0]
    assert "near/line" in caught.value.problems[1]


# What may be named

HOSTILE = [
    "os.system",
    "builtins.eval",
    "builtins.__import__",
    "subprocess.Popen",
    "pathlib.Path",
    "open",
    "",
    ".",
    "torch",
    "torch.load",
    "torch.hub.load",
    "torch.jit.load",
    "torch.nn.Parameter",
    "torch.nn.modules.loss._Loss",
    "torch.nn.utils.rnn.PackedSequence",
    "torch.nn.Module.load_state_dict",
    "torch.nn.functional.F",
    "torch.nn.modules.module.torch.load",
    "torch.nn.init.normal_",
    "torch.nn.__builtins__.eval",
    "torch.optim.Adam.__init__.__globals__",
    "torch.optim.lr_scheduler.warnings",
    "torch.utils.data.DataLoader",
    "torchmetrics.image.fid.FrechetInceptionDistance",
    "torchmetrics.text.BERTScore",
    "lightning.LightningModule.load_from_checkpoint",
    "lightning.pytorch.callbacks.os.system",
    "lightning.fabric.utilities.cloud_io._load",
    "pandas.read_pickle",
    "numpy.load",
    "yaml.unsafe_load",
    "importlib.import_module",
    "science.core.files.sha256",
    "science.core.files.write_text",
    "science.core.files.os.system",
    "science.core.files.Path",
    "science.core.config.load",
    "science.core.errors.UserError",
    "science.core.cli.ast.parse",
    "science.__main__.main",
    "hydra.utils.get_method",
    "torch.nn.Linear\n",
    "torch.nn.Linear; import os",
    "torch..nn.Linear",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_target_is_neither_checked_in_nor_built(name):
    with pytest.raises(NotAllowedError):
        resolve(name)
    assert any(p.startswith("net._target_:") for p in wrong(net={"_target_": name}))
    with pytest.raises(ConfigError):
        build({"_target_": name})
    with pytest.raises(ConfigError):
        build({"_target_": "torch.nn.Sequential", "_args_": [{"_target_": name}]})
    with pytest.raises(ConfigError):
        build({"_target_": name, "_partial_": True})


def test_a_refused_module_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("import pathlib\npathlib.Path('owned').touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("evil.Thing", "evil", "torch.evil.Thing", "torch.nn.evil.Thing"):
        assert wrong(net={"_target_": name})
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("torch.optim.AdmW", "torch.optim.AdamW"),
        ("torch.nm.Linear", "torch.nn.Linear"),
        ("lightning.Trianer", "lightning.Trainer"),
        ("torchmetrics.classification.BinaryAUROCC", "torchmetrics.classification.BinaryAUROC"),
        ("science.core.supervized.SupervisedTask", "science.core.supervised"),
        ("science.core.supervised.SupervisdTask", "science.core.supervised.SupervisedTask"),
    ],
)
def test_a_misspelt_target_gets_a_suggestion(name, meant):
    with pytest.raises(NotAllowedError, match=f"did you mean '{meant}'"):
        resolve(name)


def test_a_factory_needs_the_mark(monkeypatch):
    from science.core import testing
    from science.core.config import configurable

    def make(width: int = 2):
        return torch.nn.Linear(width, 1)

    make.__module__ = "science.core.testing"
    monkeypatch.setattr(testing, "make", make, raising=False)
    node = {"_target_": "science.core.testing.make", "width": 5}
    with pytest.raises(ConfigError):
        build(node)
    configurable(make)
    assert build(node).in_features == 5
    assert wrong(net=node) == []


# Building


def test_nodes_are_built_inside_out():
    net = build(
        {
            "_target_": "torch.nn.Sequential",
            "_args_": [GOOD["net"], {"_target_": "torch.nn.Dropout", "p": 0.25}],
        }
    )
    assert (net[0].in_features, net[1].p) == (3, 0.25)


def test_a_partial_waits_for_the_rest():
    make = build(ADAM)
    assert isinstance(make, functools.partial)
    optimizer = make(torch.nn.Linear(2, 1).parameters())
    assert optimizer.defaults["lr"] == 0.01


def test_extra_arguments_are_used_and_win():
    task = build(GOOD["task"], net=build(GOOD["net"]))
    assert task.net.in_features == 3
    assert build(GOOD["net"], in_features=8).in_features == 8


def test_values_take_the_type_their_parameter_asks_for(monkeypatch):
    from science.core import testing

    def init(self, folder: Path, sizes: tuple[int, ...] = (), rest=None):
        self.got = folder, sizes, rest

    keep = type("Keep", (), {"__init__": init, "__module__": "science.core.testing"})
    monkeypatch.setattr(testing, "Keep", keep, raising=False)
    rest = {"a": [1, {"b": 2}]}
    node = {"_target_": "science.core.testing.Keep", "folder": "a", "sizes": [1, 2], "rest": rest}
    built = build(node)
    assert built.got == (Path("a"), (1, 2), rest)
    built.got[2]["a"].append(3)
    assert rest == {"a": [1, {"b": 2}]}
    with pytest.raises(ConfigError, match="sizes"):
        build({**node, "sizes": ["x"]})
    inner = {"x": {"_target_": "os.system"}}
    assert build({**node, "rest": inner, "_recursive_": False}).got[2] == inner


def test_a_constructor_that_refuses_a_value_is_quoted():
    with pytest.raises(ConfigError, match="dropout probability"):
        build({"_target_": "torch.nn.Dropout", "p": 7.0})


def test_an_error_crosses_processes_whole():
    error = pickle.loads(pickle.dumps(ConfigError("a", "b", ["c", "d"])))
    assert (error.problem, error.cure, error.problems) == ("a", "b", ["c", "d"])


def test_nothing_is_left_in_the_working_directory(house, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    load("near/line")
    assert sorted(tmp_path.iterdir()) == before
