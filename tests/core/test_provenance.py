"""What a run was made of: digests that mean something, and no secrets."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from science import paths
from science.core.errors import UserError
from science.core.provenance import numeric, schema
from science.core.provenance.canonical import canonical, identify
from science.core.provenance.claims import judge, proposed
from science.core.provenance.environment import distributions
from science.core.provenance.identity import byte_id, semantic_id, split_ids
from science.core.provenance.secrets import WITHHELD, clean, found
from science.core.provenance.snapshot import snapshot, unpack
from science.core.provenance.store import Store

from . import toy


def test_canonical_json_does_not_depend_on_order_or_script():
    left, right = {"b": 1, "a": [1.5, "é 中"]}, {"a": [1.5, "é 中"], "b": 1}
    assert canonical(left) == canonical(right) == '{"a":[1.5,"\\u00e9 \\u4e2d"],"b":1}'
    assert identify(left) == identify(right) != identify({"b": 2})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


def test_the_published_schema_is_that_of_the_models():
    assert schema.FILE.read_text(encoding="utf-8") == schema.schema()
    assert "recipe_id" in json.loads(schema.schema())["required"]


@pytest.mark.parametrize("data", [None, [], {}, {"schema": 1}, {"schema": 2, "seed": "x"}])
def test_what_is_no_manifest_is_refused_with_a_reason(data):
    with pytest.raises(UserError, match=r"manifest\.json"):
        schema.parse(data)


TOKENS = (
    "ghp_" + "a1" * 18,
    "github_pat_" + "b2" * 20,
    "glpat-" + "c3" * 10,
    "hf_" + "d4" * 17,
    "sk-" + "e5" * 20,
    "pypi-" + "f6" * 20,
    "xoxb-1234567890-abcdef",
    "AKIA" + "A1" * 8,
    "AIza" + "g7" * 18,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk",
    "Bearer abcdefghijklmnopqrstuvwxyz",
    "-----BEGIN RSA PRIVATE KEY-----",
    "https://me:hunter2hunter2@example.org/data",
)
ASSIGNED = (
    "password=correct-horse",
    "api_key: 'abcdef123456'",
    "--token=abcdefghijk",
    '{"secret": "s3cr3t-value"}',
)
HOMES = ("/home/alice/data.csv", "/Users/bob/x", "C:\\Users\\carol\\y", str(Path.home() / "z"))


@pytest.mark.parametrize("planted", TOKENS + ASSIGNED)
@pytest.mark.parametrize("how", ["value", "key", "nested"])
def test_planted_secrets_do_not_get_through(planted, how):
    tree = {"value": {"note": planted}, "key": {planted: 1}, "nested": [{"a": [f"x {planted} y"]}]}
    told = json.dumps(clean(tree[how]))
    secret = planted.split("=")[-1].split(": ")[-1].strip("'\"}").split("@")[0].split("//")[-1]
    assert secret.removeprefix("Bearer ") not in told
    assert WITHHELD in told


@pytest.mark.parametrize("planted", HOMES)
def test_nobodys_home_gets_through(planted):
    told = json.dumps(clean({"path": [planted], planted: 1}))
    assert "alice" not in told
    assert "bob" not in told
    assert "carol" not in told
    assert f"{Path.home()}/" not in told
    assert found(f"open({planted!r})")


def test_values_of_secret_variables_are_known_by_their_names(monkeypatch):
    monkeypatch.setenv("LAB_API_TOKEN", "quite-plain-words")
    assert clean("curl -H quite-plain-words") == f"curl -H {WITHHELD}"
    assert found("x = 'quite-plain-words'")


def test_ordinary_facts_are_left_alone():
    facts = {"digest": "ab" * 32, "auc": 0.5, "tokens": 12, "note": "author of tokenizers==0.21"}
    facts["author"] = "Somebody Else"
    facts["altered"] = {"google/auth/token.py": "planted", "SecretStorage": "3.3.3"}
    assert clean(facts) == facts
    assert not found("def author(token): return token")


def test_the_store_gives_back_what_was_put_and_notices_changes(tmp_path):
    store = Store(tmp_path)
    name = store.put(b"abc")
    assert name == hashlib.sha256(b"abc").hexdigest()
    assert store.put(b"abc") == name
    assert store.get(name) == b"abc"
    store.path(name).write_bytes(b"abd")
    with pytest.raises(UserError, match="changed"):
        store.get(name)
    for wrong in ("../../etc/passwd", "", "AB" * 32):
        with pytest.raises(UserError):
            store.get(wrong)


def site(folder, files):
    """A folder of packages with one distribution, whose list is right at first."""
    (folder / "near-1.0.dist-info").mkdir(parents=True)
    lines = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        lines.append(f"{name},sha256={digest.rstrip('=')},{len(text)}")
    (folder / "near-1.0.dist-info/METADATA").write_text("Name: near\nVersion: 1.0\n")
    lines.append("near-1.0.dist-info/METADATA,,")
    (folder / "near-1.0.dist-info/RECORD").write_text("\n".join(lines))
    return folder


def later(path):
    """As if it had been written long after the installation."""
    stamp = path.stat().st_mtime_ns + 3600 * 10**9
    os.utime(path, ns=(stamp, stamp))


def test_edited_planted_and_missing_files_are_found(tmp_path):
    folder = site(tmp_path / "site", {"near/a.py": "a = 1\n", "near/b.py": "b = 2\n"})
    clean_ = distributions(folder)
    assert clean_["altered"] == {}
    assert clean_["distributions"]["near"]["version"] == "1.0"
    (folder / "near/a.py").write_text("a = 2\n")  # as long as before
    later(folder / "near/a.py")
    (folder / "near/b.py").unlink()
    (folder / "near/spy.py").write_text("import os")
    found_ = distributions(folder)
    assert found_["altered"] == {
        "near/a.py": "edited",
        "near/b.py": "missing",
        "near/spy.py": "planted",
    }
    assert found_["distributions"] != clean_["distributions"]
    assert distributions(folder) == found_


def test_an_edit_with_a_forged_date_is_found_by_a_deep_look(tmp_path):
    folder = site(tmp_path / "site", {"near/a.py": "a = 1\n"})
    old = (folder / "near/a.py").stat().st_mtime_ns
    (folder / "near/a.py").write_text("a = 2\n")
    os.utime(folder / "near/a.py", ns=(old, old))
    assert distributions(folder)["altered"] == {}
    assert distributions(folder, deep=True)["altered"] == {"near/a.py": "edited"}


def dataset():
    xr = pytest.importorskip("xarray")
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "t2m": (("time", "lat"), rng.normal(size=(4, 8)).astype("f4"), {"units": "K"}),
            "name": (("time",), np.array(["a", "é", "c", "d"])),
        },
        coords={
            "time": np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]").astype("M8[ns]"),
            "lat": np.linspace(-90, 90, 8),
        },
    )


def test_the_same_dataset_written_by_two_engines_is_the_same_data(tmp_path):
    xr, data = pytest.importorskip("xarray"), dataset()
    pytest.importorskip("netCDF4")
    pytest.importorskip("scipy")
    data.to_netcdf(tmp_path / "a.nc", engine="netcdf4")
    data.to_netcdf(tmp_path / "b.nc", engine="scipy")
    packed = {"t2m": {"zlib": True, "chunksizes": (1, 8)}}
    data.to_netcdf(tmp_path / "c.nc", engine="netcdf4", encoding=packed)
    digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in tmp_path.iterdir()}
    assert len({byte_id({"data": d}) for d in digests.values()}) == 3
    meant = set()
    for path in tmp_path.iterdir():
        with xr.open_dataset(path) as opened:
            meant.add(semantic_id(opened))
    assert meant == {semantic_id(data)}
    assert semantic_id(data.assign(t2m=data["t2m"] + 1e-6)) not in meant
    assert semantic_id(data.rename(lat="latitude")) not in meant


def test_samples_have_one_identity_however_their_numbers_are_stored():
    table = toy.table()
    inputs = {n: table.inputs[n].copy() for n in reversed(list(table.inputs))}
    inputs["own"] = inputs["own"].astype(">f4")
    other = type(table)(**{**table.__dict__, "inputs": inputs, "id": table.id.astype("<U99")})
    assert semantic_id(other) == semantic_id(table)
    inputs["own"] = inputs["own"].copy()
    inputs["own"][3, 0] += 1e-6
    assert semantic_id(other) != semantic_id(table)


def test_splits_are_told_apart_by_their_members():
    table = toy.table()
    before = split_ids(table)
    assert set(before) == {"train", "val", "test"}
    swapped = table.split.copy()
    one, two = np.flatnonzero(swapped == "train")[0], np.flatnonzero(swapped == "test")[0]
    swapped[[one, two]] = swapped[[two, one]]
    after = split_ids(type(table)(**{**table.__dict__, "split": swapped}))
    assert before["val"] == after["val"]
    assert before["train"] != after["train"]
    assert before["test"] != after["test"]


def test_large_arrays_are_read_in_blocks_without_changing_their_identity(monkeypatch):
    from science.core.provenance import identity

    array = {"x": np.arange(600.0).reshape(100, 6)}
    whole = semantic_id(array)
    monkeypatch.setattr(identity, "_BLOCK", 500)
    assert semantic_id(array) == whole


def test_what_cannot_be_looked_into_has_no_identity():
    assert semantic_id(object()) is None


def test_a_snapshot_holds_the_sources_and_refuses_to_write_elsewhere(tmp_path):
    import io
    import zipfile

    folder = unpack(snapshot(), tmp_path / "code")
    assert (folder / "science/core/run.py").is_file()
    assert not list(folder.rglob("*.safetensors"))
    kept = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    every = (p for p in paths.PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    missing = {f"science/{p.relative_to(paths.PACKAGE).as_posix()}" for p in every} - kept
    assert not [name for name in missing if not name.endswith(".safetensors")]
    for name in ("../x", "/x", "a\\b", "c:x"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(UserError, match="leads out"):
            unpack(buffer.getvalue(), tmp_path / "bad")
    with pytest.raises(UserError, match="damaged"):
        unpack(b"PK nothing", tmp_path / "bad")


ROWS = [
    {"model": "this run", "measure": "auc", "value": 0.9, "low": 0.86, "high": 0.94},
    {"model": "trees", "measure": "auc", "value": 0.8, "low": 0.7, "high": 0.85},
    {"model": "near", "measure": "auc", "value": 0.89, "low": 0.8, "high": 0.95},
    {"model": "this run", "measure": "rmse@20", "value": 0.2, "low": 0.1, "high": 0.25},
    {"model": "trees", "measure": "rmse@20", "value": 0.3, "low": 0.28, "high": 0.33},
]
ROWS = [{**row, "lower_is_better": row["measure"] != "auc"} for row in ROWS]


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("auc.ours > auc.trees", True),
        ("auc.ours < auc.trees", False),
        ("auc.ours >= 0.9", True),
        ("0.95 > auc.ours", True),
        ("rmse@20.ours < 2.5e-1", True),
        ("auc.ours > auc.nobody", None),
        ('"hit rate of 0.1".ours >= 0.5', None),
    ],
)
def test_claims(claim, holds):
    assert judge(claim, ROWS) is holds


@pytest.mark.parametrize("claim", ["", "auc", "auc.ours = 1", "__import__('os')"])
def test_what_is_no_claim_is_refused(claim):
    with pytest.raises(UserError, match="no claim"):
        judge(claim, ROWS)


def test_only_claims_beyond_the_intervals_are_proposed():
    assert proposed(ROWS) == ["auc.ours > auc.trees", "rmse@20.ours < rmse@20.trees"]


def test_where_nobody_is_beaten_it_has_to_stay_within_its_interval():
    row = {"model": "first", "measure": "hits at 0.1", "value": 0.4, "low": 0.3, "high": 0.5}
    rows = [{**row, "lower_is_better": False}]
    (claim,) = proposed(rows)
    assert claim == '"hits at 0.1".ours >= 0.3'
    assert judge(claim, rows) is True
    assert judge(claim, [{**rows[0], "value": 0.2}]) is False


def test_profiles_set_and_clear_what_libraries_read_at_their_start():
    portable = numeric.environment("portable", {"PATH": "x", "OMP_NUM_THREADS": "4"})
    assert portable["OMP_NUM_THREADS"] == "1"
    assert portable["ATEN_CPU_CAPABILITY"] == "default"
    assert numeric.environment("fast", portable) == {"PATH": "x"}
    assert numeric.environment("fast", {"OMP_NUM_THREADS": "4"}) == {"OMP_NUM_THREADS": "4"}
    was = {"threads": 3, "kernels": "AVX2", "variables": {"MKL_CBWR": "AVX2"}}
    back = numeric.restored(was, portable)
    assert back == {
        "PATH": "x",
        "OMP_NUM_THREADS": "3",
        "MKL_CBWR": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
    }
