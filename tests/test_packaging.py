from __future__ import annotations

import email
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import science

ROOT = Path(__file__).resolve().parent.parent
MOVED = ("configs", "datasets", "experiments")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OWN_FOLDER = tuple(Path(science.__file__).parents)[1] == ROOT

pytestmark = pytest.mark.skipif(not OWN_FOLDER, reason="science is not imported from this checkout")


def pins(name: str) -> dict[str, str]:
    """Version of each distribution that a constraints file names."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    found = [line.partition(" --hash")[0] for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[^=<>*+]+", line) for line in found), name
    return dict(line.split("==") for line in found)


def offered() -> set[str]:
    """Files a user must get, as paths inside the wheel: what lies in the source folders."""
    found = set()
    for folder in ("science", *MOVED):
        for path in (ROOT / folder).rglob("*"):
            inside = path.relative_to(ROOT).as_posix()
            ignored = "__pycache__" in inside or "/." in inside or "/runs/" in inside
            if path.is_file() and not ignored:
                found.add(inside if folder == "science" else f"science/_share/{inside}")
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--disable-pip-version-check", "--target", str(target), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


def from_wheel(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_wheel_holds_every_file_of_the_source_folders_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == offered()


@pytest.mark.parametrize(
    "pattern",
    [
        r"science/py\.typed",
        r"science/core/templates/.+",
        r"science/releases/.+\.safetensors",
        r"science/_share/configs/base\.yaml",
        r"science/_share/datasets/\w+/.+\.yaml",
        r"science/_share/experiments/\w+/.+/experiment\.yaml",
    ],
)
def test_wheel_holds_what_the_commands_need(wheel: Path, pattern: str) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(re.fullmatch(pattern, name) for name in names)


def test_wheel_has_no_tests_and_no_large_file(wheel: Path) -> None:
    for member in zipfile.ZipFile(wheel).infolist():
        assert not re.search(r"(^|/)(tests?|conftest\.py|test_\w+\.py)(/|$)", member.filename)
        assert member.file_size <= 8_000_000, member.filename  # eight networks at half precision


def test_wheel_metadata(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (folder,) = {n.split("/")[0] for n in archive.namelist() if ".dist-info/" in n}
    about = email.message_from_bytes(archive.read(f"{folder}/METADATA"))
    assert about["Name"] == "fifth-paradigm"
    assert about["Version"] == science.__version__
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    assert f"{folder}/licenses/LICENSE" in archive.namelist()
    assert set(about.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])
    scripts = archive.read(f"{folder}/entry_points.txt").decode()
    assert "fifth = science.__main__:main" in scripts


def test_wheel_runs_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    where = from_wheel(installed, tmp_path, "-c", "import science; print(science.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(installed), where.stderr
    listed = from_wheel(installed, tmp_path, "-m", "science", "list", "experiments")
    assert listed.returncode == 0, listed.stderr
    for file in (ROOT / "experiments").glob("*/*/experiment.yaml"):
        assert file.parent.relative_to(ROOT / "experiments").as_posix() in listed.stdout
    assert list(tmp_path.iterdir()) == []


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    versions = re.findall(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert str(citation["version"]) == science.__version__
    assert versions[0] == science.__version__


def test_citation_has_what_the_format_asks_for() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert citation["license"] == PROJECT["license"]


def test_constraints_pin_every_direct_dependency_within_its_range() -> None:
    locked = pins("constraints.txt")
    unlocked = ("lightkurve", "mlflow", "sevennet")
    extras = {k: v for k, v in PROJECT["optional-dependencies"].items() if k not in unlocked}
    for text in [*PROJECT["dependencies"], *(r for rs in extras.values() for r in rs)]:
        wanted = Requirement(text)
        assert locked[canonicalize_name(wanted.name)] in wanted.specifier, text
    assert locked["torch"] == "2.13.0"


def test_hashed_lock_names_the_same_versions_except_torch() -> None:
    locked = pins("constraints.txt")
    del locked["torch"]
    assert pins("requirements.lock") == locked
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    hashes = [line.partition("--hash=sha256:")[2] for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in hashes)


def test_licence_table_is_complete_and_copyleft_stays_in_extras() -> None:
    page = (ROOT / "docs" / "licences.md").read_text("utf-8")
    always, _, optional = page.partition("\n## Added by")
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (\S+) \| (.+?) \| (.*)\|$", page, re.M)
    rows = [row for row in rows if row[0] != "distribution"]
    assert {name: version for name, version, *_ in rows} == pins("constraints.txt")
    assert not [terms for *_, terms, _ in rows if terms == "not declared"]
    assert "| **copyleft** |" not in always
    (strong,) = re.findall(r"^\| (\S+) .* \*\*copyleft\*\* \|$", optional, re.M)
    assert strong == "batman-package"


def test_licences_are_the_same_in_chinese() -> None:
    scope = runpy.run_path(str(ROOT / "scripts" / "licences.py"))
    english, twin = ((ROOT / "docs" / f"licences{x}.md").read_text("utf-8") for x in ("", ".zh"))
    assert twin == scope["chinese"](english)
    assert not re.search(r"copyleft \||^## [A-Z]", twin, re.M)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
class TestMake:
    """The Makefile with a stand-in for Python that writes down what it is asked for."""

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        folder = tmp_path / "a path with spaces"
        folder.mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder)
        python = folder / "python"
        python.write_text(
            "#!/bin/sh\n"
            'case "$1 $2" in\n'
            '  "-c "*version_info\\[*) echo 3.11 ;;\n'
            '  "-c "*) exit ${TOO_OLD:-0} ;;\n'
            '  "-m venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo venv >>log ;;\n'
            '  *) echo "$*" >>log ;;\n'
            "esac\n"
        )
        python.chmod(0o755)
        return folder

    def make(self, folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        ours = ("MAKE", "MFLAGS", "ARGS", "CPU", "EXTRAS", "PYTEST_ARGS", "PYTHON")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        named = f"PYTHON={folder / 'python'}"
        command = ["make", "-C", str(folder), named, *arguments]
        return subprocess.run(command, env={**kept, **more}, capture_output=True, text=True)

    def log(self, folder: Path) -> list[str]:
        lines = (folder / "log").read_text().splitlines()
        (folder / "log").unlink()
        return lines

    def test_installs_once_with_constraints_then_again_when_they_change(
        self, checkout: Path
    ) -> None:
        done = self.make(checkout, "run")
        assert done.returncode == 0, done.stderr
        venv, install, ran = self.log(checkout)
        assert venv == "venv"
        assert "pip install" in install
        assert "-c constraints.txt" in install
        assert install.endswith("-e .[transits,crystals,weather,proteins]")
        assert ran == "-m science quickstart"

        self.make(checkout, "run")
        assert self.log(checkout) == ["-m science quickstart"]

        newer = (checkout / ".venv" / ".ready-to-run").stat().st_mtime + 10
        os.utime(checkout / "constraints.txt", (newer, newer))
        self.make(checkout, "test")
        install, ran = self.log(checkout)
        extras = "transits,crystals,weather,proteins,grib,simulate,weather-peers,cluster,batman"
        extras += ",teach,docs,search,slurm,tensorboard"
        assert install.endswith(f"-e .[dev,{extras}]")
        assert ran.strip() == "-m pytest"

    def test_cpu_build_of_torch_is_an_option(self, checkout: Path) -> None:
        self.make(checkout, "run", "CPU=1")
        _, install, _ = self.log(checkout)
        assert "--extra-index-url https://download.pytorch.org/whl/cpu" in install

    def test_says_so_when_the_named_python_is_too_old(self, checkout: Path) -> None:
        done = self.make(checkout, "test", TOO_OLD="1")
        assert done.returncode != 0
        assert "is older than 3.11" in done.stderr
        assert not (checkout / ".venv").exists()

    def test_failed_installation_is_tried_again(self, checkout: Path) -> None:
        python = checkout / "python"
        honest = python.read_text()
        python.write_text(honest.replace('  *) echo "$*"', '  *pip*) exit 1 ;;\n  *) echo "$*"'))
        assert self.make(checkout, "run").returncode != 0
        assert not (checkout / ".venv" / ".ready-to-run").exists()

    def test_help_lists_every_target(self, checkout: Path) -> None:
        shown = self.make(checkout, "help").stdout
        for target in ("run", "test", "lint", "lock", "licences", "clean"):
            assert re.search(rf"^  {target} ", shown, re.M), target
