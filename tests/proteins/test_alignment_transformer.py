"""The alignment Transformer: what its maps may depend on, and how it is taught and adapted."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from science.core.config import checked
from science.core.errors import UserError
from science.core.masked import Tokens
from science.core.run import run
from science.core.supervised import Labelled
from science.proteins import adapt
from science.proteins.attention_maps import Reader, attention_evidence, contact_logits, shown
from science.proteins.crops import CropRows, Crops, labels, padded
from science.proteins.nets.contact_transformer import ContactTransformer, evidence
from science.proteins.nets.msa_transformer import MASK, AlignmentTransformer

TINY = {"width": 8, "layers": 2, "heads": 2, "hidden": 8}
SMALL = ["net.width=8", "net.layers=2", "net.heads=2", "net.hidden=8"]
LATTICE = {"families": 20, "box": [3, 3, 3], "depth": 40}
MADE = ["data.cards=[proteins/simulated]", "data.least=2", "data.draws=4", "data.rows=6"]
MADE += ["+data.options={families: 20, box: [3, 3, 3], depth: 40}"]


@pytest.fixture(scope="module")
def crops():
    return Crops(["proteins/simulated"], rows=6, columns=12, least=2, draws=8, options=LATTICE)


def alignment_ids(rows=5, columns=9):
    torch.manual_seed(0)
    ids = torch.randint(0, 21, (1, rows, columns))
    return ids, ids != MASK


def test_maps_do_not_depend_on_the_order_of_sequences_and_never_on_padding():
    net = AlignmentTransformer(**TINY).eval()
    ids, real = alignment_ids()
    features, maps = net.read(ids, real)
    order = torch.randperm(5)
    turned, same = net.read(ids[:, order], real[:, order])
    torch.testing.assert_close(same, maps)
    torch.testing.assert_close(turned, features[:, order])
    wide = torch.full((1, 7, 12), MASK)
    wide[:, :5, :9] = ids
    _, padded_maps = net.read(wide, wide != MASK)
    torch.testing.assert_close(padded_maps[..., :9, :9], maps)
    assert net(ids, real).shape == (1, 5, 9, 20)


def test_evidence_is_symmetric_corrected_and_scaled():
    maps, real = torch.rand(1, 3, 6, 6), torch.ones(1, 4, 6, dtype=torch.bool)
    told = evidence(maps, real)
    both = maps[0, 1] + maps[0, 1].T
    both.fill_diagonal_(0)
    line = both.sum(0)
    wanted = 6 * (both - line[:, None] * line / line.sum())
    torch.testing.assert_close(told[0, 1], wanted.fill_diagonal_(0))
    real[:, :, 2] = False
    assert (evidence(maps, real)[..., 2] == 0).all()


@pytest.mark.parametrize("method", ["full", "lora", "prefix", "head"])
def test_what_learns_is_what_the_method_says(method):
    where = r"blocks\.\d+\.row" + (r"\.(query|key)" if method == "lora" else "")
    net = ContactTransformer(method, where, **TINY)
    ids, real = alignment_ids()
    before = net({"ids": ids, "real": real})
    net.adapt()
    learns = {n for n, p in net.named_parameters() if p.requires_grad}
    assert {"contact.weight", "contact.bias"} <= learns
    rest = learns - {"contact.weight", "contact.bias"}
    ends = {"full": "", "lora": ("up", "down"), "prefix": ("key", "value"), "head": ("none",)}
    assert all(name.endswith(ends[method]) for name in rest)
    assert bool(rest) == (method != "head")
    after = net({"ids": ids, "real": real})
    torch.testing.assert_close(after, before)  # the head is zero at first
    torch.testing.assert_close(after, after.transpose(1, 2))


def test_crops_are_of_training_families_and_repeat(crops):
    table = crops.samples
    assert set(table.split) == {"train", "val"}
    fold = crops.fold(table.where("train"), table.where("val"), 3)
    batches = list(fold.train_dataloader())
    assert len(batches) == 4
    assert isinstance(batches[0], Tokens)
    rows = CropRows(crops, table.where("train"), 8, 3)
    one, two = rows.__getitems__([5]), rows.__getitems__([5])
    assert torch.equal(one.ids, two.ids)
    assert one.ids.shape[1] <= 6
    assert one.ids.shape[2] <= 12
    query = crops.families[table.where("train")[5]].alignment.tokens[0]
    seen = one.ids[0, 0].numpy()
    assert any((query[k : k + len(seen)] == seen).all() for k in range(len(query)))


def test_labels_hide_neighbours_padding_and_unknown_pairs():
    distance = np.full((8, 8), 20.0, np.float32)
    distance[0, 7] = distance[7, 0] = 5.0
    distance[1, 7] = distance[7, 1] = np.nan
    target, weight = labels([distance, distance[:7, :7]])
    assert target[0, 0, 7] == 1
    assert weight[0, 0, 7] == 1
    assert weight[0, 1, 7] == 0
    assert weight[0].sum() == 2 * 2  # (0, 6) and (0, 7), both ways
    assert weight[1, 7].sum() == 0
    ids, real = padded([np.zeros((2, 3), np.uint8), np.zeros((1, 2), np.uint8)])
    assert ids.shape == (2, 2, 3)
    assert real.sum() == 8
    assert (ids[~real] == MASK).all()


def test_shown_sequences_begin_with_the_query(crops):
    alignment = crops.families[0].alignment
    rows = shown(alignment, 5)
    assert rows.shape == (min(5, alignment.depth), alignment.length)
    assert (rows[0] == alignment.tokens[0]).all()


def test_a_reader_learns_which_map_tells_contacts(crops):
    known = {f.alignment.source: f.distance for f in crops.families}

    def maps(alignment):
        noise = np.random.default_rng(0).normal(size=(3, *[alignment.length] * 2))
        noise[1] = known[alignment.source] < 8
        return noise.astype(np.float32)

    reader = Reader(maps, strength=10.0).fit(crops.families[:4])
    assert reader.weight[1] > 1
    assert np.abs(reader.weight[[0, 2]]).max() < 0.5


def test_a_batch_of_contacts_teaches(crops):
    labelled = Crops(["proteins/simulated"], 6, 12, least=2, contacts=True, options=LATTICE)
    batch = CropRows(labelled, labelled.samples.where("train"), 4, 0).__getitems__([0, 1])
    assert isinstance(batch, Labelled)
    net = ContactTransformer("full", **TINY)
    assert net(batch.inputs).shape == batch.target.shape


def test_pretraining_then_adapting_leaves_an_adapter_that_can_be_used(tmp_path, crops):
    first = tmp_path / "pretrain"
    judge = "{families: 20, box: [3, 3, 3], depth: 40}"
    words = [*SMALL, *MADE, "protocol.card=proteins/simulated", f"+protocol.options={judge}"]
    words += ["+protocol.fitted=3", "+protocol.draws=1", "+protocol.deepest=2", "+protocol.rows=6"]
    run("proteins/msa-pretrain", words, first)
    found = json.loads((first / "metrics.json").read_text())
    assert [row["model"] for row in found["rows"]] == ["this run", "untrained"]
    out = tmp_path / "adapted"
    more = [*SMALL, *MADE[1:], "protocol.arms.head.draws=4"]
    adapt.adapt("proteins/simulated", str(first), draws=4, out=out, overrides=more)
    rows = json.loads((out / "metrics.json").read_text())["rows"]
    assert [row["model"].split(",")[0] for row in rows] == ["LoRA", "head"]
    net = adapt.load(out / "adapter.safetensors")
    alignment = crops.families[0].alignment
    logits = contact_logits(net, 6)(alignment)
    assert np.isfinite(logits).all()
    assert attention_evidence(net, 6)(alignment).shape == (4, *logits.shape)
    (out / "adapter.safetensors").write_bytes(b"cut")
    with pytest.raises(UserError, match="cannot be read"):
        adapt.load(out / "adapter.safetensors")


def test_the_experiments_are_whole():
    for name in ("msa-pretrain", "lora", "adapt", "fold"):
        assert checked(f"proteins/{name}")["title"]
