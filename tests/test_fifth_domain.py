"""A further domain is one new folder per column: no file that is there already is edited.

The example in ``tests/fifth_domain`` is laid over a copy of the checkout whose other domains'
experiments are left out, and then used from the command line as a domain of the house.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from safetensors.numpy import load_file

from science import paths

HERE = Path(__file__).parent
EXAMPLE = HERE / "fifth_domain"
COLUMNS = ("science", "configs", "experiments", "datasets")
CHECKS = ("conftest.py", "test_layers.py", "test_configs.py")
NAME, CARD = "pendulum/quickstart", "pendulum/simulated"

pytestmark = pytest.mark.skipif(
    paths.ROOT == paths.PACKAGE / "_share", reason="the domain is laid over a checkout"
)


def ours(folder: str, names: list[str]) -> set[str]:
    """What is not copied: caches, and the experiments of other domains (they take too long)."""
    left_out = {"__pycache__"} & set(names)
    return left_out | (set(names) if Path(folder) == paths.EXPERIMENTS else set())


def digests(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }


class House:
    """A copy of the checkout with one more domain in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for column in COLUMNS:
            shutil.copytree(paths.ROOT / column, folder / column, ignore=ours)
        (folder / "tests").mkdir()
        for name in CHECKS:
            shutil.copy(HERE / name, folder / "tests" / name)
        self.before = digests(folder)
        self.laid = {}
        for column in (*COLUMNS, "tests"):
            self.laid |= {f"{column}/{k}": v for k, v in digests(EXAMPLE / column).items()}
            shutil.copytree(EXAMPLE / column, folder / column, dirs_exist_ok=True)

    def python(self, *words: str) -> str:
        env = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fifth(self, *words: str) -> str:
        return self.python("-m", "science", *words)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def run(house):
    out = house.folder / "out/run"
    assert house.fifth("run", NAME, "--out", str(out)).splitlines()[-1] == f"run: {out}"
    return out


def test_it_is_new_files_in_every_column_and_no_edited_one(house):
    assert not house.before.keys() & house.laid.keys()
    assert {name.split("/")[0] for name in house.laid} == {*COLUMNS, "tests"}
    assert all("pendulum" in Path(name).parts for name in house.laid)


def test_the_command_finds_it(house):
    assert house.fifth("list", "experiments").split()[0] == NAME
    assert CARD in house.fifth("list", "datasets")
    help_page = [line.split(maxsplit=1) for line in house.fifth("--help").splitlines()]
    assert ["pendulum", "Damped and driven pendulums."] in help_page
    rows = house.fifth("pendulum", "swing", "--torque", "0.1").splitlines()
    assert rows[:2] == ["time,angle", "0,1.000000"]
    assert house.fifth("check", NAME) == "ok\n"


def test_it_keeps_the_rules_of_the_house(house):
    """Its own tests, and those that hold layers and configs, now that it is there."""
    quiet = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib")
    said = house.python("-m", "pytest", *quiet, "tests", "-k", "pendulum")
    files = [name for name in house.laid if name.endswith(".py") and name.startswith("science")]
    assert int(re.search(r"(\d+) passed", said)[1]) > len(files) + 3
    assert "skipped" not in said


def test_a_run_writes_what_every_run_writes(run):
    names = {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()}
    assert names >= {
        "config.yaml",
        "manifest.json",
        "metrics.json",
        "predictions.csv",
        "history.csv",
        "report.html",
        "weights/member0.safetensors",
    }
    assert any(name.startswith("head.") for name in load_file(run / "weights/member0.safetensors"))
    page = (run / "report.html").read_text()
    assert "Pendulums: damped or driven?" in page
    assert json.loads((run / "manifest.json").read_text())["data"]["card"] == CARD


def test_the_network_learns_something_and_is_judged_beside_baselines(run):
    rows = {
        r["model"]: r["metrics"] for r in json.loads((run / "metrics.json").read_text())["rows"]
    }
    assert list(rows) == ["this run", "boosted-trees", "late-swing"]
    assert rows["this run"]["auc"]["value"] > 0.7
    assert rows["late-swing"]["auc"]["value"] > 0.7
    table = pd.read_csv(run / "predictions.csv")
    assert list(table)[:3] == ["id", "label", "score"]
    assert len(table) == 40
    assert table["score"].between(0, 1).all()


def test_a_run_can_be_judged_again(house, run):
    out = house.folder / "out/evaluation"
    house.fifth("evaluate", str(run), "--dataset", CARD, "--split", "test", "--out", str(out))
    same = [pd.read_csv(folder / "predictions.csv") for folder in (run, out)]
    assert list(same[0]["id"]) == list(same[1]["id"])
    assert same[1]["score"].to_numpy() == pytest.approx(same[0]["score"].to_numpy(), abs=1e-6)
    assert (out / "report.html").is_file()


def test_the_quickstart_includes_it(house, monkeypatch, tmp_path):
    from science.core import quickstart

    named = []
    done = SimpleNamespace(folder=tmp_path, metrics={"parts": {}})
    monkeypatch.setattr(paths, "EXPERIMENTS", house.folder / "experiments")
    monkeypatch.setattr(quickstart, "checked", named.append)
    monkeypatch.setattr(quickstart, "suite", lambda config, _: named.append(config) or done)
    quickstart.quickstart(tmp_path)
    assert named[0] == NAME
    assert named[1]["suite"] == [NAME]
