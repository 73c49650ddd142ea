"""A bundle is whole, says what it is to other tools, and shows every tampering."""

from __future__ import annotations

import json
import random
import re
import shutil
import zipfile
from dataclasses import replace

import pytest

from science.__main__ import main
from science.core.errors import UserError
from science.core.rerun.bundle import CRATE, SUMS, export
from science.core.rerun.doctor import diff, doctor
from science.core.rerun.rerun import rerun
from science.core.rerun.verify import unpacked, verify


@pytest.fixture(scope="module")
def bundle(original, tmp_path_factory):
    return export(original[1], tmp_path_factory.mktemp("bundle") / "run.zip")


def rewritten(bundle, out, change):
    """A copy whose entries went through ``change(name, data)``; None leaves one out."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = change(entry.filename, old.read(entry))
            if data is not None:
                new.writestr(entry.filename, data)
    return out


def test_it_is_the_same_for_the_same_run_and_verifies(original, bundle, tmp_path, capsys):
    again = export(original[1], tmp_path / "again.zip")
    assert again.read_bytes() == bundle.read_bytes()
    assert verify(bundle) == []
    assert main(["verify", str(bundle)]) == 0
    assert "ok" in capsys.readouterr().out
    names = set(zipfile.ZipFile(bundle).namelist())
    told = {"README.md", "model-card.md", "reforms.md", "data.croissant.json", CRATE, SUMS}
    told |= {"requirements.txt"}
    assert names >= told | {"run/manifest.json", "run/report.html", "run/metrics.json"}


def test_every_altered_file_is_named(bundle, tmp_path):
    names = zipfile.ZipFile(bundle).namelist()
    drawn = random.Random(0)
    for number in range(100):
        name = drawn.choice([n for n in names if n != SUMS])
        kind = drawn.choice(["bit", "cut", "gone", "more"])

        def change(this, data, name=name, kind=kind):
            if this != name:
                return data
            if kind == "bit" and data:
                place = drawn.randrange(len(data))
                return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            return {"cut": data[:-1], "gone": None, "more": data + b" "}.get(kind, data + b"x")

        broken = rewritten(bundle, tmp_path / "broken.zip", change)
        found = dict(verify(broken))
        assert found.keys() == {name}, (number, kind, name, found)
        assert found[name].startswith("removed" if kind == "gone" else "altered")


def test_added_doubled_and_strange_files_are_named(bundle, tmp_path):
    for name in ("run/new.txt", "../out.txt", "/abs.txt", "a\\b"):
        broken = shutil.copy(bundle, tmp_path / "broken.zip")
        with zipfile.ZipFile(broken, "a") as archive:
            archive.writestr(name, "x")
        assert name in dict(verify(broken))
        with pytest.raises(UserError):
            unpacked(broken, tmp_path / "never")
        assert not (tmp_path / "never").exists()
    broken = shutil.copy(bundle, tmp_path / "twice.zip")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(broken, "a") as archive:
        archive.writestr("README.md", "x")
    assert "README.md" in dict(verify(broken))


@pytest.mark.parametrize("data", [b"", b"nothing", b"PK\x03\x04"])
def test_what_is_no_archive_is_said_to_be_damaged(tmp_path, data):
    (tmp_path / "x.zip").write_bytes(data)
    ((name, what),) = verify(tmp_path / "x.zip")
    assert name == "x.zip"
    assert "damaged" in what
    assert main(["verify", str(tmp_path / "x.zip")]) == 3
    assert main(["verify", str(tmp_path / "gone.zip")]) == 2


def test_a_torn_archive_is_seen_at_any_length(bundle, tmp_path):
    raw = bundle.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        (tmp_path / "torn.zip").write_bytes(raw[: int(len(raw) * share)])
        assert verify(tmp_path / "torn.zip")


def test_it_repeats_from_the_bundle_alone(original, bundle, place, tmp_path):
    """The maker's data are gone; the run kept what it needs."""
    hidden = original[0].parent / "data"
    hidden.rename(hidden.with_name("elsewhere"))
    try:
        verdict = rerun(bundle, out=tmp_path / "out", place=place)
    finally:
        hidden.with_name("elsewhere").rename(hidden)
    assert verdict.graded.grade == "R4", verdict.graded.reasons


