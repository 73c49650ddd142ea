"""Training tables: what the cards say of their rows is true, and nothing is lost on the way."""

import numpy as np
import pytest
import torch

pytest.importorskip("pymatgen.core")

from science.core.datasets import card, cards
from science.core.errors import UserError
from science.crystals import known, lattice, published, tabulate
from science.crystals.crystal_table import reduced_formulas
from science.crystals.crystals import Crystals, unpack
from science.crystals.read import structures, table
from science.crystals.read_table import SCHEMA, frame
from science.crystals.reduce import niggli
from science.crystals.splits import grouped

HEAD = f"material_id,split,{','.join(SCHEMA)},e_form"


@pytest.fixture
def own(tmp_path):
    """A card of a user's own over a table of a few crystals, and the path of the table."""
    path = tmp_path / "mine.csv"
    (tmp_path / "card.yaml").write_text(
        "name: mine/crystals\ntitle: t\ndescription: d\nlicence: mine\n"
        "reader: science.crystals.published.published\n"
        "table: science.crystals.tabulate.published\n"
        "files:\n  - {name: mine.csv, path: mine.csv}\n"
    )

    def write(*lines, head=HEAD):
        path.write_text("\n".join([head, *lines]) + "\n")
        return str(tmp_path / "card.yaml")

    return write


SALT = "s,train,4,4,4,90,90,90,Na Cl,0 0 0 0.5 0.5 0.5,-1.5"
TWIN = "t,test,4,4,4,90,90,90,Cl Na,0 0 0 0.5 0.5 0.5,"
LONG = "q,val,4.1,5.3,6.7,81,97,108,Na Ti N N,0 0 -0.1 0.5 1.4 0.7 0.2 0.8 0.4 0.7 0.2 1,0.25"


def test_rows_become_arrays(own):
    made = tabulate.published(own(SALT, TWIN, LONG))
    assert made.id.tolist() == ["s", "t", "q"]
    assert made.split.tolist() == ["train", "test", "val"]
    assert made.size.tolist() == [2, 2, 4]
    assert made.inputs["species"].tolist() == [[11, 17, 0, 0], [17, 11, 0, 0], [11, 22, 7, 7]]
    np.testing.assert_allclose(
        made.inputs["frac"][2, :2], [[0, 0, 0.9], [0.5, 0.4, 0.7]], atol=1e-6
    )
    assert made.inputs["frac"][2, 3, 2] == 0
    lengths, angles = lattice.lengths_angles(
        lattice.matrix(torch.from_numpy(made.inputs["cell"])).double()
    )
    np.testing.assert_allclose(lengths[2], [4.1, 5.3, 6.7], rtol=1e-5)
    np.testing.assert_allclose(angles[2], [81, 97, 108], rtol=1e-4)
    np.testing.assert_array_equal(made.inputs["e_form"], np.float32([-1.5, np.nan, 0.25]))


def test_order_of_the_atoms_does_not_matter_to_the_group(own):
    made = tabulate.published(own(SALT, TWIN, LONG))
    assert made.group.tolist() == ["NaCl", "NaCl", "NaTiN2"]


def test_target_is_no_input(own):
    made = tabulate.published(own(SALT, LONG), target="e_form")
    assert made.target.tolist() == [-1.5, 0.25]
    assert "e_form" not in made.inputs
    with pytest.raises(UserError, match=r"'gap'.*there are: e_form"):
        tabulate.published(own(SALT), target="gap")


def test_sodium_nitride_is_a_formula(own):
    row = SALT.replace("s,", "NaN,").replace("Na Cl", "Na N")
    assert tabulate.published(own(row)).id.tolist() == ["NaN"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (SALT.replace("Cl", "Qq"), "mine/crystals, s: no element is called 'Qq'"),
        (SALT.replace("0.5 0.5 0.5", "0.5"), "s: 4 coordinates for 2 atoms"),
        (SALT.replace("0.5 0.5 0.5", "x y z"), "coordinates are numbers"),
    ],
)
def test_bad_rows_are_named(own, row, words):
    with pytest.raises(UserError, match=words):
        tabulate.published(own(SALT.replace("s,", "ok,"), row))


def test_missing_columns_are_named(own):
    with pytest.raises(UserError, match="no column species, frac"):
        tabulate.published(own("1,2,3,4,5,6", head="a,b,c,alpha,beta,gamma"))


def test_niggli_cell_holds_the_same_crystal(own):
    from pymatgen.analysis.structure_matcher import StructureMatcher

    sheared = "x,train,4.1,5.3,12.0,81,97,151,Na Ti N N,0 0 0 .5 .4 .7 .2 .8 .4 .7 .2 .1,0"
    rows = published.published(own(sheared, LONG))
    reduced = niggli(rows)
    assert reduced.matrix[0].trace() != rows.matrix[0].trace()
    for before, after in zip(rows.structures(), reduced.structures(), strict=True):
        assert after.volume == pytest.approx(before.volume)
        np.testing.assert_allclose(after.distance_matrix, before.distance_matrix, atol=1e-5)
        assert StructureMatcher(primitive_cell=False).fit(before, after)
        np.testing.assert_allclose(
            after.lattice.parameters, before.get_reduced_structure().lattice.parameters, atol=1e-5
        )


