"""The command: its exit statuses, its errors, and what it leaves unimported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import science
from science import paths
from science.__main__ import main
from science.core import cli
from science.core.errors import UserError

ROOT = Path(science.__file__).parent.parent


def python(*arguments, **how):
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, **how)


def stand_in(monkeypatch, name, **content):
    """Put a module in place of one that a verb imports."""
    module = ModuleType(name)
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def domain(tmp_path, monkeypatch):
    """A package folder with one domain whose commands say when they are imported."""
    package = tmp_path / "science"
    (package / "herbs").mkdir(parents=True)
    (package / "herbs/__init__.py").write_text("")
    (package / "herbs/commands.py").write_text(
        '"""Herbs and their verbs.\n\nMore.\n"""\n'
        "import typer\nfrom pathlib import Path\nPath('imported').touch()\n"
        "app = typer.Typer()\n"
        "@app.command()\ndef smell(name: str) -> None:\n"
        "    '''Smell one.'''\n    print('mmh', name)\n"
    )
    (package / "bare").mkdir()
    monkeypatch.setattr(paths, "PACKAGE", package)
    monkeypatch.setattr(science, "__path__", [*science.__path__, str(package)])
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [n for n in sys.modules if n.startswith("science.herbs")]:
        del sys.modules[name]


def test_help_imports_nothing_heavy():
    heavy = "torch numpy lightning hydra pandas scipy pydantic matplotlib astropy yaml"
    code = (
        "import sys; from science.__main__ import main; status = main(['--help']);"
        f"print('HEAVY', set({heavy!r}.split()) & set(sys.modules)); sys.exit(status)"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert "HEAVY set()" in done.stdout
    for verb in ("list", "check", "run", "evaluate", "report", "data", "bench", *cli.domains()):
        assert f"\n  {verb} " in done.stdout


def test_python_m_science_works_from_an_empty_folder(tmp_path):
    done = python("-m", "science", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"fifth-paradigm {science.__version__}\n")
    assert not list(tmp_path.iterdir())


def test_a_closed_pipe_ends_quietly():
    done = subprocess.run(
        [f"{sys.executable} -m science --help | true"],
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stderr == ""


def test_a_domain_is_found_without_being_imported(domain, capsys):
    assert cli.domains() == ["herbs"]
    assert main(["--help"]) == 0
    assert "Herbs and their verbs." in capsys.readouterr().out
    assert not (domain / "imported").exists()


def test_a_domains_only_verb_keeps_its_name(domain, capsys):
    assert main(["herbs", "smell", "mint"]) == 0
    assert capsys.readouterr().out == "mmh mint\n"
    assert (domain / "imported").exists()
    assert main(["herbs", "--help"]) == 0
    assert "Smell one." in capsys.readouterr().out
    assert main(["herbs", "smel", "mint"]) == 2


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (
            UserError("x: empty", "fetch it again"),
            2,
            "error: x: empty\n  cure: fetch it again\n",
        ),
        (UserError("x: empty"), 2, "error: x: empty\n"),
        (KeyboardInterrupt(), 130, None),
        (ModuleNotFoundError("no", name="astropy.io"), 2, None),
    ],
)
def test_errors_become_one_line_and_a_status(monkeypatch, capsys, raised, status, said):
    def fail(*_, **__):
        raise raised

    stand_in(monkeypatch, "science.core.run", run=fail)
    assert main(["run", "near/line"]) == status
    heard = capsys.readouterr()
    assert heard.out == ""
    assert "Traceback" not in heard.err
    if said is not None:
        assert heard.err == said
    if isinstance(raised, ModuleNotFoundError):
        assert "'astropy'" in heard.err
        assert "pip install" in heard.err


@pytest.mark.parametrize("raised", [ValueError("ours"), ModuleNotFoundError("x", name="science.x")])
def test_a_defect_of_ours_keeps_its_traceback(monkeypatch, raised):
    def fail(*_, **__):
        raise raised

    stand_in(monkeypatch, "science.core.run", run=fail)
    with pytest.raises(type(raised)):
        main(["run", "near/line"])


def test_run_hands_over_what_was_typed(monkeypatch, capsys):
    seen = []

    def run(experiment, overrides, out):
        seen.append((experiment, list(overrides), out))
        return SimpleNamespace(folder=Path("there"))

    stand_in(monkeypatch, "science.core.run", run=run)
    assert main(["run", "near/line", "net=near/big", "~callbacks", "--out", "o"]) == 0
    assert main(["run", "near/line"]) == 0
    assert seen == [
        ("near/line", ["net=near/big", "~callbacks"], Path("o")),
        ("near/line", [], None),
    ]
    assert "there" in capsys.readouterr().out


def test_evaluate_hands_over_what_was_typed(monkeypatch, tmp_path):
    seen = []
    stand_in(monkeypatch, "science.core.evaluate", evaluate=lambda *a, **k: seen.append((a, k)))
    monkeypatch.setenv("FIFTH_RUNS", str(tmp_path))
    assert main(["evaluate", "near/one", "--dataset", "near/card", "--split", "val"]) == 0
    ((args, words),) = seen
    assert args == ("near/one",)
    assert (words["dataset"], words["split"]) == ("near/card", "val")
    assert words["out"].is_relative_to(tmp_path)
    assert main(["evaluate", "near/one"]) == 2


def test_check_prints_ok_or_every_problem(tmp_path, capsys):
    file = tmp_path / "experiment.yaml"
    file.write_text("title: t\nquestion: q\nsuite: []\n")
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "ok\n"
    file.write_text("titel: t\nnet: {_target_: torch.load}\n")
    assert main(["check", str(tmp_path), "seed=x"]) == 2
    said = capsys.readouterr().err
    for part in ("titel: ", "'title'", "net._target_: 'torch.load'", "seed: expected int"):
        assert part in said


def test_list_shows_kinds_and_refuses_others(tmp_path, monkeypatch, capsys):
    (tmp_path / "near/line").mkdir(parents=True)
    (tmp_path / "near/line/experiment.yaml").write_text("title: A line\n")
    (tmp_path / "near/odd").mkdir(parents=True)
    (tmp_path / "near/odd/experiment.yaml").write_text("[")
    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path)
    assert main(["list", "experiments"]) == 0
    assert capsys.readouterr().out == "near/line  A line\nnear/odd   (not readable)\n"
    assert main(["list", "experimets"]) == 2
    assert "experiments, datasets, releases" in capsys.readouterr().err


def test_data_verify_fails_where_a_file_is_wrong(monkeypatch, capsys):
    states = [("a.csv", "ok"), ("b.csv", "missing")]
    stand_in(monkeypatch, "science.core.datasets", verify=lambda card: states)
    assert main(["data", "verify", "near/card"]) == 2
    assert "b.csv  missing" in capsys.readouterr().out
    states.pop()
    assert main(["data", "verify", "near/card"]) == 0


@pytest.mark.parametrize("typed", [["lst"], ["run"], ["run", "x", "--nope"], ["data", "gett"]])
def test_a_wrong_command_line_ends_with_two(typed):
    assert main(typed) == 2


def test_bench_wants_a_domain(domain, monkeypatch, capsys):
    stand_in(monkeypatch, "science.core.bench", bench=lambda *given, **how: print(*given, how))
    assert main(["bench", "herbs", "--turns", "3"]) == 0
    assert main(["bench", "stars"]) == 2
    told = capsys.readouterr()
    assert "herbs None {'turns': 3}" in told.out
    assert "herbs" in told.err
