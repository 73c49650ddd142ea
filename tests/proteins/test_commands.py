"""What the commands write, and what they say of bad input."""

from __future__ import annotations

import json

import gemmi
import numpy as np
import pytest
from typer.testing import CliRunner

from science.core.errors import UserError
from science.proteins.align import search
from science.proteins.alphabet import GAP, LETTERS, decode
from science.proteins.commands import app
from science.proteins.families import families
from science.proteins.infer import Inferred, chosen, infer
from science.proteins.likely import CURVES, likely
from science.proteins.maps import read_map, write_matrix, write_rr
from science.proteins.read import parse


@pytest.fixture(scope="module")
def family():
    return families("proteins/simulated", families=1, depth=800, drift=1.0)[0]


@pytest.fixture(scope="module")
def a3m(family, tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / "made.a3m"
    rows = (f">s{k}\n{decode(row)}\n" for k, row in enumerate(family.alignment.tokens))
    path.write_text("".join(rows))
    return path


@pytest.fixture(scope="module")
def structure(family, tmp_path_factory):
    path = tmp_path_factory.mktemp("truth") / "made.pdb"
    three = {letter: gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA) for letter in LETTERS}
    lines = []
    for k, (letter, at) in enumerate(zip(family.chain.sequence, family.chain.cb, strict=True)):
        x, y, z = at
        for name in ("CA", "CB")[: 1 + (letter != "G")]:
            lines.append(
                f"ATOM  {len(lines) + 1:5d}  {name:<3s} {three[letter]} A{k + 1:4d}    "
                f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C"
            )
    path.write_text("\n".join([*lines, "END"]) + "\n")
    return path


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def raised(result):
    assert isinstance(result.exception, UserError), result.output
    return result.exception


def test_contacts_then_evaluate(tmp_path, a3m, structure, family):
    bad = tmp_path / "bad.a3m"
    bad.write_text(">q\nACD\n>b\nA\n")
    out = tmp_path / "out"
    result = run("contacts", a3m, bad, "--method", "mi", "--out", out)
    assert result.exit_code == 0, result.output
    assert "bad.a3m" in result.output
    assert "restore what was cut" in result.output
    text = (out / "made.rr").read_text()
    assert text.startswith("PFRMAT RR\nTARGET made\n")
    assert family.chain.sequence[:50] in text
    matrix, pairs = read_map(out / "made.safetensors"), read_map(out / "made.rr")
    assert matrix.sequence == pairs.sequence == family.chain.sequence
    told = pairs.score > 0  # the best ten a residue
    assert told.sum() == 2 * 640
    assert np.allclose(matrix.score[told], pairs.score[told], atol=1e-6)
    assert matrix.score[~told].max() <= pairs.score[told].min() + 1e-6
    assert 0 <= matrix.score.min() < matrix.score.max() <= 1
    assert (out / "made.csv").read_text().startswith("i,j,residue_i,residue_j,probability,score\n")
    page = (out / "report.html").read_text()
    assert "bad.a3m" in page

    judged = run("evaluate", out / "made.rr", "--structure", structure, "--out", tmp_path / "e")
    assert judged.exit_code == 0, judged.output
    found = json.loads((tmp_path / "e" / "metrics.json").read_text())
    assert found["long_L5"]["value"] > 0.3
    assert found["long_L5"]["low"] < found["long_L5"]["value"] < found["long_L5"]["high"]
    assert "Calibration error" in (tmp_path / "e" / "report.html").read_text()


def test_contacts_shows_the_truth_and_takes_npz(tmp_path, a3m, structure):
    out = tmp_path / "out"
    result = run("contacts", a3m, "--method", "inverse-covariance", "--structure", structure,
                 "--format", "npz", "--most", "60", "--out", out)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert read_map(out / "made.npz").score.shape == (64, 64)
    assert "long P@L/5" in (out / "proteins.csv").read_text()
    assert "60 of" in (out / "report.html").read_text()


