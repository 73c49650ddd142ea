"""The page of a command: every structure in a row, problems told, nothing run, nothing fetched."""

from __future__ import annotations

import pandas as pd
import pytest

from science.core.command import facts, save
from science.core.errors import UserError
from science.core.report import Report
from science.core.report_run import report
from science.crystals import commands_files, found_pictures, page
from science.crystals.account import Account, Row, pretty, space_group, unique

from ..core.browser import chromium

HOSTILE = '"><img src=x onerror="window.hit=1"><script>window.hit=1</script>'


def account(*structures):
    rows = [
        Row(f"s{i}", s, "made by hand", "", {"e_hull": 0.01 * i, "e_form": -1.0, "novel": i > 0})
        for i, s in enumerate(structures)
    ]
    return Account([*rows, Row(HOSTILE, None, HOSTILE, f"broken: {HOSTILE}")])


def test_table_has_symmetry_provenance_and_what_reads_it_again(perovskite, salt):
    table = account(perovskite, salt).table()
    assert table["space_group"][:2].tolist() == ["Pm-3m (221)", "Fm-3m (225)"]
    assert table["formula"][:2].tolist() == ["SrTiO3", "NaCl"]
    assert table["n_atoms"].dtype == "Int64"
    assert table["how"][0] == "made by hand"
    assert {"species", "frac", "a", "gamma", "e_hull"} <= set(table)
    assert list(table)[:3] == ["id", "formula", "n_atoms"]


def test_written_table_can_be_read(perovskite, salt, tmp_path):
    from science.crystals.read import read

    path = tmp_path / "structures.csv"
    account(perovskite, salt).table().to_csv(path, index=False)
    found = list(read(path))
    assert [e.structure is None for e in found] == [False, False, True]
    assert found[0].structure.composition == perovskite.composition


def test_best_puts_the_unknown_last():
    rows = [Row("a", values={"e_hull": float("nan")}), Row("b", values={"e_hull": 0.2}), Row("c"),
            Row("d", values={"e_hull": -0.1})]  # fmt: skip
    assert [row.name for row in Account(rows).best().rows] == ["d", "b", "a", "c"]


def test_small_helpers(perovskite):
    assert unique(["x", "x", "x-2", "x"]) == ["x", "x-2", "x-2-2", "x-3"]
    assert pretty("Sr2Ti3O10") == "Sr₂Ti₃O₁₀"
    assert space_group(perovskite.copy().perturb(0.02) or perovskite) == "Pm-3m (221)"


def test_page_tells_of_the_good_and_the_bad(perovskite, salt):
    rows = [
        {"model": "these", "metrics": {"match_rate@20": {"value": 0.9, "low": 0.8, "high": 1.0}}}
    ]
    story = page.Story(
        "Title", "Lead.", account(perovskite, salt), {"z": 1, "relax": True, "out": None},
        {"rows": rows}, notes=["Mind this."], read=list(page.READ),
        diagrams=[page.Diagram(["Na", "Cl"], pd.DataFrame(
            {"formula": ["NaCl"], "e_form": [-2.0], "e_hull": [0.0], "Na": [0.5], "Cl": [0.5]}
        ), pd.DataFrame({"formula": ["NaCl"], "e_form": [-1.9], "e_hull": [0.1], "Na": [0.5],
                         "Cl": [0.5]}))],
    )  # fmt: skip
    text = page.build(story).render()
    for said in ("Mind this", "Match rate, k = 20", "0.900", "10 meV/atom above the hull", "SrTiO₃",
                 "Pm-3m (221)", "Phase diagrams", "broken:", "Every option in force"):  # fmt: skip
        assert said in text, said
    assert "<script>window" not in text
    assert "<img src=x" not in text


def test_page_holds_up_with_nothing():
    text = page.build(page.Story("Nothing", "", Account([]))).render()
    assert "no structure to show" in text
    broken = Account([Row("x", None, "", "no atoms")])
    assert "no atoms" in page.build(page.Story("Nothing", "", broken)).render()


def test_a_search_that_found_nothing_says_so(tmp_path, capsys):
    commands_files.save(tmp_path, page.Story("Nothing", "", Account([])))
    commands_files.show(Account([]), tmp_path)
    commands_files.show(Account([Row("x", None, "", "no atoms")]), tmp_path)
    assert capsys.readouterr().out.count("no structure to show") == 2
    assert (tmp_path / "structures.csv").read_text().startswith("id,")


def test_facts_leave_out_what_was_not_given():
    told = facts({"relax": True, "release": None, "files": ["a", "b"], "seed": 0, "quiet": False})
    assert told["relax"] == "yes"
    assert told["files"] == "a b"
    assert not {"release", "quiet"} & set(told)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"):
        save(tmp_path / "file" / "out", Report("t"), {}, {})


@pytest.mark.browser
def test_page_opens_without_complaint(perovskite, salt, tmp_path):
    story = page.Story("Structures", HOSTILE, account(perovskite, salt), {"formula": HOSTILE})
    path = page.build(story).write(tmp_path / "r.html")
    with chromium() as browser:
        for width, dark in ((1200, False), (400, True)):
            browser.open(path, width=width, dark=dark)
            assert browser.run("return window.hit") is None
            assert browser.run("return [...document.images].every(i => i.naturalWidth > 0)")
            assert browser.complaints() == []
            assert browser.requests() == []
            assert browser.overflow() == 0


def test_what_was_found_is_shown_to_turn_and_in_its_phase_diagram(salt, tmp_path, monkeypatch):
    known = pd.DataFrame(
        {"formula": ["NaCl"], "formation_energy_per_atom": [-1.0], "e_above_hull": [0.0]}
    )
    monkeypatch.setattr("science.crystals.known.hull_entries", lambda card="": known)
    rows = [Row("a", salt, "by hand", values={"e_hull": -0.012, "e_form": -1.1}), Row("b")]
    (tmp_path / "config.yaml").write_text("title: A run\n")
    found_pictures.keep(tmp_path, rows)
    text = report(tmp_path).read_text()
    assert "12 meV/atom below the hull" in text
    assert "Cl–Na" in text
    assert text.count('class="structure"') == 1
    found_pictures.keep(tmp_path / "nothing", [Row("b")])
    assert not (tmp_path / "nothing").exists()
