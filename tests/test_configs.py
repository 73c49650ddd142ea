"""Every YAML that ships composes and passes the gate."""

from __future__ import annotations

import pytest
import yaml

from science import paths
from science.core import config
from science.core.gate import SECTIONS

OPTIONS = sorted(p.relative_to(paths.CONFIGS) for p in paths.CONFIGS.glob("*/**/*.yaml"))


@pytest.mark.parametrize("name", config.experiments())
def test_an_experiment_is_right(name):
    assert config.checked(name)["title"].strip()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda p: p.as_posix())
def test_an_option_is_right(option, tmp_path):
    group = option.parts[0]
    chosen = option.relative_to(group).with_suffix("").as_posix()
    experiment = {"defaults": ["base", {group: chosen}, "_self_"], "title": "t", "question": "q"}
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(experiment))
    problems = config.check(config.load(tmp_path))
    assert group in SECTIONS
    assert not [p for p in problems if p.split(":")[0].split(".")[0].split("[")[0] == group]


def test_every_file_lies_where_it_is_found():
    stray = [p for p in paths.CONFIGS.glob("*.yaml") if p.name != "base.yaml"]
    stray += [p for p in paths.EXPERIMENTS.rglob("*.yaml") if p.name != "experiment.yaml"]
    assert not stray
    assert not list(paths.EXPERIMENTS.rglob("*.yml"))


def test_base_is_itself_a_beginning(tmp_path):
    (tmp_path / "experiment.yaml").write_text("defaults: [base, _self_]\n")
    problems = config.check(config.load(tmp_path))
    assert problems
    assert all("missing section" in p or "a value must be given" in p for p in problems)
