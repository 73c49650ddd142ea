"""Alignments of every format come out at the query's residues, or an error tells why."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest

from science.core.errors import UserError
from science.proteins.alphabet import ALPHABET, GAP, LETTERS, decode, encode
from science.proteins.read import LONGEST, parse, read, read_many, same_protein

QUERY = "ACDEFGHIKL"
ROWS = [QUERY, "ACDEF--IKV", "-CDQFGHIRL"]
A3M = ">q one\nACDEFGHIKL\n>b\nACDEFwy--IKV\n>c\n-CDQFGHIRLa\n"
A2M = ">q\nACDEF..GHIKL.\n>b\nACDEFwy--IKV.\n>c\n-CDQF..GHIRLa\n"
FASTA = ">q\nACDEF\nGHIKL\n>b\nACDEF\n--IKV\n>c\n-CDQF\nGHIRL\n"
STOCKHOLM = (
    "# STOCKHOLM 1.0\n#=GF ID x\n\nq ACDEF\nb ACDEF\nc .CDQF\n#=GC RF xxxxx\n\n"
    "q GHIKL\nb --IKV\nc GHIRL\n#=GC RF xxxxx\n//\n"
)
PLAIN = "\n".join(ROWS) + "\n"
FORMATS = {"x.a3m": A3M, "x.a2m": A2M, "x.fasta": FASTA, "x.sto": STOCKHOLM, "x.aln": PLAIN}


def letters(alignment):
    return [decode(row) for row in alignment.tokens]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_columns(tmp_path, name, ends, packed):
    data = FORMATS[name].replace("\n", ends).encode()
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(data) if packed else data)
    found = read(path)
    assert letters(found) == ROWS
    assert found.query == QUERY
    if name != "x.aln":
        assert [n.split()[0] for n in found.names] == ["q", "b", "c"]


def test_letters_agree_with_the_packed_alphabet_and_come_back():
    assert ALPHABET == "ARNDCQEGHILKMFPSTWYV-"
    assert decode(encode(LETTERS.lower())) == LETTERS
    assert encode("U")[0] == LETTERS.index("C")
    assert encode("O")[0] == LETTERS.index("K")
    assert (encode("BZJX.-") == GAP).all()
    with pytest.raises(UserError, match="'1' at position 3"):
        encode("AC1")


def test_columns_where_the_query_has_a_gap_go():
    found = parse(">q\nAC--EF\n>b\nACDDEF\n", "x")
    assert letters(found) == ["ACEF", "ACEF"]


def test_another_row_can_be_the_query():
    found = parse(">q\nACDE\n>b two\n-CDE\n", "x", query="b")
    assert letters(found) == ["CDE", "CDE"]
    assert found.names[0] == "b two"
    assert letters(parse(PLAIN, "x", query="ACDEFIKV"))[0] == "ACDEFIKV"
    with pytest.raises(UserError, match="no sequence 'z'"):
        parse(A3M, "x", query="z")


def test_plain_rows_may_begin_with_another_row_than_the_query():
    found = parse("-CDE\nACDE\n", "x.aln")
    assert found.length == 4
    assert "not the query" in found.notes[0]
    assert same_protein(found, "ACDE").query == "ACDE"
    assert same_protein(found, "ACDE").depth == 2
    assert same_protein(found, "WCDE").depth == 3
    with pytest.raises(UserError, match="4 columns"):
        same_protein(found, "ACD")


def test_lower_case_files_and_masked_residues_are_residues():
    assert letters(parse(">q\nacde\n>b\nac-e\n", "x")) == ["ACDE", "AC-E"]
    masked = parse(">q\nACde\n>b\nAC-E\n", "x")
    assert letters(masked) == ["ACDE", "AC-E"]
    assert "Lower case counts as upper" in masked.notes[0]


def test_uncertain_letters_become_gaps_and_are_told():
    found = parse(">q\nAXDE\n>b\nABZE\n", "x")
    assert letters(found) == ["A-DE", "A--E"]
    assert "3 uncertain residues" in found.notes[0]
    assert "1 of them are in the query" in found.notes[1]


def test_one_sequence_is_an_alignment_of_depth_one():
    assert parse(">q\nACDE\n", "x").depth == 1


BAD = {
    "ragged": (">q\nACDE\n>b\nACD\n", "sequence 2 .b. has 3 columns, the first 4"),
    "cut fasta": (">q\nACDE\n>b\n", "sequence 2 .b. is empty"),
    "all gaps": (">q\n----\n>b\nACDE\n", "all gaps"),
    "digits": (">q\nAC1E\n>b\nACDE\n", "'1' in sequence 1"),
    "prose": ("this is not an alignment\nat all\n", "no alignment"),
    "ragged plain": ("ACDE\nACD\n", "has 3 columns"),
    "broken stockholm": ("# STOCKHOLM 1.0\nq ACDE\nb ACD\n//\n", "broken Stockholm"),
    "headless": ("# c\nACDE\n>b\nACDE\n", "before the first '>'"),
    "too long": (f">q\n{'A' * (LONGEST + 1)}\n", f"more than {LONGEST}"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_says_so(tmp_path, name):
    text, said = BAD[name]
    (tmp_path / "x").write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        read(tmp_path / "x")
    assert str(tmp_path / "x") in caught.value.problem
    assert caught.value.cure


@pytest.mark.parametrize("data", [b"", b"\n\n", bytes(range(256)) * 9, b"\x1f\x8b\x08cut"])
def test_bytes_that_are_no_text_say_so(tmp_path, data):
    for name in ("x.a3m", "x.a3m.gz"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=r"x\.a3m"):
            read(tmp_path / name)
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "absent.a3m")


def test_a_cut_archive_gives_what_it_holds_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    rows = ["".join(rng.choice(list(LETTERS), 49)) for _ in range(40_000)]
    whole = gzip.compress("\n".join(rows).encode(), compresslevel=1)
    cut = zlib.decompressobj(31).decompress(whole[: len(whole) // 2])
    (tmp_path / "x.aln.gz").write_bytes(whole[: len(whole) // 2])
    if len(cut) % 50 in (0, 49):
        assert "cut short" in read(tmp_path / "x.aln.gz").notes[0]
    else:
        with pytest.raises(UserError, match="columns, the first 49"):
            read(tmp_path / "x.aln.gz")


def test_the_rest_of_a_batch_goes_on(tmp_path):
    (tmp_path / "good.a3m").write_text(A3M)
    (tmp_path / "bad.a3m").write_text(">q\nAC\n>b\nA\n")
    found = list(read_many([tmp_path / "bad.a3m", tmp_path / "good.a3m"]))
    assert found[0].alignment is None
    assert "1 columns" in found[0].problem
    assert found[1].alignment is not None


@pytest.mark.mirror
def test_real_files_of_every_kind(mirror):
    folder = mirror / "proteins" / "families"
    known = {"1a3aA.uniclust.a3m": 145, "1guuA.aln": 50, "DHFR.a2m": 159, "5ptpA.aln": 222}
    for name, length in known.items():
        assert read(folder / name).length == length, name
    found = read(mirror / "proteins" / "pfam" / "PF00014_mgap6.fasta.gz")
    assert found.depth > 10_000