def test_a_doctor_needs_no_run(original, env, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    health = doctor(original[1])
    assert not {"code", "data", "threads", "instructions", "hardware"} & set(health.layers)
    assert health.data == {}
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert "instructions" in doctor(original[1]).layers


def test_two_runs_side_by_side(original, start, tmp_path):
    file, whole = original
    assert diff(whole, whole).lines() == ["no difference: same recipe, same bits"]
    status, job = start(file, tmp_path / "other", "never", "seed=4")
    assert status == 0, job.said()
    found = diff(whole, tmp_path / "other")
    assert list(found.layers) == ["seed"]
    assert found.parting.step == 0
    assert "metrics.json" in found.files


def test_the_crate_names_every_file_with_its_digest(bundle):
    import hashlib

    with zipfile.ZipFile(bundle) as archive:
        graph = json.loads(archive.read(CRATE))["@graph"]
        files = {e["@id"]: e for e in graph if e["@type"] == "File"}
        names = set(archive.namelist()) - {CRATE, SUMS}
        assert set(files) == names
        for name, entry in files.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == entry["sha256"]
    by_id = {entry["@id"]: entry for entry in graph}
    root = by_id["./"]
    assert {part["@id"] for part in root["hasPart"]} == names
    action = by_id[root["mentions"]["@id"]]
    assert action["@type"] == "CreateAction"
    assert by_id[action["instrument"]["@id"]]["@type"] == "SoftwareApplication"
    for pointed in [*action["object"], *action["result"]]:
        assert pointed["@id"] in by_id


def test_other_peoples_library_reads_the_crate(bundle, tmp_path):
    crates = pytest.importorskip("rocrate.rocrate")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "crate")
    opened = crates.ROCrate(tmp_path / "crate")
    assert opened.root_dataset["conformsTo"]["@id"].startswith("https://w3id.org/ro/wfrun/process")
    action = next(e for e in opened.contextual_entities if e.type == "CreateAction")
    assert action["instrument"]["name"] == "fifth-paradigm"


def test_other_peoples_library_reads_the_croissant(bundle, tmp_path):
    croissants = pytest.importorskip("mlcroissant")
    with zipfile.ZipFile(bundle) as archive:
        path = archive.extract("data.croissant.json", tmp_path)
    about = croissants.Dataset(jsonld=path)
    assert about.metadata.name == "toy-rows"
    assert not about.metadata.ctx.issues.errors


def test_who_has_nothing_but_the_bundle_is_told_how_to_begin(bundle, tmp_path):
    """The commands of its README lead to the sources that made the run."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "bundle")
    text = (tmp_path / "bundle/README.md").read_text()
    (place,) = re.findall(r"zipfile -e (bundle/run/store/\S+) sources", text)
    with zipfile.ZipFile(tmp_path / place) as sources:
        assert {"science/__main__.py", "configs/base.yaml"} <= set(sources.namelist())
    lines = (tmp_path / "bundle/requirements.txt").read_text().splitlines()
    assert any(line.startswith("torch==") for line in lines)
    assert all("==" in line or line.startswith("#") for line in lines)
    assert "--extra-index-url" in text if any("+cpu" in line for line in lines) else True


def test_texts_for_people_say_what_was_recorded(bundle):
    with zipfile.ZipFile(bundle) as archive:
        card, forms = (archive.read(n).decode() for n in ("model-card.md", "reforms.md"))
    assert "toynet.ToyNet" in card
    assert "for the authors" in forms
    assert "| 2e." in forms


def test_a_secret_in_a_run_stops_the_export(original, tmp_path):
    copy = shutil.copytree(original[1], tmp_path / "copy")
    (copy / "notes.txt").write_text("token=ghp_" + "a1" * 18)
    with pytest.raises(UserError, match=r"notes\.txt"):
        export(copy, tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()


SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    "HF_TOKEN": "hf_" + "d4" * 17,
    "WANDB_API_KEY": "0123456789abcdef0123456789abcdef01234567",
    "GITHUB_TOKEN": "ghp_" + "a1" * 18,
    "DB_PASSWORD": "correct-horse-battery",
}


def test_secrets_of_the_environment_are_nowhere_in_a_run(start, toy, tmp_path):
    home = tmp_path / "home" / "somebody"
    home.mkdir(parents=True)
    file = toy.experiment(home)
    status, job = start(file, tmp_path / "run", HOME=str(home), **SECRETS)
    assert status == 0, job.said()
    for path in (p for p in (tmp_path / "run").rglob("*") if p.is_file()):
        data = path.read_bytes()
        for secret in SECRETS.values():
            assert secret.encode() not in data, path
    assert str(home) not in (tmp_path / "run/manifest.json").read_text()
    out = export(tmp_path / "run", tmp_path / "run.zip")
    with zipfile.ZipFile(out) as archive:
        everything = b"".join(map(archive.read, archive.namelist()))
    assert not [s for s in SECRETS.values() if s.encode() in everything]


def test_a_rerun_of_an_altered_bundle_is_refused(bundle, place, tmp_path):
    broken = rewritten(
        bundle, tmp_path / "b.zip", lambda n, d: d + b" " if n == "run/config.yaml" else d
    )
    with pytest.raises(UserError, match=r"run/config\.yaml: altered"):
        rerun(broken, out=tmp_path / "out", place=replace(place))
