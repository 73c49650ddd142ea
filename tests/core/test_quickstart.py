"""One command runs every domain's quickstart and leads to one page."""

from __future__ import annotations

import pytest

from science import paths
from science.__main__ import main
from science.core import data
from science.core.config import ConfigError
from science.core.errors import UserError
from science.core.quickstart import quickstart

from . import toy


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "read_table", toy.table)
    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path / "experiments")
    quick = {"trainer": {"max_epochs": 1}}
    for domain in ("near", "far"):
        toy.experiment(tmp_path / f"experiments/{domain}/quickstart", title=f"So {domain}", **quick)
    toy.experiment(tmp_path / "experiments/near/long", **quick)
    return tmp_path


def test_every_domain_runs_and_one_page_tells(home, capsys):
    assert main(["quickstart", "--out", str(home / "out")]) == 0
    said = capsys.readouterr().out
    assert f"report: {home / 'out/report.html'}" in said
    assert "near/quickstart" in said
    assert "this run" in said
    page = (home / "out/report.html").read_text()
    assert "So near" in page
    assert "So far" in page
    assert (home / "out/near-quickstart/weights/member0.safetensors").is_file()
    assert not (home / "out/near-long").exists()


def test_it_goes_on_where_it_was_cut_short(home, monkeypatch):
    from science.core import run as module

    single, started = module._single, []

    def once(config, folder, experiment):
        started.append(folder.name)
        if len(started) == 2:
            raise KeyboardInterrupt
        return single(config, folder, experiment)

    monkeypatch.setattr(module, "_single", once)
    with pytest.raises(KeyboardInterrupt):
        quickstart(home / "out")
    assert quickstart(home / "out") == home / "out"
    first, second, again = started
    assert first != second == again


def test_all_is_checked_before_anything_runs(home):
    toy.experiment(home / "experiments/zebra/quickstart", trainer={"max_epoch": 1})
    with pytest.raises(ConfigError, match="max_epochs"):
        quickstart(home / "out")
    assert not (home / "out").exists()


def test_without_any_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path)
    with pytest.raises(UserError, match="quickstart"):
        quickstart(tmp_path / "out")