def test_nothing_readable_is_status_two(tmp_path):
    bad = tmp_path / "bad.a3m"
    bad.write_text("")
    assert run("contacts", bad, "--out", tmp_path / "out").exit_code == 2
    assert "no file fits" in raised(run("contacts", str(tmp_path / "*.sto"))).problem


def test_a_structure_of_another_protein_is_refused_and_the_rest_goes_on(
    tmp_path, a3m, structure, family
):
    write_rr(tmp_path / "made.rr", "W" * 64, np.zeros((64, 64)), "w", "none")
    result = run("evaluate", tmp_path / "made.rr", "--structure", structure,
                 "--out", tmp_path / "e")  # fmt: skip
    assert result.exit_code == 2
    assert "another protein" in result.output


def test_contacts_are_told_without_a_truth_that_does_not_fit(tmp_path, structure):
    other = tmp_path / "other.a3m"
    other.write_text(">q\nWWWWHHHHPPPPWWWWHHHHPPPPWWWW\n>b\nWWWWHHHHPPPPWWWWHHHHPPPPWWWA\n")
    result = run("contacts", other, "--method", "mi", "--structure", structure,
                 "--out", tmp_path / "out")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "structure is left out" in result.output
    assert "another protein" in result.output
    assert (tmp_path / "out" / "other.rr").exists()


def test_one_sequence_gives_a_map_that_says_not_to_use_it():
    found = infer(parse(">q\nACDEFGHIKLMNPQRSTVWYACDEFGHIKLMN\n", "x"), "mi")
    assert found.trust == "none"
    assert any("no homologue" in note for note in found.notes)
    assert np.isfinite(found.probability).all()


def test_deep_alignments_are_sampled_and_told(family):
    found = infer(family.alignment, "mi", most=20, seed=3)
    assert isinstance(found, Inferred)
    assert found.alignment.depth == 20
    assert found.alignment.query == family.alignment.query
    assert any("drawn at random" in note for note in found.notes)
    assert chosen("plm") == "plm"


def test_probabilities_are_symmetric_rise_with_the_score_and_sum_to_a_few_per_residue(family):
    rng = np.random.default_rng(0)
    score = rng.normal(size=(90, 90))
    score = score + score.T
    for method in CURVES:
        p = likely(score, 200.0, method)
        assert (p == p.T).all()
        i, j = np.triu_indices(90, 6)
        for apart in (10, 40):
            same = j - i == apart
            assert (np.diff(p[i, j][same][np.argsort(score[i, j][same])]) >= 0).all()
        assert 0.5 < p[i, j].sum() / 90 < 6


def test_maps_on_disk_come_back_and_bad_ones_say_why(tmp_path):
    score = np.random.default_rng(0).random((9, 9))
    score = (score + score.T) / 2
    for name in ("x.safetensors", "x.npz"):
        write_matrix(tmp_path / name, {"probability": score}, "ACDEFGHIK")
        back = read_map(tmp_path / name)
        assert back.score == pytest.approx(score, abs=1e-6)
        assert back.sequence == "ACDEFGHIK"
        (tmp_path / f"cut-{name}").write_bytes((tmp_path / name).read_bytes()[:90])
        with pytest.raises(UserError, match="cannot be read"):
            read_map(tmp_path / f"cut-{name}")
    for text, said in {
        "": "empty",
        "PFRMAT RR\nACDE\n": "no pairs",
        "ACDE\n1 2 0 8 x\n": "line 2 is no pair",
        "ACDE\n1 9 0 8 0.5\n": "residue 9 of 4",
        "ACDE\n0 3 0.5\n": "count from 1",
        "1 2 nan\n": "score nan",
    }.items():
        (tmp_path / "x.rr").write_text(text)
        with pytest.raises(UserError, match=said):
            read_map(tmp_path / "x.rr")
    np.savez(tmp_path / "flat.npz", probability=np.zeros(4))
    with pytest.raises(UserError, match="L x L"):
        read_map(tmp_path / "flat.npz")
    with pytest.raises(UserError, match="no such file"):
        read_map(tmp_path / "absent.rr")


