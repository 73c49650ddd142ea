"""Stars by name: the archive's addresses, and the way from mirror to cache to network."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from science import paths
from science.core.errors import UserError
from science.transits import archive
from science.transits.archive import Mast, fetch_target, products, resolve

from ..core.server import serve

FITS = b"SIMPLE  =                    T".ljust(2880)
FAST = {"wait": lambda seconds: None}


@pytest.fixture
def site():
    with serve() as site:
        yield site


@pytest.fixture
def mast(site):
    return Mast(f"{site.url}/missions", f"{site.url}/invoke", f"{site.url}/file?uri=", ())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FIFTH_MIRROR", raising=False)


@pytest.mark.parametrize(
    ("name", "star"),
    [
        ("KIC-11442793", ("Kepler", 11442793)),
        ("KIC 11442793", ("Kepler", 11442793)),
        ("kic011442793", ("Kepler", 11442793)),
        (" EPIC_206103150 ", ("K2", 206103150)),
        ("TIC 402026209", ("TESS", 402026209)),
    ],
)
def test_catalogue_numbers_however_written(name, star):
    found = resolve(name)
    assert (found.mission, found.number) == star


@pytest.mark.parametrize(
    "name", ["", "KIC-", "KIC-0", "KIC-1234567890", "Vega", "../etc", "KIC-1/../2", "TIC-1e9"]
)
def test_what_is_no_star_is_refused(name):
    with pytest.raises(UserError):
        resolve(name)


def test_names_need_their_table(monkeypatch):
    with pytest.raises(UserError, match=r"Kepler-90: .*fifth data get transits/koi"):
        resolve("Kepler-90")
    with pytest.raises(UserError, match="fifth data get transits/toi"):
        resolve("TOI-132")


def test_kepler_addresses_are_those_of_the_archive():
    found = {product.name: product for product in products("KIC-11442793")}
    one = found["kplr011442793-2009166043257_llc.fits"]
    assert one.url == (
        "https://archive.stsci.edu/missions/kepler/lightcurves/0114/011442793/"
        "kplr011442793-2009166043257_llc.fits"
    )
    assert (one.target, one.mission, one.segment) == ("KIC-11442793", "Kepler", 1)
    tabby = {product.url for product in products("KIC-8462852")}
    assert (
        "https://archive.stsci.edu/missions/kepler/lightcurves/0084/008462852/"
        "kplr008462852-2011073133259_llc.fits"
    ) in tabby
    quarters = [product.segment for product in products("KIC-11442793")]
    assert sorted(set(quarters)) == list(range(18))
    assert quarters == sorted(quarters)


@pytest.mark.parametrize(
    ("epic", "url"),
    [
        (201569901, "c1/201500000/69000/ktwo201569901-c01_llc.fits"),
        (220139473, "c8/220100000/39000/ktwo220139473-c08_llc.fits"),
        (210676049, "c4/210600000/76000/ktwo210676049-c04_llc.fits"),
        (201569901, "c102/201500000/69000/ktwo201569901-c102_llc.fits"),
    ],
)
def test_k2_addresses_are_those_of_the_archive(epic, url):
    urls = {product.url for product in products(f"EPIC-{epic}")}
    assert f"https://archive.stsci.edu/missions/k2/lightcurves/{url}" in urls


# --- TESS, asked of the archive ------------------------------------------------------------------


def row(uri, sector, author="SPOC"):
    return {"dataURL": uri, "sequence_number": sector, "provenance_name": author}


SPOC2 = "mast:TESS/product/tess2018234235059-s0002-0000000402026209-0121-s_lc.fits"
QLP2 = "mast:HLSP/qlp/s0002/0000/0004/0202/6209/hlsp_qlp_tess_ffi_s0002_tess_v01_llc.fits"
QLP29 = "mast:HLSP/qlp/s0029/0000/0004/0202/6209/hlsp_qlp_tess_ffi_s0029_tess_v01_llc.fits"


def answer(*rows, status="COMPLETE", **more):
    return 200, json.dumps({"status": status, "data": list(rows), **more}).encode()


def test_tess_files_are_asked_for_by_target_one_a_sector(site, mast, monkeypatch):
    monkeypatch.setattr(archive.time, "sleep", lambda seconds: None)
    waiting = answer(status="EXECUTING")
    rows = [
        row(QLP29, 29, "QLP"),
        row(QLP2, 2, "QLP"),
        row(SPOC2, 2),
        row(SPOC2.replace("s_lc", "a_fast-lc"), 2),
        row(SPOC2.replace("_lc.fits", "_dvt.fits"), 3),
        row("http://elsewhere/x_lc.fits", 4),
        row("mast:TESS/product/x y_lc.fits", 5),
        row(SPOC2, None),
        row(QLP2, 6, "SOMEBODY"),
        row(None, 7),
        "nonsense",
    ]
    site.answers = [waiting, answer(*rows)]
    found = products("TIC-402026209", mast)
    assert [(product.segment, product.name) for product in found] == [
        (2, SPOC2.rpartition("/")[2]),
        (29, QLP29.rpartition("/")[2]),
    ]
    assert found[0].url == f"{site.url}/file?uri={SPOC2}"
    asked = json.loads(parse_qs(site.posted[0])["request"][0])
    assert asked["service"] == "Mast.Caom.Filtered"
    filters = {f["paramName"]: f["values"] for f in asked["params"]["filters"]}
    assert filters["target_name"] == ["402026209"]


@pytest.mark.parametrize(
    "reply",
    [
        (500, b""),
        (302, b""),
        (200, b"<html>"),
        (200, b"[]"),
        answer(status="ERROR", msg="bad\nfilter"),
        (200, b'{"status": "COMPLETE"}'),
    ],
)
def test_an_archive_that_refuses_is_told_in_one_line(site, mast, reply):
    site.answers = [reply]
    with pytest.raises(UserError) as caught:
        fetch_target("TIC-402026209", mast)
    assert "TIC-402026209" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "FIFTH_MIRROR" in caught.value.cure


def test_a_tess_star_comes_to_the_cache_and_stays_there(site, mast):
    site.answers = [answer(row(SPOC2, 2))]
    site.files[f"/file?uri={SPOC2}"] = FITS
    (path,) = fetch_target("TIC 402026209", mast)
    assert path.is_relative_to(paths.cache())
    assert path.read_bytes() == FITS
    count = len(site.asked)
    assert fetch_target("TIC 402026209", mast) == [path]
    assert len(site.asked) == count


# --- Kepler from the network ---------------------------------------------------------------------


def offer(site, *stamps, body=FITS):
    for stamp in stamps:
        name = f"kplr011442793-{stamp}_llc.fits"
        site.files[f"/missions/kepler/lightcurves/0114/011442793/{name}"] = body


def test_quarters_that_were_not_observed_are_left_out(site, mast):
    offer(site, "2009166043257", "2010009091648")
    found = fetch_target("KIC-11442793", mast)
    assert [path.name for path in found] == [
        "kplr011442793-2009166043257_llc.fits",
        "kplr011442793-2010009091648_llc.fits",
    ]
    count = len(site.asked)
    assert count == len(archive.QUARTERS)
    assert fetch_target("KIC-11442793", mast) == found
    assert len(site.asked) == count
    found[0].unlink()
    assert fetch_target("KIC-11442793", mast) == found
    assert found[0].read_bytes() == FITS


def test_a_star_the_archive_does_not_have(site, mast):
    with pytest.raises(UserError, match="KIC-11442793: the archive has no light curve"):
        fetch_target("KIC-11442793", mast)


@pytest.mark.parametrize("body", [FITS[:-1], b"<html>".ljust(2880), b""])
def test_what_is_not_fits_is_not_kept(site, mast, body):
    offer(site, "2009166043257", body=body)
    with pytest.raises(UserError, match="not a whole FITS"):
        fetch_target("KIC-11442793", mast)
    assert not list(paths.cache().rglob("*.fits"))


def test_offline_without_a_mirror_says_what_to_do():
    nowhere = Mast("http://127.0.0.1:9", "http://127.0.0.1:9/i", "http://127.0.0.1:9/?", ())
    with pytest.raises(UserError) as caught:
        fetch_target("KIC-11442793", nowhere, **FAST)
    assert "KIC-11442793" in caught.value.problem
    assert "$FIFTH_MIRROR/transits/fits/kepler/011442793/" in caught.value.cure
    with pytest.raises(UserError, match=r"no answer .*transits/fits/tess"):
        fetch_target("TIC-1", nowhere)


# --- mirror --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("KIC-7", ["kepler/000000007/kplr000000007-2009166043257_llc.fits",
                   "kepler/000000007/kplr000000007-2009259160929_llc.fits.gz"]),
        ("EPIC-206103150", ["k2/ktwo206103150-c03_llc.fits.gz"]),
        ("TIC-12", ["tess/tess2018-s0001-0000000000000012-0120-s_lc.fits",
                    "tess/tess2018-s0002-0000000000000012-0121-s_lc.fits.gz"]),
    ],
)  # fmt: skip
def test_the_mirror_comes_first(tmp_path, monkeypatch, site, mast, target, names):
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    fits = tmp_path / "transits" / "fits"
    others = ["kepler/000000070/kplr000000070-2009166043257_llc.fits",
              "kepler/000000007/kplr000000007-2009166043257_slc.fits",
              "kepler/000000007/kplr000000007-2009166043257_llc.fits.partial",
              "tess/tess2018-s0001-0000000000000121-0120-s_lc.fits"]  # fmt: skip
    for name in names + others:
        (fits / name).parent.mkdir(parents=True, exist_ok=True)
        (fits / name).write_bytes(FITS)
    assert fetch_target(target, mast) == [fits / name for name in names]
    assert not site.asked


def test_a_damaged_mirror_file_that_is_on_a_card_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    path = tmp_path / "transits/fits/kepler/011442793/kplr011442793-2009166043257_llc.fits"
    path.parent.mkdir(parents=True)
    path.write_bytes(FITS)
    with pytest.raises(UserError, match="cut short"):
        fetch_target("KIC-11442793")


@pytest.mark.mirror
def test_kepler_90_is_fourteen_files_by_any_of_its_names(mirror, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(mirror))
    found = fetch_target("KIC-11442793")
    assert len(found) == 14
    assert found == sorted(found)
    stamps = {stamp for _, stamp in archive.QUARTERS}
    assert {path.name.split("-")[1].split("_")[0] for path in found} <= stamps
    for name in ("Kepler-90", "kepler 90 b", "KOI-351", "KOI-351.01", "KIC 11442793"):
        assert fetch_target(name) == found
    with pytest.raises(UserError, match="not in the table"):
        resolve("Kepler-99999")


@pytest.mark.mirror
def test_other_missions_in_the_mirror(mirror, monkeypatch):
    monkeypatch.setenv("FIFTH_MIRROR", str(mirror))
    assert len(fetch_target("KIC-11446443")) == 15
    assert len(fetch_target("TIC-402026209")) == 1
    assert resolve("TOI-132").number == 89020549
