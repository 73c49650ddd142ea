"""The contact experiment: who learns, who is watched, what a run leaves behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from science.core.errors import UserError
from science.core.releases import load
from science.core.run import run
from science.core.seeds import rng
from science.proteins import contact_data
from science.proteins.alignment import Alignment
from science.proteins.contact_data import ContactData, Crops, EpochSampler, Row, pair_weight
from science.proteins.families import Family
from science.proteins.feature_cache import FeatureCache, View
from science.proteins.predict import predictor
from science.proteins.relatives import relations


def family(name: str, depth: int = 40, length: int = 40, split: str = "") -> Family:
    draw = rng(0, "family", name)
    tokens = draw.integers(0, 21, (depth, length)).astype(np.uint8)
    place = np.cumsum(draw.normal(0, 3, (length, 3)), 0)
    distance = np.linalg.norm(place[:, None] - place, axis=-1).astype(np.float32)
    return Family(name, Alignment(tokens), distance, split=split)


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path / "cache"))


def offered(monkeypatch: pytest.MonkeyPatch, found: list[Family]) -> None:
    monkeypatch.setattr(contact_data, "families", lambda card, **_: found)


def test_relatives_of_a_target_are_left_out_and_never_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = relations()
    homologue = next(name for name, found in table.items() if found.target)
    count: dict[int, list[str]] = {}
    for name, found in table.items():
        if not found.target:
            count.setdefault(found.group, []).append(name)
    pair = next(names for names in count.values() if len(names) == 2)
    lone = [names[0] for names in count.values() if len(names) == 1][:4]
    offered(
        monkeypatch,
        [family("t", split="test"), *(family(n) for n in [homologue, *pair, *lone])],
    )
    data = ContactData("x", held_out=3)
    split = dict(zip(data.samples.id.tolist(), data.samples.split.tolist(), strict=True))
    assert homologue not in split
    assert [split[name] for name in pair] == ["train", "train"]
    assert sorted(split[name] for name in lone) == ["train", "val", "val", "val"]
    with pytest.raises(UserError, match="validation families"):
        _ = ContactData("x", held_out=5).families


def test_shallow_families_are_not_for_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, [family("deep", 60), family("flat", 4)])
    assert [f.split for f in ContactData("x", held_out=1).families] == ["val", "train"]


def test_the_same_family_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, [family("a"), family("a")])
    with pytest.raises(UserError, match="same name"):
        _ = ContactData("x").families


def test_weights_follow_the_separation_and_hide_the_unknown() -> None:
    distance = torch.full((40, 40), 9.0)
    distance[2, 30] = torch.nan
    weight = pair_weight(distance)
    assert weight[0, 0] == 0
    assert weight[2, 30] == 0
    assert 0 < weight[0, 5] < weight[0, 6] == weight[0, 23] < weight[0, 24] == 1


def test_crops_follow_from_seed_epoch_and_row(tmp_path: Path) -> None:
    rows = [Row(0, View(20, 1)), Row(0, View(40))]
    made = [Crops([family("a")], rows, 16, 5, FeatureCache(tmp_path)) for _ in range(2)]
    first, again = made[0][3], made[1][3]
    torch.testing.assert_close(first.target, again.target)
    assert first.inputs["pair"].shape[-1] == 16
    starts = {float(made[0][2 * epoch].target[0, 0, 1]) for epoch in range(12)}
    assert len(starts) > 3  # another crop each epoch
    whole = Crops([family("a")], rows, None, 5, FeatureCache(tmp_path))[0]
    np.testing.assert_array_equal(whole.target[0].numpy(), family("a").distance)


def test_a_sampler_tells_rows_their_epoch_and_goes_on_where_it_stood() -> None:
    position = [0]
    sampler = EpochSampler(5, 1, 0, lambda: position[0])
    first = [row for (row,) in sampler]
    assert sorted(first) == list(range(5))
    position[0] = 7
    second = [row for (row,) in sampler]
    position[0] = 5
    assert [row for (row,) in sampler][2:] == second
    assert all(5 <= row < 10 for row in second)


def test_a_run_trains_calibrates_judges_and_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = ["train"] * 4 + ["val"] * 2 + ["test"] * 3
    offered(monkeypatch, [family(f"f{n}", split=s) for n, s in enumerate(splits)])
    small = ["net.channels=8", "net.coarse=8", "net.blocks=1", "net.hidden=4", "net.chain=8"]
    how = ["protocol.members=2", "protocol.resamples=20", "protocol.baselines=[mutual information]"]
    made = run(
        "proteins/psicov-contacts",
        [*small, *how, "data.cards=[]", "data.held_out=0", "data.crop=32", "trainer.max_epochs=1"],
        out=tmp_path / "run",
    )
    ours = made.metrics["rows"][0]
    assert 0 <= ours["metrics"]["long_L"]["value"] <= 1
    assert ours["metrics"]["long_L"]["low"] <= ours["metrics"]["long_L"]["value"]
    names = [row["model"] for row in made.metrics["rows"]]
    assert "mutual information" in names
    assert sum(name.startswith("network ") for name in names) == 2
    opened = load(tmp_path / "run")
    assert opened.card.trained_on["splits"]
    maps = load_file(tmp_path / "run" / "maps.safetensors")
    used = predictor(str(tmp_path / "run")).contacts(family("f6").alignment)
    np.testing.assert_allclose(used, maps["f6"], atol=2e-3)
    assert (tmp_path / "run" / "report.html").is_file()
    assert (tmp_path / "run" / "figures" / "contact-maps.svg").is_file()
