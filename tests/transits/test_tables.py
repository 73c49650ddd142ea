"""Tables and views are read whole and checked; records are read without TensorFlow."""

from __future__ import annotations

import contextlib
import gzip
import struct

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.core.errors import UserError
from science.transits import pack, tables
from science.transits.tfrecord import crc32c, examples, masked, records

# --- record files --------------------------------------------------------------------------------


def varint(value):
    value &= 2**64 - 1
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def example(packed=True, **features):
    entries = b""
    for name, value in features.items():
        if isinstance(value, bytes):
            feature = field(1, field(1, value))
        elif np.asarray(value).dtype.kind == "f":
            numbers = [struct.pack("<f", v) for v in np.ravel(value)]
            whole = field(1, b"".join(numbers))
            each = b"".join(varint(1 << 3 | 5) + v for v in numbers)
            feature = field(2, whole if packed else each)
        else:
            numbers = [varint(int(v)) for v in np.ravel(value)]
            whole = field(1, b"".join(numbers))
            feature = field(3, whole if packed else b"".join(b"\x08" + v for v in numbers))
        entries += field(1, field(1, name.encode()) + field(2, feature))
    return field(1, entries)


def record(data):
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked(head)) + data + struct.pack("<I", masked(data))


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_crc32c_of_rfc_3720(data, crc):
    assert crc32c(data) == crc


def test_the_mask_is_that_of_tensorflow():
    # The header of a 12-byte record as TensorFlow writes it would need TensorFlow; the rule does
    # not: rotate right by 15, then add a constant.
    crc = crc32c(b"abc")
    rotated = int(f"{crc:032b}"[-15:] + f"{crc:032b}"[:-15], 2)
    assert masked(b"abc") == (rotated + 0xA282EAD8) % 2**32


@pytest.mark.parametrize("packed", [True, False])
def test_an_example_comes_back_as_it_was_written(tmp_path, packed):
    view = np.linspace(-1, 1, 201, dtype=np.float32)
    data = example(packed, global_view=view, kepid=[11442793], n=[-3, 2**62, 0], label=b"PC")
    (tmp_path / "r").write_bytes(record(data) + record(example(x=[1.5])))
    first, second = examples(tmp_path / "r")
    assert np.array_equal(first["global_view"], view)
    assert first["global_view"].dtype == np.float32
    assert first["kepid"].tolist() == [11442793]
    assert first["n"].tolist() == [-3, 2**62, 0]
    assert first["label"] == [b"PC"]
    assert second["x"].tolist() == [1.5]


def test_an_empty_file_has_no_records_and_an_empty_record_no_features(tmp_path):
    (tmp_path / "r").write_bytes(b"")
    assert list(records(tmp_path / "r")) == []
    (tmp_path / "r").write_bytes(record(b""))
    assert list(examples(tmp_path / "r")) == [{}]


WHOLE = record(example(kepid=[757450], view=np.arange(9.0, dtype=np.float32)))


@given(at=st.integers(0, len(WHOLE) - 1), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_any_flipped_bit_is_noticed(tmp_path_factory, at, bit):
    data = bytearray(WHOLE)
    data[at] ^= 1 << bit
    path = tmp_path_factory.mktemp("r") / "r"
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="download it again"):
        list(examples(path))


@pytest.mark.parametrize("length", [1, 11, 12, 20, len(WHOLE) - 4, len(WHOLE) - 1])
def test_any_truncation_is_noticed(tmp_path, length):
    (tmp_path / "r").write_bytes(WHOLE + WHOLE[:length])
    found = examples(tmp_path / "r")
    next(found)
    with pytest.raises(UserError, match=r"cut short|does not begin"):
        next(found)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_a_sound_record_of_anything_else_is_refused_or_read(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("r") / "r"
    path.write_bytes(record(data))
    with contextlib.suppress(UserError):
        assert all(isinstance(found, dict) for found in examples(path))


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\xff",  # a field longer than its message
        b"\x0a\x04\x0a\x02\x12\x00",  # an entry without a name
        b"\x0b",  # a wire type that is gone
        b"\x80" * 11,  # a number without an end
        field(1, field(1, field(1, b"\xff\xfe") + field(2, b""))),  # a name that is no text
        field(1, field(1, field(1, b"x") + field(2, field(2, field(1, b"123"))))),  # 3/4 floats
        field(1, field(1, field(1, b"x") + field(2, field(3, field(1, b"\xff" * 9 + b"\x7f"))))),
    ],
)
def test_a_sound_record_of_no_example_is_refused(tmp_path, data):
    (tmp_path / "r").write_bytes(record(data))
    with pytest.raises(UserError, match=r"record 0 is not a tf\.train\.Example"):
        list(examples(tmp_path / "r"))


