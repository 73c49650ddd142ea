"""Checkpoints are whole or absent, and opening one runs nothing."""

from __future__ import annotations

import os
import pickle

import pytest
import torch

from science.core.callbacks.checkpoint import LAST, AtomicCheckpointIO, last_checkpoint
from science.core.callbacks.history import History
from science.core.errors import UserError

WRITTEN = [LAST, f"{LAST}.sha256"]
STATE = {"epoch": 3, "weights": torch.arange(4.0), "names": ["a"]}


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_what_is_saved_is_read(tmp_path):
    AtomicCheckpointIO().save_checkpoint(STATE, tmp_path / LAST)
    read = AtomicCheckpointIO().load_checkpoint(tmp_path / LAST)
    assert read["epoch"] == 3
    assert torch.equal(read["weights"], STATE["weights"])
    assert sorted(p.name for p in tmp_path.iterdir()) == WRITTEN


def test_a_failed_write_leaves_the_last_one(tmp_path, monkeypatch):
    saver = AtomicCheckpointIO()
    saver.save_checkpoint(STATE, tmp_path / LAST)
    before = (tmp_path / LAST).read_bytes()

    def full(_, path):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="no space"):
        saver.save_checkpoint({}, tmp_path / LAST)
    assert (tmp_path / LAST).read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == WRITTEN


def test_the_last_checkpoint_is_found_and_leftovers_go(tmp_path):
    assert last_checkpoint(tmp_path) is None
    AtomicCheckpointIO().save_checkpoint(STATE, tmp_path / LAST)
    (tmp_path / ".partial-x.ckpt").write_bytes(b"half")
    assert last_checkpoint(tmp_path) == tmp_path / LAST
    assert sorted(p.name for p in tmp_path.iterdir()) == WRITTEN


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path):
    for step in (3, 4):
        AtomicCheckpointIO().save_checkpoint(STATE, tmp_path / f"step-00000000{step}.ckpt")
    newest = tmp_path / "step-000000004.ckpt"
    assert last_checkpoint(tmp_path) == newest
    raw = bytearray(newest.read_bytes())
    raw[len(raw) // 2] ^= 1  # a bit that the zip format does not watch would do as well
    newest.write_bytes(raw)
    assert last_checkpoint(tmp_path) == tmp_path / "step-000000003.ckpt"


def test_one_whose_writer_was_killed_before_its_digest_does_not_count(tmp_path):
    AtomicCheckpointIO().save_checkpoint(STATE, tmp_path / "step-000000003.ckpt")
    (tmp_path / "step-000000003.ckpt.sha256").unlink()
    assert last_checkpoint(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_disk_that_reads_back_otherwise_is_noticed(tmp_path, monkeypatch):
    from science.core.callbacks import checkpoint

    digests = iter(["one", "another"])
    monkeypatch.setattr(checkpoint, "sha256", lambda _: next(digests))
    with pytest.raises(OSError, match="reads back otherwise"):
        AtomicCheckpointIO().save_checkpoint(STATE, tmp_path / LAST)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 torn"])
def test_a_damaged_checkpoint_says_what_to_do(tmp_path, content):
    (tmp_path / LAST).write_bytes(content)
    with pytest.raises(UserError, match="cannot be read") as caught:
        last_checkpoint(tmp_path)
    assert "delete it" in caught.value.cure


def test_a_hostile_checkpoint_runs_nothing(tmp_path):
    hit = tmp_path / "hit"
    for save in (torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))):
        save({"state": Hostile(hit)}, tmp_path / LAST)
        with pytest.raises(UserError, match="cannot be read"):
            last_checkpoint(tmp_path)
        assert not hit.exists()


def test_removing_one_that_is_gone_is_fine(tmp_path):
    AtomicCheckpointIO().remove_checkpoint(tmp_path / LAST)


def test_history_goes_on_from_its_state():
    history = History()
    history.load_state_dict({"rows": [[1, "train/loss", 0.5], [2, "train/loss", 0.25]]})
    assert history.rows == [(1, "train/loss", 0.5), (2, "train/loss", 0.25)]
    assert history.began == 2
    assert history.state_dict() == {"rows": [[1, "train/loss", 0.5], [2, "train/loss", 0.25]]}