def test_align_finds_relatives_and_leaves_strangers(tmp_path, family):
    rng = np.random.default_rng(1)
    query = family.alignment.query
    tokens = family.alignment.tokens[0]
    rows = []
    for _ in range(12):
        changed = np.where(rng.random(64) < 0.3, rng.integers(0, 20, 64), tokens)
        rows.append(decode(changed.astype(np.uint8)))
    rows[0] = rows[0][:20] + "WWGGWW" + rows[0][20:]  # an insertion
    rows[1] = rows[1][:30] + rows[1][36:]  # a deletion
    strangers = ["".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), 80)) for _ in range(40)]
    text = [f">r{k} x\n{row}\n" for k, row in enumerate(rows)]
    text += [f">x{k}\n{row}\n" for k, row in enumerate(strangers)]
    database = tmp_path / "db.fasta"
    database.write_text("".join(text))
    found = search(query, database)
    assert found.alignment.query == query
    names = {hit.name.partition("/")[0] for hit in found.hits}
    assert {f"r{k}" for k in range(12)} <= names
    assert not any(name.startswith("x") for name in names)
    assert all(hit.e_value < 1e-3 for hit in found.hits)
    assert (found.alignment.tokens[1:] == GAP).any()
    back = parse(found.a3m, "x.a3m")
    assert (back.tokens == found.alignment.tokens).all()
    rows = [line for line in found.a3m.splitlines() if not line.startswith(">")]
    assert any(letter.islower() for row in rows for letter in row)

    result = run("align", query, "--db", database, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "query.a3m").read_text() == found.a3m
    assert "e_value" in (tmp_path / "out" / "query-hits.csv").read_text()


def test_align_without_a_homologue_or_a_database_says_so(tmp_path, family):
    lonely = tmp_path / "db.fasta"
    lonely.write_text(">x\nGGGGSGGGGSGGGGSGGGGS\n")
    found = search(family.alignment.query, lonely)
    assert found.alignment.depth == 1
    assert "No homologue" in found.notes[0]
    (tmp_path / "empty.fasta").write_text("")
    for name in ("empty.fasta", "absent.fasta"):
        with pytest.raises(UserError, match=name):
            search(family.alignment.query, tmp_path / name)
    with pytest.raises(UserError, match="at least 10"):
        search("ACD", lonely)
    assert "no sequence" in raised(run("align", "no-file.fa", "--db", lonely)).problem


def test_a_true_contact_map_folds_and_is_compared(tmp_path, structure, family):
    from science.proteins.contacts import in_contact

    write_matrix(
        tmp_path / "made.safetensors",
        {"probability": in_contact(family.distance) * 1.0},
        family.chain.sequence,
    )
    bare = tmp_path / "bare.rr"
    bare.write_text("1 30 0 8 0.9\n")
    out = tmp_path / "out"
    result = run("fold", tmp_path / "made.safetensors", bare, "--structure", structure,
                 "--format", "pdb", "--out", out)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "does not say the sequence" in result.output
    assert "TM-score" in (out / "proteins.csv").read_text()
    confidence = np.loadtxt(out / "made-confidence.csv", delimiter=",", skiprows=1, usecols=2)
    assert confidence.shape == (64,)
    assert 0 <= confidence.min() <= confidence.max() <= 1
    from science.proteins.read_structure import read_structure

    assert read_structure(out / "made.pdb").sequence == family.chain.sequence
    assert "curve-scene" in (out / "report.html").read_text()


def test_adapt_runs_the_experiment_on_the_users_card(tmp_path, monkeypatch):
    from science.core.run import Run
    from science.proteins import adapt

    asked = []
    monkeypatch.setattr(adapt, "run", lambda *words: asked.append(words) or Run(tmp_path, {}))
    result = run("adapt", "--data", "mine.yaml", "--seed", "3", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    experiment, words, out = asked[0]
    assert (experiment, out) == ("proteins/adapt", tmp_path)
    assert "data.cards=['mine.yaml']" in words
    assert "seed=3" in words
    assert str(tmp_path / "report.html") in result.output