# --- packing -------------------------------------------------------------------------------------

ROWS = [(5, 1, "AFP"), (7, 1, "PC"), (7, 2, "UNK"), (7, 3, "PC"), (6, 1, "NTP"), (5, 2, "AFP")]


def dr24_table(path, rows=ROWS):
    frame = pd.DataFrame(rows, columns=["kepid", "tce_plnt_num", "av_training_set"])
    rng = np.random.default_rng(1)
    names = ["tce_period", "tce_time0bk", "tce_duration", "tce_depth", "tce_model_snr"]
    names += ["tce_impact", "tce_prad", "tce_eqt", "tce_steff", "tce_slogg", "tce_sradius"]
    for name in names:
        frame[name] = rng.uniform(1, 9, len(frame)).round(6)
        if name not in ("tce_steff", "tce_slogg"):
            frame[f"{name}_err"] = 0.1
    frame.loc[0, "tce_period_err"] = np.nan
    frame.to_csv(path, index=False)
    return frame


def dart_records(folder):
    """As DART-Vetter stores them: candidates with their mirror images, then the others."""
    rng = np.random.default_rng(2)
    folder.mkdir()
    parts = []
    for kepid, label in [(7, 1), (7, 1), (5, 0), (6, 0), (5, 0)]:
        far, near = rng.normal(size=201), rng.normal(size=61)
        for way in (1, -1) if label else (1,):
            more = {"av_training_set": [label], "tic": [kepid], "toi": [0]}
            parts.append(record(example(global_view=far[::way], local_view=near[::way], **more)))
    (folder / "train-0.tfrecord").write_bytes(b"".join(parts[:3]))
    (folder / "train-1.tfrecord").write_bytes(b"".join(parts[3:]))
    return folder


def test_packed_kepler_records_read_as_views_with_all_columns(tmp_path):
    frame = dr24_table(tmp_path / "tces.csv")
    out = pack.pack_kepler_dr24(
        dart_records(tmp_path / "r"), tmp_path / "tces.csv", tmp_path / "views.npz"
    )
    views = tables.kepler_dr24(out, tmp_path / "tces.csv")
    assert len(views) == 5
    assert views.kepid.tolist() == [7, 7, 5, 6, 5]
    assert views.tce_plnt_num.tolist() == [1, 3, 1, 1, 2]
    assert views.label.tolist() == ["PC", "PC", "AFP", "NTP", "AFP"]
    first = np.random.default_rng(2).normal(size=201)
    assert np.allclose(views.global_view[0], first, atol=2e-3)
    assert views.global_view.dtype == views.local_view.dtype == np.float32
    assert views.columns["tce_period"].tolist() == frame["tce_period"][[1, 3, 0, 4, 5]].tolist()
    assert np.isnan(views.columns["tce_period_err"]).tolist() == [False, False, True, False, False]
    assert "tce_plnt_num" not in views.columns
    assert sorted(set(views.astronet_split)) == ["test", "train", "val"] or len(views) < 10
    alone = tables.kepler_dr24(out)
    assert set(alone.columns) < set(views.columns)
    assert np.allclose(alone.columns["tce_depth"], views.columns["tce_depth"], rtol=1e-6)


def test_records_of_a_star_not_in_the_table_are_refused(tmp_path):
    dr24_table(tmp_path / "tces.csv", [row for row in ROWS if row[0] != 6])
    with pytest.raises(UserError, match="KIC 6 is not next"):
        pack.pack_kepler_dr24(dart_records(tmp_path / "r"), tmp_path / "tces.csv", tmp_path / "o")
    assert not (tmp_path / "o").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no record files"):
        pack.pack_kepler_dr24(tmp_path / "empty", tmp_path / "tces.csv", tmp_path / "o")


def test_the_split_cuts_a_permutation_at_80_and_90_percent():
    split = pack.astronet_split(15_737)
    counts = {name: int((split == name).sum()) for name in tables.SPLITS}
    assert counts == {"train": 12_589, "val": 1_574, "test": 1_574}
    assert np.array_equal(split, pack.astronet_split(15_737))


def tess_table(path):
    head = (
        "row_id,tic_id,toi_id,Disposition,RA,Dec,Tmag,Epoc,Period,Duration,Transit_Depth,Sectors,"
    )
    head += "camera,ccd,star_rad,star_mass,teff,logg,SN,Qingress"
    rows = [
        "0,11,?.01,EB,1,2,10,1326.5,2.39,4.8,900,1,4,4,1.2,1.1,6201,4.3,670,0.5",
        "1,12,?.01,V,1,2,10,1325.8,0.45,2.4,100,1,4,3,0.8,,3921,,17.8,-0.08",
        "1,13,?.01,PC,1,2,10,1325.8,0.95,2.4,100,1,4,3,0.8,,3921,,17.8,0.08",
    ]
    # The published table ends its lines as old Macintoshes did.
    path.write_bytes(gzip.compress("\r".join([head, *rows]).encode()))


