"""Cards are strict; files arrive whole and right, or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from science import paths
from science.core import datasets, verified
from science.core.datasets import card, cards, fetch, verify, where
from science.core.download import NotThereError, download
from science.core.errors import UserError

from .server import serve

BODY = np.random.default_rng(7).bytes(700_001)


def sha(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def site():
    with serve() as site:
        site.files["/x.bin"] = BODY
        yield site


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FIFTH_MIRROR", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def get(urls, target, **how):
    how.setdefault("wait", lambda seconds: None)
    return download([urls] if isinstance(urls, str) else urls, target, **how)


def write_card(folder, *files, **changes):
    text = {"name": "mine/x", "title": "X", "description": "x", "licence": "CC0"}
    text |= {"files": list(files)} | changes
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    return path


def entry(data=BODY, **changes):
    return {"name": "x.bin", "sha256": sha(data), "bytes": len(data)} | changes


def leftovers(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.name != ".lock")


# --- cards ---------------------------------------------------------------------------------------


def test_every_card_of_the_workbench_is_valid_and_named_as_its_file():
    assert len(cards()) >= 10
    for name in cards():
        this = card(name)
        assert this.name == name
        assert this.licence
        assert this.embedded or this.citation
        for file in this.files:
            if file.path:  # somebody's own, which the card cannot know
                continue
            assert file.bytes
            for url in [*file.urls, *(file.original.urls if file.original else [])]:
                assert url.startswith("https://")
            assert file.urls or file.original or file.note, f"{name}: {file.name} says no source"


def test_readers_of_cards_exist():
    import importlib

    for name in cards():
        module, _, attribute = card(name).reader.rpartition(".")
        if card(name).embedded or not card(name).reader:
            continue  # files to look at, which any reader of their kind takes
        assert callable(getattr(importlib.import_module(module), attribute)), name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"licens": "x"}, "licens"),
        ({"reader": "os.system"}, "reader"),
        ({"units": ["day"]}, "units"),
        ({"embedded": True}, "embedded"),
        ({"files": []}, "files"),
        ({"files": [entry(url="https://a/x"), entry(url="https://a/y")]}, "two files"),
        ({"files": [entry(url="file:///etc/passwd")]}, "http"),
        ({"files": [entry(url="ftp://a/x")]}, "http"),
        ({"files": [entry(url="https:///x")]}, "http"),
        ({"files": [entry(url="https://a/x", name="../x")]}, "'..'"),
        ({"files": [entry(url="https://a/x", name="/etc/x")]}, "relative"),
        ({"files": [entry(url="https://a/x", name="a\\..\\x")]}, "relative"),
        ({"files": [entry(url="https://a/x", name="C:x")]}, "relative"),
        ({"files": [entry(url="https://a/x", name=".partial-x")]}, "reserved"),
        ({"files": [entry(mirror="../../secret")]}, "'..'"),
        ({"files": [entry(url="https://a/x", sha256="abc")]}, "sha256"),
        ({"files": [{"name": "x", "url": "https://a/x"}]}, "sha256"),
        ({"files": [entry()]}, "url"),
        ({"files": [entry(url="https://a/x", urls=["https://a/y"])]}, "not both"),
        ({"name": "../up"}, "'..'"),
    ],
)
def test_a_wrong_card_is_refused_and_says_where(tmp_path, change, said):
    path = write_card(tmp_path, entry(url="https://a.org/x"), **change)
    with pytest.raises(UserError, match=r"not a dataset card") as caught:
        card(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: [1", "- 1", "", "!!python/object/apply:os.getcwd []"])
def test_what_is_not_a_yaml_mapping_is_refused(tmp_path, text):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"card\.yaml"):
        card(path)


def test_an_unknown_card_lists_the_known_ones(tmp_path):
    with pytest.raises(UserError, match=cards()[0]):
        card("no/such")
    with pytest.raises(UserError, match="cannot be read"):
        card(tmp_path / "none.yaml")


def test_a_users_own_data_is_one_card(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.bin").write_bytes(b"mine")
    path = write_card(tmp_path, {"name": "x.bin", "path": "data/x.bin"})
    assert fetch(path, "x.bin").read_bytes() == b"mine"
    assert fetch(card(path)) == {"x.bin": (tmp_path / "data" / "x.bin").resolve()}
    assert verify(path) == [("x.bin", "ok (own)")]
    with pytest.raises(UserError, match=r"it has x\.bin"):
        fetch(path, "y.bin")
    (tmp_path / "data" / "x.bin").unlink()
    with pytest.raises(UserError, match=r"data/x\.bin: no such file"):
        fetch(path, "x.bin")
    assert verify(path) == [("x.bin", "missing")]


def test_a_users_data_may_be_a_folder(tmp_path):
    (tmp_path / "many").mkdir()
    path = write_card(tmp_path, {"name": "many", "path": "many"})
    assert fetch(path, "many") == where(path)["many"] == (tmp_path / "many").resolve()
    assert verify(path) == [("many", "ok (own)")]
    write_card(tmp_path, {"name": "many", "path": "many", "sha256": sha(b"")})
    with pytest.raises(UserError, match="a folder has no SHA-256"):
        fetch(path)
    assert "a folder has no SHA-256" in verify(path)[0][1]


def test_a_users_file_is_checked_when_the_card_has_a_hash(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"changed")
    path = write_card(tmp_path, {"name": "x.bin", "path": "x.bin", "sha256": sha(b"first")})
    with pytest.raises(UserError, match="SHA-256 differs"):
        fetch(path, "x.bin")
    assert (tmp_path / "x.bin").exists()


def test_an_embedded_card_has_nothing_to_fetch(tmp_path):
    path = write_card(tmp_path, embedded=True)
    assert (fetch(path), verify(path), where(path)) == ({}, [], {})


# --- resolution order ----------------------------------------------------------------------------


def test_cache_then_mirror_then_network(site, tmp_path, monkeypatch):
    path = write_card(tmp_path, entry(url=f"{site.url}/x.bin", mirror="a/x.bin"))
    mirror = tmp_path / "mirror" / "a" / "x.bin"
    mirror.parent.mkdir(parents=True)
    mirror.write_bytes(BODY)
    assert where(path) == {"x.bin": None}

    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path / "mirror"))
    assert fetch(path, "x.bin") == mirror
    assert not site.asked
    assert not (paths.cache() / "mine").exists()

    monkeypatch.delenv("FIFTH_MIRROR")
    cached = paths.cache() / "mine" / "x" / "x.bin"
    assert fetch(path, "x.bin") == cached
    assert cached.read_bytes() == BODY
    assert len(site.asked) == 1

    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path / "mirror"))
    assert fetch(path, "x.bin") == cached
    assert verify(path) == [("x.bin", "ok (cache)")]
    assert len(site.asked) == 1


def test_a_mirror_without_the_file_leads_on_to_the_network(site, tmp_path, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path / "empty"))
    path = write_card(tmp_path, entry(url=f"{site.url}/x.bin", mirror="x.bin"))
    assert fetch(path, "x.bin").read_bytes() == BODY


def test_without_address_or_mirror_the_error_says_what_to_do(tmp_path, monkeypatch):
    path = write_card(tmp_path, entry(mirror="a/x.bin", note="build it with pack()"))
    with pytest.raises(UserError, match=r"set FIFTH_MIRROR .* a/x\.bin; build it with pack"):
        fetch(path, "x.bin")
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    with pytest.raises(UserError, match=r"a/x\.bin: no such file"):
        fetch(path, "x.bin")


@pytest.mark.parametrize(
    ("data", "said"), [(BODY[:-5], "cut short"), (b"?" + BODY[1:], "SHA-256"), (b"", "cut short")]
)
def test_a_damaged_mirror_file_is_refused_and_left_alone(tmp_path, monkeypatch, data, said):
    (tmp_path / "x.bin").write_bytes(data)
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    path = write_card(tmp_path, entry(mirror="x.bin", url="https://example.invalid/x"))
    with pytest.raises(UserError, match=said) as caught:
        fetch(path, "x.bin")
    assert str(tmp_path / "x.bin") in str(caught.value)
    assert "FIFTH_MIRROR" in caught.value.cure
    assert (tmp_path / "x.bin").read_bytes() == data
    assert verify(path)[0][1].startswith("wrong")


def test_a_damaged_cached_file_is_fetched_again(site, tmp_path):
    path = write_card(tmp_path, entry(url=f"{site.url}/x.bin"))
    cached = fetch(path, "x.bin")
    cached.write_bytes(BODY[:100])
    assert verify(path) == [("x.bin", f"wrong: {cached}: 100 bytes where the card says "
                                      f"{len(BODY)} (cut short)")]  # fmt: skip
    assert fetch(path, "x.bin").read_bytes() == BODY


def test_the_network_gives_the_original_where_the_mirror_is_compressed(site, tmp_path, monkeypatch):
    packed = gzip.compress(BODY, mtime=0)
    original = entry(urls=[f"{site.url}/x.bin"])
    path = write_card(
        tmp_path, entry(packed, name="x.bin.gz", mirror="x.bin.gz", original=original)
    )
    got = fetch(path, "x.bin.gz")
    assert got.name == "x.bin"
    assert got.read_bytes() == BODY
    assert verify(path) == [("x.bin.gz", "ok (cache)")]
    assert fetch(path, "x.bin.gz") == got
    assert len(site.asked) == 1

    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path / "other"))
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    (tmp_path / "x.bin.gz").write_bytes(packed)
    assert fetch(path, "x.bin.gz") == tmp_path / "x.bin.gz"


# --- hashes are remembered, not trusted ----------------------------------------------------------


def test_an_unchanged_file_is_not_read_twice_and_a_changed_one_is(tmp_path, monkeypatch):
    (tmp_path / "x.bin").write_bytes(BODY)
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    path = write_card(tmp_path, entry(mirror="x.bin"))
    reads = []
    monkeypatch.setattr(verified, "sha256", lambda p: reads.append(p) or sha(p.read_bytes()))
    fetch(path, "x.bin")
    fetch(path, "x.bin")
    assert len(reads) == 1
    (tmp_path / "x.bin").write_bytes(b"!" + BODY[1:])
    os.utime(tmp_path / "x.bin", ns=(1, 1))
    with pytest.raises(UserError, match="SHA-256"):
        fetch(path, "x.bin")
    assert len(reads) == 2


@pytest.mark.parametrize("text", ["", "[1]", '{"x": 3}', "\x00"])
def test_a_broken_memory_is_as_good_as_none(tmp_path, monkeypatch, text):
    store = paths.cache() / "verified.json"
    store.parent.mkdir(parents=True)
    store.write_text(text)
    (tmp_path / "x.bin").write_bytes(BODY)
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    path = write_card(tmp_path, entry(mirror="x.bin"))
    assert fetch(path, "x.bin") == tmp_path / "x.bin"
    assert str((tmp_path / "x.bin").resolve()) in json.loads(store.read_text())


def test_a_cache_that_cannot_be_written_does_not_hinder_the_mirror(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    (tmp_path / "x.bin").write_bytes(BODY)
    path = write_card(tmp_path, entry(mirror="x.bin"))
    assert fetch(path, "x.bin") == tmp_path / "x.bin"
    (tmp_path / "x.bin").unlink()
    online = write_card(tmp_path, entry(url="http://127.0.0.1:9/x"))
    with pytest.raises(UserError, match="cannot be written"):
        fetch(online, "x.bin")


# --- network -------------------------------------------------------------------------------------


def test_a_download_broken_off_continues_where_it_stopped(site, tmp_path):
    site.break_after = [300_000, 100_000]
    target = get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY), size=len(BODY))
    assert target.read_bytes() == BODY
    starts = [asked[2] for asked in site.asked]
    assert starts[0] is None
    first, second = (int(text[6:-1]) for text in starts[1:])
    assert 270_000 < first <= 300_000
    assert 70_000 < second - first <= 100_000
    assert leftovers(tmp_path) == ["x.bin"]


def test_a_line_that_breaks_often_but_moves_on_is_not_given_up(site, tmp_path):
    site.break_after = [100_000] * 6
    get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY), attempts=2)
    assert (tmp_path / "x.bin").read_bytes() == BODY
    assert len(site.asked) == 7


def test_a_second_call_continues_the_first(site, tmp_path):
    site.break_after = [300_000, 0, 0]
    with pytest.raises(UserError, match="no connection"):
        get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY), attempts=2)
    (partial,) = leftovers(tmp_path)
    assert partial.startswith(".partial-")
    have = (tmp_path / partial).stat().st_size
    assert have > 270_000
    get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY))
    assert site.asked[-1][2] == f"bytes={have}-"
    assert leftovers(tmp_path) == ["x.bin"]


def test_a_server_without_ranges_is_read_from_the_start(site, tmp_path):
    site.ranges = False
    site.break_after = [300_000]
    get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY))
    assert (tmp_path / "x.bin").read_bytes() == BODY


def test_an_old_beginning_of_another_file_is_thrown_away(site, tmp_path):
    partial = tmp_path / f".partial-{sha(BODY)[:12]}-x.bin"
    for stale in (b"?" * 1000, b"?" * len(BODY), b"?" * (len(BODY) + 9)):
        partial.write_bytes(stale)
        get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY))
        assert (tmp_path / "x.bin").read_bytes() == BODY
        assert leftovers(tmp_path) == ["x.bin"]
        (tmp_path / "x.bin").unlink()


def test_a_killed_download_continues_and_leaves_no_half_file(site, tmp_path):
    site.stall_after = 400_000
    code = (
        "import sys; from science.core.download import download; "
        "download([sys.argv[1]], sys.argv[2], digest=sys.argv[3])"
    )
    target = tmp_path / "x.bin"
    command = [sys.executable, "-c", code, f"{site.url}/x.bin", str(target), sha(BODY)]
    child = subprocess.Popen(command, cwd=paths.ROOT)
    partial = tmp_path / f".partial-{sha(BODY)[:12]}-x.bin"
    deadline = time.monotonic() + 60
    while not (partial.exists() and partial.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert not target.exists()
    have = partial.stat().st_size
    assert 0 < have <= 400_000
    site.stall_after = None
    get(f"{site.url}/x.bin", target, digest=sha(BODY))
    assert target.read_bytes() == BODY
    assert site.asked[-1][2] == f"bytes={have}-"
    assert leftovers(tmp_path) == ["x.bin"]


def test_two_processes_at_once_share_one_download(site, tmp_path):
    path = write_card(tmp_path, entry(url=f"{site.url}/x.bin"))
    code = "import sys; from science.core.datasets import fetch; print(fetch(sys.argv[1], 'x.bin'))"
    command = [sys.executable, "-c", code, str(path)]
    children = [
        subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = {child.communicate()[0].strip() for child in children}
    assert [child.returncode for child in children] == [0, 0]
    assert said == {str(paths.cache() / "mine" / "x" / "x.bin")}
    assert Path(said.pop()).read_bytes() == BODY
    assert len(site.asked) == 1


def test_a_wrong_hash_leaves_nothing(site, tmp_path):
    site.files["/x.bin"] = b"?" + BODY[1:]
    path = write_card(tmp_path, entry(url=f"{site.url}/x.bin"))
    with pytest.raises(UserError, match="SHA-256 differs") as caught:
        fetch(path, "x.bin")
    assert f"{site.url}/x.bin" in str(caught.value)
    assert leftovers(paths.cache()) == []


@pytest.mark.parametrize("body", [BODY + b"more", BODY[:-9]])
def test_another_length_than_the_cards_is_refused(site, tmp_path, body):
    site.files["/x.bin"] = body
    path = write_card(tmp_path, entry(url=f"{site.url}/x.bin"))
    with pytest.raises(UserError, match=f"{len(body)} bytes there"):
        fetch(path, "x.bin")
    assert leftovers(paths.cache()) == []


def test_a_missing_page_is_told_apart_and_not_asked_for_again(site, tmp_path):
    with pytest.raises(NotThereError, match="404"):
        get(f"{site.url}/none", tmp_path / "x.bin", digest=sha(BODY))
    assert len(site.asked) == 1
    assert leftovers(tmp_path) == []


def test_a_busy_server_is_asked_again(site, tmp_path):
    site.statuses["/x.bin"] = [503, 429]
    waits = []
    get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY), wait=waits.append)
    assert len(site.asked) == 3
    assert waits == sorted(waits)
    assert waits[0] > 0


def test_a_forbidden_page_is_not_asked_for_again(site, tmp_path):
    site.statuses["/x.bin"] = [403]
    with pytest.raises(UserError, match="403"):
        get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY))
    assert len(site.asked) == 1


def test_the_second_address_serves_when_the_first_does_not(site, tmp_path):
    site.files["/other"] = b"something else"
    urls = [f"{site.url}/none", f"{site.url}/other", f"{site.url}/x.bin"]
    get(urls, tmp_path / "x.bin", digest=sha(BODY), size=len(BODY))
    assert (tmp_path / "x.bin").read_bytes() == BODY
    with pytest.raises(UserError, match=r"/none: not there.*; .*/other: 14 bytes"):
        get(urls[:2], tmp_path / "y.bin", digest=sha(BODY), size=len(BODY))


def test_offline_says_so_and_names_the_cure(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match="no connection") as caught:
        get(f"http://127.0.0.1:{port}/x", tmp_path / "x", digest=sha(BODY))
    assert "FIFTH_MIRROR" in caught.value.cure
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("onward", "said"),
    [
        ("file:///etc/passwd", "not a http"),
        ("gopher://127.0.0.1/", "not a http"),
        ("http://localhost:{port}/x.bin", "away from the card's hosts"),
        ("/loop", "redirected more than"),
    ],
)
def test_a_redirect_elsewhere_is_refused(site, tmp_path, onward, said):
    port = site.url.rpartition(":")[2]
    site.redirects["/loop"] = onward.format(port=port)
    path = write_card(tmp_path, entry(url=f"{site.url}/loop"))
    with pytest.raises(UserError, match=said):
        fetch(path, "x.bin")
    assert leftovers(paths.cache()) == []
    assert all(asked[1] == "/loop" for asked in site.asked)


def test_a_redirect_to_a_host_on_the_card_is_followed(site, tmp_path):
    port = site.url.rpartition(":")[2]
    site.redirects["/here"] = "/there"
    site.redirects["/there"] = f"http://localhost:{port}/x.bin"
    path = write_card(tmp_path, entry(url=f"{site.url}/here"), hosts=["localhost"])
    assert fetch(path, "x.bin").read_bytes() == BODY


def test_a_full_disk_is_told_before_and_during(site, tmp_path, monkeypatch):
    import shutil
    from types import SimpleNamespace

    if Path("/dev/full").exists():
        (tmp_path / f".partial-{sha(BODY)[:12]}-x.bin").symlink_to("/dev/full")
        with pytest.raises(UserError, match="disk is full"):
            get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY))
        assert not (tmp_path / "x.bin").exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(UserError, match="10 free"):
        get(f"{site.url}/x.bin", tmp_path / "y.bin", digest=sha(BODY))
    assert not (tmp_path / "y.bin").exists()


def test_an_endless_answer_is_cut_off(site, tmp_path):
    site.files["/x.bin"] = BODY * 3
    site.lengths = False
    with pytest.raises(UserError, match=f"more than {len(BODY)} bytes"):
        get(f"{site.url}/x.bin", tmp_path / "x.bin", digest=sha(BODY), size=len(BODY))
    assert leftovers(tmp_path) == []


@pytest.mark.mirror
def test_the_mirror_holds_what_the_cards_say(mirror, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(mirror))
    for name in ("transits/kepler-90", "transits/koi"):
        assert {status for _, status in datasets.verify(name)} == {"ok (mirror)"}
