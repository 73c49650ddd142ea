"""``fifth transits``: what a person types, what comes out, and the status it ends with."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from science.__main__ import main
from science.transits import chain
from science.transits.lightcurve import Ephemeris

from .chain_stars import PLANET, curve, score, write


class Stub:
    """What ``releases.load`` returns, without weights."""

    members = ()

    def score(self, inputs):
        return score(inputs)


@pytest.fixture(autouse=True)
def _release(monkeypatch):
    monkeypatch.setattr(chain.releases, "load", lambda name: Stub())


@pytest.fixture
def star(tmp_path):
    return str(write(curve(PLANET), tmp_path / "KIC-12345.csv"))


def search(*words):
    quick = ("--periods", "5", "15", "--threads", "1", "--method", "bls", "--max-planets", "1")
    return main(["transits", "search", *map(str, words), *quick])


def test_search_writes_table_page_and_manifest(star, tmp_path, capsys):
    out = tmp_path / "out"
    assert search(star, "--out", out) == 0
    table = pd.read_csv(out / "candidates.csv")
    assert table["period"].round(2).tolist() == [7.31]
    assert table["disposition"].tolist() == ["planet candidate"]
    assert {"snr", "sde", "fap", "odd_even_sigma", "score", "score_uncertainty"} <= set(table)
    assert json.loads((out / "manifest.json").read_text())["options"]["method"] == "bls"
    page = (out / "report.html").read_text()
    assert "KIC-12345" in page
    assert "What moved the score" in page
    assert "planet candidate" in capsys.readouterr().out


def test_what_search_wrote_can_be_vetted_and_left_out(star, tmp_path):
    out = tmp_path / "out"
    assert search(star, "--out", out) == 0
    table = out / "candidates.csv"
    again = ("--ephemerides", str(table), "--out", str(tmp_path / "v"))
    assert main(["transits", "vet", star, *again]) == 0
    vetted, first = pd.read_csv(tmp_path / "v" / "candidates.csv"), pd.read_csv(table)
    assert vetted["score"][0] == pytest.approx(first["score"][0], abs=0.05)
    assert search(star, "--known", table, "--out", tmp_path / "rest") == 0
    assert pd.read_csv(tmp_path / "rest" / "candidates.csv").empty


def test_one_bad_file_is_told_and_the_rest_succeeds(star, tmp_path, capsys):
    (tmp_path / "bad.fits").write_bytes(b"SIMPLE  =  broken")
    assert search(star, tmp_path / "bad.fits", tmp_path / "gone.fits", "--out", tmp_path / "o") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(said) == 2
    assert "bad.fits" in said[0]
    assert "gone.fits" in said[1]
    assert "bad.fits" in (tmp_path / "o" / "report.html").read_text()


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"time,flux\n1,1\n", b"a,b\n1,2\n", b"\x00" * 999]
)
def test_only_bad_files_end_with_two_and_a_line_each(content, tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    assert search(path, "--out", tmp_path / "o") == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "bad.csv" in lines[0]
    assert not (tmp_path / "o").exists()


def test_vet_of_an_ephemeris_without_data_is_flagged(star, tmp_path, capsys):
    given = ("--period", "900", "--epoch", "400", "--duration", "5h", "--out", str(tmp_path))
    assert main(["transits", "vet", star, *given]) == 0
    table = pd.read_csv(tmp_path / "candidates.csv")
    assert "no transit in the data" in table["flags"][0]
    assert "period exceeds the baseline" in table["flags"][0]
    assert table["disposition"][0] == "not scored"
    assert np.isnan(table["score"][0])


def test_vet_ranks_the_signal_among_random_ones(star, tmp_path, capsys):
    e = PLANET
    given = [
        "--period",
        str(e.period),
        "--epoch",
        str(e.epoch),
        "--duration",
        f"{24 * e.duration}h",
    ]
    assert main(["transits", "vet", star, *given, "--random", "30", "--out", str(tmp_path)]) == 0
    assert "of 31 among random ephemerides" in " ".join(capsys.readouterr().out.split())
    assert len(pd.read_csv(tmp_path / "random-KIC-12345-1.csv")) == 30
    assert "Against chance" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "words",
    [
        ["--period", "3"],
        ["--period", "3", "--epoch", "1", "--duration", "4"],
        ["--period", "3", "--epoch", "1", "--duration", "soon"],
        ["--ephemerides", "nowhere.csv"],
        ["--ephemerides", "nowhere.csv", "--period", "3"],
    ],
)
def test_impossible_requests_end_with_two(words, star, tmp_path, capsys):
    assert main(["transits", "vet", star, *words, "--out", str(tmp_path / "o")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(("error: ", "KIC-12345", "note"))
    assert "Traceback" not in said


def test_inject_writes_maps_with_intervals(star, tmp_path, capsys):
    how = ["--n", "2", "--periods", "5", "10", "--radii", "8", "12", "--threads", "1"]
    assert main(["transits", "inject", star, *how, "--out", str(tmp_path)]) == 0
    rows = pd.read_csv(tmp_path / "injections.csv")
    assert len(rows) == 2
    cells = pd.read_csv(tmp_path / "completeness.csv")
    assert {"rate", "low", "high", "injections"} <= set(cells)
    assert cells["injections"].sum() == 2
    assert "completeness of search and network" in capsys.readouterr().out
    assert (tmp_path / "report.html").exists()


@pytest.mark.mirror
def test_kepler_90_i_is_the_next_signal_after_the_known_seven(mirror, tmp_path):
    words = ["KIC-11442793", "--known", "koi", "--max-planets", "1", "--threads", "1"]
    how = ["--periods", "12", "17", "--out", str(tmp_path)]
    assert main(["transits", "search", *words, *how]) == 0
    table = pd.read_csv(tmp_path / "candidates.csv")
    found = Ephemeris(table["period"][0], table["epoch"][0], 0.1)
    assert found.period == pytest.approx(14.44912, rel=1e-4)