def tess_records(folder, second=False):
    folder.mkdir()
    for name, row, tic in [("train-00000-of-00001", 0, 11), ("train-00000-of-00001", 1, 13),
                           ("test-00000-of-00001", 1, 12)]:  # fmt: skip
        more = {"secondary_view": np.full(61, 0.25), "depth_change": [1.5]} if second else {}
        if second and tic == 12:
            continue
        view = np.full(201, tic / 16)
        data = example(row_id=[row], tic_id=[tic], global_view=view, local_view=view[:61], **more)
        with (folder / name).open("ab") as file:
            file.write(record(data))
    return folder


def test_packed_tess_records_read_as_views_with_stars(tmp_path):
    tess_table(tmp_path / "tces.csv.gz")
    triage, vetting = tess_records(tmp_path / "t"), tess_records(tmp_path / "v", second=True)
    out = tmp_path / "views.npz"
    pack.pack_tess_yu2019(triage, vetting, tmp_path / "tces.csv.gz", out)
    views = tables.tess_yu2019(out, tmp_path / "tces.csv.gz")
    assert views.tic_id.tolist() == [11, 12, 13]
    assert views.label.tolist() == ["EB", "J", "PC"]
    assert views.split.tolist() == ["train", "test", "train"]
    assert views.has_secondary.tolist() == [True, False, True]
    assert views.secondary_view[:, 0].tolist() == [0.25, 0.0, 0.25]
    assert np.isnan(views.columns["depth_change"]).tolist() == [False, True, False]
    assert np.allclose(views.columns["Duration"], [0.2, 0.1, 0.1])
    assert views.columns["Period"].tolist() == [2.39, 0.45, 0.95]
    assert np.isnan(views.columns["logg"]).tolist() == [False, True, True]
    assert np.allclose(views.global_view[:, 0], views.tic_id / 16)


# --- damaged views and tables --------------------------------------------------------------------


@pytest.fixture
def arrays(tmp_path):
    dr24_table(tmp_path / "tces.csv")
    path = tmp_path / "views.npz"
    pack.pack_kepler_dr24(dart_records(tmp_path / "r"), tmp_path / "tces.csv", path)
    with np.load(path) as file:
        return dict(file)


def drop(arrays, name):
    return {key: array for key, array in arrays.items() if key != name}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: drop(a, "local_view"), "local_view is missing"),
        (lambda a: drop(a, "astronet_split"), "astronet_split is missing"),
        (lambda a: a | {"global_view": a["global_view"][:, :200]}, "201"),
        (lambda a: a | {"global_view": a["global_view"].astype(int)}, "int64"),
        (lambda a: a | {"local_view": a["local_view"] * np.nan}, "not finite"),
        (lambda a: a | {"label": np.array(["PC"] * 4 + ["KP"])}, "unknown KP"),
        (lambda a: a | {"astronet_split": np.array(["dev"] * 5)}, "unknown dev"),
        (lambda a: a | {"kepid": a["kepid"][:4]}, "differ in length"),
        (lambda a: a | {"more": np.array(3)}, "differ in length"),
        (lambda a: a | {"more": np.array([None] * 5)}, "plain arrays"),
    ],
)
def test_damaged_views_are_refused_by_name(tmp_path, arrays, change, said):
    np.savez(tmp_path / "bad.npz", **change(arrays))
    with pytest.raises(UserError, match=said) as caught:
        tables.kepler_dr24(tmp_path / "bad.npz")
    assert "bad.npz" in caught.value.problem


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"not a zip at all" * 9])
def test_a_file_that_is_no_npz_is_refused(tmp_path, data):
    (tmp_path / "bad.npz").write_bytes(data)
    with pytest.raises(UserError, match=r"bad\.npz: not a whole"):
        tables.kepler_dr24(tmp_path / "bad.npz")
    with pytest.raises(UserError, match=r"none\.npz: no such file"):
        tables.tess_yu2019(tmp_path / "none.npz")