def test_grouped_split_keeps_formulas_together_in_the_same_proportions():
    rng = np.random.default_rng(0)
    split = rng.choice(["train", "val", "test"], 4000, p=[0.6, 0.2, 0.2])
    group = rng.integers(0, 1500, 4000).astype(str)
    dealt = grouped(split, group, 0)
    for name in ("train", "val", "test"):
        assert (dealt == name).mean() == pytest.approx((split == name).mean(), abs=0.01)
    for one in ("train", "val"):
        for other in ("val", "test"):
            if one != other:
                assert not set(group[dealt == one]) & set(group[dealt == other])
    np.testing.assert_array_equal(dealt, grouped(split, group, 0))
    assert (dealt != grouped(split, group, 1)).any()


def test_unknown_options_are_named():
    with pytest.raises(UserError, match="htl or lth"):
        published.carbon_24_unique(nsplit="abc")
    with pytest.raises(UserError, match="train or all"):
        published.mp_20(pool="test")


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("name", "counts", "widest"),
    [
        ("perov-5", (11356, 3787, 3785), 5),
        ("carbon-24", (6091, 2032, 2030), 24),
        ("mp-20", (5056, 9047, 9046), 20),
        ("wbm-10k", (0, 0, 10000), 100),
        ("diffcsp-mp-20", (0, 0, 10000), 20),
        ("crystalformer-mp-20", (0, 0, 999), 69),
    ],
)
def test_cards_have_the_rows_they_say(mirror, name, counts, widest):
    made = table(f"crystals/{name}")
    assert tuple((made.split == s).sum() for s in ("train", "val", "test")) == counts
    assert made.species.shape[1] == widest
    assert len(set(made.id)) == len(made)
    assert np.isfinite(made.matrix).all()
    assert (made.size > 0).all()


@pytest.mark.mirror
def test_perovskite_facts_of_the_card(mirror):
    made = tabulate.published("crystals/perov-5", target="e_form")
    names, counts = np.unique(made.group, return_counts=True)
    assert len(names) == 9646
    assert (counts == 2).sum() == 9282
    test = made.group[made.split == "test"]
    assert np.isin(test, made.group[made.split == "train"]).mean() == pytest.approx(0.585, abs=5e-4)
    assert np.isfinite(made.target).all()


@pytest.mark.mirror
def test_perov_5_is_what_cdvae_published(mirror):
    from science.core.datasets import fetch
    from science.crystals.read import read

    ours = dict(structures("crystals/perov-5", "test"))
    theirs = fetch("crystals/perov-5", "cdvae_test.csv.gz")
    assert set(frame(theirs)["material_id"]) == set(ours)
    for number, entry in enumerate(read(theirs)):
        name = entry.name.rpartition("(")[2].rstrip(")")
        mine = ours[name]
        assert mine.composition == entry.structure.composition
        for site in entry.structure:  # the order of the anions is another
            apart = mine.frac_coords - site.frac_coords
            near = np.abs(apart - apart.round()).max(axis=1).argmin()
            assert mine[near].specie == site.specie
            np.testing.assert_allclose(apart[near], apart[near].round(), atol=1e-7)
        np.testing.assert_allclose(mine.lattice.abc, entry.structure.lattice.abc, atol=1e-7)
        if number == 200:
            break


@pytest.fixture(scope="module")
def mp_20(mirror):
    return published.mp_20(pool="all")


@pytest.mark.mirror
def test_mp_20_learns_from_all_but_test(mp_20):
    everything, some = mp_20, table("crystals/mp-20")
    assert (everything.split == "train").sum() + (everything.split == "val").sum() == 14103
    assert 600 < (everything.split == "val").sum() < 800
    np.testing.assert_array_equal(everything.split == "test", some.split == "test")
    formulas = reduced_formulas(everything.species)
    train, val = (set(formulas[everything.split == s]) for s in ("train", "val"))
    assert not train & val


@pytest.mark.mirror
def test_mp_20_cells_are_reduced_and_come_back(mp_20):
    some = mp_20.take(np.arange(0, len(mp_20), 500))
    made = tabulate.as_samples(some, "published", True, None, 0)
    batch = Crystals(*(torch.from_numpy(made.inputs[n]) for n in ("species", "frac", "cell")))
    for before, structure in zip(some.structures(), unpack(batch), strict=True):
        assert structure.composition == before.composition
        assert structure.volume == pytest.approx(before.volume, rel=1e-5)
        a, b, c = structure.lattice.abc
        assert a <= b + 1e-3
        assert b <= c + 1e-3


@pytest.mark.mirror
def test_formulas_of_all_mp_20_rows_are_known(mirror):
    every = known.compositions()
    assert every["split"].value_counts().to_dict() == {"train": 27136, "val": 9047, "test": 9046}
    assert every["formation_energy_per_atom"].notna().all()
    with pytest.raises(UserError, match="no 'dev' split"):
        known.compositions(split="dev")


@pytest.mark.mirror
def test_hull_entries_references_and_index(mirror):
    entries = known.hull_entries()
    assert len(entries) == 36666
    assert entries["e_above_hull"].between(0, 0.025).all()
    assert (entries["e_above_hull"] == 0).sum() == 24200
    elements = known.elements()
    assert len(elements) == 89
    assert elements["Fe"] == pytest.approx(-8.47, abs=0.01)
    assert known.known_index()["spg_num"].between(1, 230).all()


def test_every_card_names_its_reader():
    from science.core.allow import resolve

    ours = [name for name in cards() if name.startswith("crystals/")]
    assert len(ours) >= 11
    for name in ours:
        made = card(name)
        assert made.reader.startswith("science.crystals.")
        assert made.citation
        assert made.split
        if made.table:
            resolve(made.table)
            resolve(made.reader)
