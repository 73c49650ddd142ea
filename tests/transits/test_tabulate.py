"""Tables are whole, fixed in order and free of what would tell the label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from science.core.data import CardData, read_table
from science.core.errors import UserError
from science.transits import scalars, tabulate
from science.transits.context import NO_STAR
from science.transits.tabulate import (
    KEPLER_FAMILIES,
    KEPLER_SCALARS,
    TESS_FAMILIES,
    TESS_SCALARS,
    kepler_scalars,
)

N = 24


def write_card(folder, table, files):
    text = {"name": "mine/x", "title": "X", "description": "x", "licence": "CC0", "table": table}
    text["files"] = [{"name": name, "path": name} for name in files]
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    return str(path)


def some_views(rng, n=N):
    views = {"global_view": rng.normal(size=(n, 201)), "local_view": rng.normal(size=(n, 61))}
    return {name: array.astype(np.float16) for name, array in views.items()}


def some_splits(n=N):
    return np.array((["train"] * 4 + ["val", "test"]) * (n // 6))


def by_name(inputs, families):
    """Name to values of every number in every family, whose width must be that of its names."""
    return {
        name: values
        for family, names in families.items()
        for name, values in zip(names, inputs[family].T, strict=True)
    }


@pytest.fixture
def kepler(tmp_path):
    """A card of one's own: 24 events on 12 stars, and 6 unlabelled ones more."""
    rng = np.random.default_rng(4)
    rows = N + 6
    frame = {"kepid": 757450 + np.arange(rows) // 2, "tce_plnt_num": 1 + np.arange(rows) % 2}
    for name in KEPLER_FAMILIES["own"][:11] + KEPLER_FAMILIES["errors"][:10]:
        frame[name] = np.round(rng.uniform(0.5, 9, rows), 3)
    frame["av_training_set"] = ["PC", "AFP", "NTP"] * (N // 3) + ["UNK"] * 6
    frame = pd.DataFrame(frame)
    frame.loc[3, "tce_depth_err"] = 0.0
    frame.to_csv(tmp_path / "tces.csv.gz", index=False)
    keys = {name: frame[name].to_numpy()[:N] for name in ("kepid", "tce_plnt_num")}
    label = frame["av_training_set"].to_numpy(str)[:N]
    np.savez(tmp_path / "views.npz", label=label, astronet_split=some_splits(), **keys,
             **some_views(rng))  # fmt: skip
    return write_card(
        tmp_path, "science.transits.tabulate.kepler_dr24", ["views.npz", "tces.csv.gz"]
    )


@pytest.fixture
def tess(tmp_path):
    rng = np.random.default_rng(5)
    label = np.array((["J"] * 4 + ["EB", "PC"]) * (N // 6))
    label[0] = "O"
    keys = {"row_id": np.arange(N) // 2, "tic_id": 900 + np.arange(N) % 7}
    frame = {**keys, "Disposition": label}
    names = ("Period", "Duration", "Epoc", "Transit_Depth", "SN", "Qingress", "RA", "Dec", "Tmag")
    for name in (*names, "star_rad", "star_mass", "teff", "logg"):
        frame[name] = np.round(rng.uniform(0.5, 9, N), 3)
    frame |= {"Sectors": 1 + np.arange(N) % 2, "camera": 1, "ccd": 2}
    frame = pd.DataFrame(frame)
    frame.loc[5, "star_mass"] = np.nan
    frame.to_csv(tmp_path / "tces.csv.gz", index=False)
    seen = np.arange(N) != 7
    change = np.where(np.arange(N) == 2, 1.5e25, 0.1)
    change[7] = np.nan
    second = rng.normal(size=(N, 61)).astype(np.float16) * seen[:, None]
    np.savez(tmp_path / "views.npz", label=label, split=some_splits(), has_secondary=seen,
             secondary_view=second, depth_change=change, Period=frame["Period"], **keys,
             **some_views(rng))  # fmt: skip
    return write_card(
        tmp_path, "science.transits.tabulate.tess_yu2019", ["views.npz", "tces.csv.gz"]
    )


# --- names ---------------------------------------------------------------------------------------


def test_scalars_keep_the_order_that_weights_depend_on():
    assert KEPLER_SCALARS[:5] == (
        "tce_period", "tce_time0bk", "tce_duration", "tce_depth", "tce_model_snr",
    )  # fmt: skip
    widths = {family: len(names) for family, names in KEPLER_FAMILIES.items()}
    assert widths == {"own": 42, "errors": 13, "context": 11}
    assert {family: len(n) for family, n in TESS_FAMILIES.items()} == {"own": 50, "context": 7}
    assert len(set(KEPLER_SCALARS)) == 66
    assert len(set(TESS_SCALARS)) == 57
    assert KEPLER_FAMILIES["errors"][0] == "tce_period_err"
    assert KEPLER_FAMILIES["context"][2:4] == ("match_count", "match_gap")
    assert KEPLER_FAMILIES["context"][-1] == "twin_earlier"


@pytest.mark.parametrize("names", [KEPLER_SCALARS, TESS_SCALARS])
def test_nothing_that_tells_the_label_or_the_place_is_a_scalar(names):
    told = {"kepid", "tce_plnt_num", "tce_rogue_flag", "av_training_set", "is_multi", "tic_id"}
    told |= {"row_id", "Sectors", "camera", "ccd", "RA", "Dec", "Epoc", "label", "split"}
    assert not told & set(names)


def test_families_and_names_may_be_mixed_and_come_in_fixed_order():
    chosen = scalars.choose(["twin", "errors", "tce_period"], KEPLER_FAMILIES)
    assert chosen == ("tce_period", *KEPLER_FAMILIES["errors"], "twin")
    with pytest.raises(UserError, match="did you mean 'context'"):
        scalars.choose(["contxt"], KEPLER_FAMILIES)


# --- what follows from what ----------------------------------------------------------------------


def test_the_earth_around_the_sun_lasts_as_long_as_expected():
    earth = {"tce_period": 365.25, "tce_duration": 13.0, "tce_depth": 84.0, "tce_slogg": 4.438}
    earth |= {"tce_sradius": 1.0, "tce_prad": 1.0, "tce_model_snr": 12.0, "tce_depth_err": 7.0}
    row = by_name(kepler_scalars(earth, *flat()), KEPLER_FAMILIES)
    assert row["duration_over_expected"] == pytest.approx(1, rel=1e-5)
    assert row["radius_consistency"] == pytest.approx(1, rel=0.01)
    assert row["transits"] == pytest.approx(3.833, rel=1e-3)
    assert row["single_snr"] == pytest.approx(12 / np.sqrt(3.833), rel=1e-3)
    assert row["depth_significance"] == pytest.approx(12)
    assert np.isnan([row["tce_impact"], row["tce_period_err"], row["twin"]]).all()


def flat():
    return np.zeros(201, np.float32), np.zeros(61, np.float32)


def test_a_signal_of_which_nothing_is_known_has_only_its_shape():
    made = kepler_scalars({}, *flat())
    assert {(family, row.dtype.name, row.shape) for family, row in made.items()} == {
        ("own", "float32", (42,)), ("errors", "float32", (13,)), ("context", "float32", (11,))
    }  # fmt: skip
    known = {name for name, value in by_name(made, KEPLER_FAMILIES).items() if np.isfinite(value)}
    assert "tce_period" not in known
    assert {"fourier_1", "edge_scatter", "slope"} <= known
    with pytest.raises(UserError, match="no scalar period"):
        kepler_scalars({"period": 3.0}, *flat())


def test_values_that_are_no_numbers_become_nan():
    columns = {"a": np.array([np.inf, -np.inf, np.nan, 1e39, -1e300])}
    made = scalars.matrix(columns, ("a", "b"), 5)
    assert np.isnan(made[:3]).all()
    assert np.isfinite(made[3:, 0]).all()
    assert np.isnan(made[:, 1]).all()


# --- tables --------------------------------------------------------------------------------------


def test_kepler_rows_are_named_grouped_and_labelled(kepler):
    table = read_table(kepler)
    assert table.id[1] == "000757450-02"
    assert table.classes == ("PC", "AFP", "NTP")
    assert table.label[:4].tolist() == [0, 1, 2, 0]
    assert table.truth.sum() == N // 3
    assert table.group[:4].tolist() == [757450, 757450, 757451, 757451]
    assert {name: array.shape for name, array in table.inputs.items()} == {
        "global_view": (N, 201), "local_view": (N, 61),
        "own": (N, 42), "errors": (N, 13), "context": (N, 11),
    }  # fmt: skip
    assert all(array.dtype == np.float32 for array in table.inputs.values())
    assert not any(np.isinf(table.inputs[family]).any() for family in KEPLER_FAMILIES)
    assert np.isfinite(table.inputs["context"]).all()
    assert np.isnan(by_name(table.inputs, KEPLER_FAMILIES)["depth_significance"][3])


def test_a_table_row_is_what_the_network_is_fed_for_a_single_signal(kepler):
    table, frame = read_table(kepler), pd.read_csv(kepler.replace("card.yaml", "tces.csv.gz"))
    names = [name for name in frame if name in KEPLER_SCALARS]
    said = table.inputs["context"][6].astype(float)
    context = dict(zip(KEPLER_FAMILIES["context"], said, strict=True))
    views = table.inputs["global_view"][6], table.inputs["local_view"][6]
    alone = kepler_scalars({name: frame[name][6] for name in names}, *views, context)
    assert set(alone) == set(KEPLER_FAMILIES)
    for family, row in alone.items():
        np.testing.assert_allclose(row, table.inputs[family][6], rtol=1e-6, err_msg=family)


def test_labels_change_no_input(kepler):
    before = read_table(kepler)
    folder = kepler.removesuffix("card.yaml")
    frame = pd.read_csv(folder + "tces.csv.gz")
    label = np.roll(frame["av_training_set"][:N].to_numpy(str), 1)
    frame.loc[: N - 1, "av_training_set"] = label
    frame.to_csv(folder + "tces.csv.gz", index=False)
    arrays = dict(np.load(folder + "views.npz", allow_pickle=False))
    np.savez(folder + "views.npz", **(arrays | {"label": label}))
    after = read_table(kepler)
    assert (after.label != before.label).all()
    for name, array in before.inputs.items():
        np.testing.assert_array_equal(after.inputs[name], array)


def test_scalars_can_be_chosen_or_left_out(kepler):
    full = read_table(kepler).inputs
    views = {"global_view", "local_view"}
    own = read_table(kepler, scalars=["own"]).inputs
    assert set(own) == views | {"own"}
    np.testing.assert_array_equal(own["own"], full["own"])
    some = read_table(kepler, scalars=["match_gap", "tce_depth", "match_distance"]).inputs
    assert set(some) == views | {"own", "context"}
    np.testing.assert_array_equal(some["own"], full["own"][:, [3]])
    np.testing.assert_array_equal(some["context"], full["context"][:, [0, 3]])
    assert set(read_table(kepler, scalars=[]).inputs) == views
    without = read_table(kepler, context=False).inputs
    assert without["context"].shape == (N, 11)
    assert np.isnan(without["context"]).all()
    for family in ("own", "errors"):
        np.testing.assert_array_equal(without[family], full[family])


def test_tess_triage_merges_what_vetting_tells_apart(tess):
    triage, vetting = read_table(tess), read_table(tess, task="vetting")
    assert len(triage) == len(vetting) == N - 1  # the other one is out
    assert (triage.classes, triage.positive) == (("T", "J"), "T")
    assert (vetting.classes, vetting.positive) == (("PC", "EB", "J"), "PC")
    np.testing.assert_array_equal(triage.truth, vetting.label < 2)
    assert len(set(triage.id)) == len(triage)
    assert triage.inputs["secondary_view"].shape == (N - 1, 61)
    with pytest.raises(UserError, match="no task 'vet'"):
        read_table(tess, task="vet")


def test_tess_numbers_are_bounded_and_honest_about_what_is_missing(tess):
    table = read_table(tess)
    assert {f: table.inputs[f].shape[1] for f in TESS_FAMILIES} == {"own": 50, "context": 7}
    assert "errors" not in table.inputs
    column = by_name(table.inputs, TESS_FAMILIES)
    assert not any(np.isinf(values).any() for values in column.values())
    assert column["depth_change"][1] == 100  # row 2 of the file; the first is left out
    assert np.isnan(column["secondary_centre"][6])
    assert column["has_secondary"][6] == 0
    assert np.isfinite(np.delete(column["secondary_centre"], 6)).all()
    assert np.isnan(column["star_mass"][4])
    assert np.isfinite(column["duration_over_expected"][4])  # gravity stands in for the mass
    assert np.nanmax(column["epoch_crowding"]) < N / 2  # only its own sector


def test_simulated_events_fit_the_same_network_and_their_seed():
    table = read_table("transits/simulated", count=20, seed=5)
    assert {k: v.shape[1:] for k, v in table.inputs.items()} == {
        "global_view": (201,), "local_view": (61,), "own": (42,), "errors": (13,), "context": (11,)
    }  # fmt: skip
    sizes = {name: int((table.split == name).sum()) for name in ("train", "val", "test")}
    assert sizes == {"train": 16, "val": 2, "test": 2}
    assert len(set(table.group)) == 20
    assert np.isnan(table.inputs["errors"]).all()
    assert np.isnan(table.inputs["context"]).all()
    assert np.isfinite(table.inputs["own"][:, :11]).all()
    again = tabulate.simulated(count=20, seed=5)
    for name, array in table.inputs.items():
        np.testing.assert_array_equal(again.inputs[name], array)
    assert (again.id == table.id).all()


# --- cards that name a function ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("science.core.config.load", "no class or factory"),
        ("science.transits.nowhere.x", "no module"),
        ("science.core.data.CardData", "no function"),
        ("", "makes no table"),
    ],
)
def test_a_card_names_only_functions_marked_for_it(tmp_path, name, said):
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(UserError, match=said):
        read_table(write_card(tmp_path, name, ["x"]))


def test_a_card_cannot_name_foreign_code(tmp_path):
    with pytest.raises(UserError, match="not a dataset card"):
        read_table(write_card(tmp_path, "os.system", ["x"]))


def test_options_of_the_wrong_name_are_said(kepler):
    with pytest.raises(UserError, match="its options are context, scalars"):
        read_table(kepler, contxt=True)


def test_data_modules_read_through_the_card(kepler):
    data = CardData(kepler, inputs=["own"], leave_out=[757450], options={"scalars": ["own"]})
    assert data.table.inputs["own"].shape == (N - 2, 42)
    assert list(data.table.inputs) == ["own"]


# --- real data -----------------------------------------------------------------------------------


@pytest.mark.mirror
def test_real_kepler_events(mirror):
    table = read_table("transits/kepler-dr24")
    assert len(table) == 15_736
    assert np.bincount(table.label).tolist() == [3600, 9595, 2541]
    column = by_name(table.inputs, KEPLER_FAMILIES)
    share = [float((column["match_count"] > 0)[table.label == k].mean()) for k in range(3)]
    assert share[1] > 2 * share[0]  # contamination
    assert column["twin"][table.label == 0].mean() < 0.1 < column["twin"][table.label == 1].mean()
    assert not any(np.isinf(values).any() for values in column.values())
    matched = column["match_count"] > 0
    assert ((column["match_gap"] < NO_STAR) == matched).all()
    assert (column["match_gap"][matched] < 7.2).all()  # KIC numbers end at 13 million


@pytest.mark.mirror
def test_real_tess_events(mirror):
    table = read_table("transits/tess-yu2019", task="vetting")
    assert np.bincount(table.label).tolist() == [493, 2155, 13_865]
    assert len(set(table.id)) == len(table) == 16_513
    assert [int((table.split == s).sum()) for s in ("train", "val", "test")] == [13_198, 1657, 1658]