def test_a_truncated_npz_is_refused(tmp_path, arrays):
    whole = (tmp_path / "views.npz").read_bytes()
    (tmp_path / "bad.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"bad\.npz"):
        tables.kepler_dr24(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f[f["kepid"] != 6], "1 of the views' rows"),
        (lambda f: f.assign(tce_period=f["tce_period"] + 1), "tce_period differ"),
        (lambda f: f.assign(av_training_set="PC"), "labels differ"),
        (lambda f: pd.concat([f, f]), "do not name one row"),
        (lambda f: f.drop(columns="kepid"), "column kepid is missing"),
        (lambda f: f.iloc[:0], "no rows"),
    ],
)
def test_another_table_than_the_views_own_is_refused(tmp_path, arrays, change, said):
    frame = pd.read_csv(tmp_path / "tces.csv")
    change(frame).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(UserError, match=said) as caught:
        tables.kepler_dr24(tmp_path / "views.npz", tmp_path / "other.csv")
    assert "other.csv" in caught.value.problem


@pytest.mark.parametrize("reader", [tables.koi, tables.toi, tables.tce_dr25, tables.robovetter])
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
@pytest.mark.parametrize("data", [b"", b"\x1f\x8b\x08\x00", b"a,b\n1,2\n", b"\xff\xfe\x00" * 40])
def test_what_is_not_the_table_is_refused(tmp_path, reader, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=name):
        reader(tmp_path / name)


def test_robovetter_lines_with_and_without_comments(tmp_path):
    text = "#1:TCE  2:Robovetter_Score\n000757099-01 0.000 FP 1 0 0 0 LPP_DV\n"
    text += "100001645-12 0.999 PC 0 0 0 0 \n"
    (tmp_path / "r.txt").write_text(text)
    frame = tables.robovetter(tmp_path / "r.txt")
    assert frame["kepid"].tolist() == [757099, 100001645]
    assert frame["tce_plnt_num"].tolist() == [1, 12]
    assert frame["disposition"].tolist() == ["FP", "PC"]
    assert frame["comment"].tolist() == ["LPP_DV", ""]


# --- the real tables -----------------------------------------------------------------------------


@pytest.mark.mirror
def test_kepler_dr24_is_what_astronet_used(mirror, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(mirror))
    views = tables.kepler_dr24()
    assert views.global_view.shape == (15_736, 201)
    assert views.local_view.shape == (15_736, 61)
    names, counts = np.unique(views.label, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"AFP": 9595, "NTP": 2541, "PC": 3600}
    test = views.astronet_split == "test"
    assert (test.sum(), (views.label[test] == "PC").sum()) == (1_574, 360)
    # 27 columns less the two keys and the label.
    assert len(views.columns) == 24
    empty = {name for name, column in views.columns.items() if np.isnan(column).all()}
    assert empty == {"tce_rogue_flag", "tce_insol", "tce_insol_err"}
    table = tables.tce_dr24()
    row = table[(table["kepid"] == views.kepid[77])]
    row = row[row["tce_plnt_num"] == views.tce_plnt_num[77]].iloc[0]
    assert views.columns["tce_duration_err"][77] == row["tce_duration_err"]


@pytest.mark.mirror
def test_the_split_and_the_row_order_follow_from_the_table(mirror, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(mirror))
    table = tables.tce_dr24()
    table = table[table["av_training_set"] != "UNK"].reset_index(drop=True)
    table["split"] = pack.astronet_split(len(table))
    planet = table["av_training_set"] == "PC"
    views = tables.kepler_dr24()
    order = pd.concat([table[planet], table[~planet]])
    rows = pack._align(views.kepid.tolist(), order, "records")
    assert np.array_equal(rows["tce_plnt_num"], views.tce_plnt_num)
    assert np.array_equal(rows["split"], views.astronet_split)


@pytest.mark.mirror
def test_tess_yu2019_is_what_the_paper_used(mirror, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(mirror))
    views = tables.tess_yu2019()
    assert views.global_view.shape == (16_516, 201)
    assert views.secondary_view.shape == (16_516, 61)
    assert (views.split == "test").sum() == 1_658
    assert (views.label == "PC").sum() == 493
    assert (~views.has_secondary).sum() == 65
    assert np.array_equal(np.isnan(views.columns["depth_change"]), ~views.has_secondary)
    assert 0 < np.median(views.columns["Duration"]) < 1
    assert np.isfinite(views.columns["teff"]).mean() > 0.9


@pytest.mark.mirror
def test_catalogues_have_their_published_sizes(mirror, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(mirror))
    koi = tables.koi()
    assert (koi["koi_disposition"] == "CONFIRMED").sum() == 2_747
    assert len(tables.tce_dr25()) == 34_032
    vetted = tables.robovetter()
    assert (len(vetted), (vetted["disposition"] == "PC").sum()) == (32_534, 4_037)
    assert tables.toi()["toi"].is_unique
