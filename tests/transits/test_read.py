from __future__ import annotations

import gzip
import io
import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from astropy.timeseries import TimeSeries

from science.core.errors import UserError
from science.transits import unpack
from science.transits.lightcurve import LightCurve
from science.transits.read import Failure, files, read, read_many, read_star, target_of

SIZE = 120
TIME = 200.0 + 0.0204 * np.arange(SIZE)
FLUX = 5000.0 + np.random.default_rng(0).normal(size=SIZE)
QUALITY = np.zeros(SIZE, dtype=np.int32)
QUALITY[:4] = [8192, 128, 8, 32]


def kepler(path, time=TIME, flux=FLUX, quarter=3, star=123456, columns=(), **header):
    arrays = [("TIME", "D", time), ("SAP_FLUX", "E", 0.9 * flux), ("PDCSAP_FLUX", "E", flux),
              ("PDCSAP_FLUX_ERR", "E", np.ones(len(flux))),
              ("SAP_QUALITY", "J", QUALITY[: len(flux)]), *columns]  # fmt: skip
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, form, array=array) for name, form, array in arrays], name="LIGHTCURVE"
    )
    table.header.update(BJDREFI=2454833, BJDREFF=0.0, TIMEDEL=0.0204336)
    table.header["TUNIT1"] = "BJD - 2454833"
    primary = fits.PrimaryHDU()
    known = {"TELESCOP": "Kepler", "MISSION": "Kepler", "KEPLERID": star, "QUARTER": quarter,
             "TEFF": 5778, "LOGG": 4.438, "RADIUS": 1.0, "KEPMAG": 11.5}  # fmt: skip
    primary.header.update(known | header)
    fits.HDUList([primary, table]).writeto(path, overwrite=True, checksum=True)
    return path


@pytest.fixture
def good(tmp_path):
    return kepler(tmp_path / "kplr000123456-2009_llc.fits")


def refused(source, says, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserError, match=says) as caught:
            read(source, **how)
    text = str(caught.value)
    assert str(source) in text
    assert "\n" not in text
    assert caught.value.cure


def test_a_kepler_file_tells_the_star(good):
    lc = read(good)
    assert (lc.target, lc.mission, lc.epoch_zero) == ("KIC-123456", "Kepler", 2454833.0)
    assert lc.exposure == pytest.approx(0.0204336)
    assert lc.star.mass == pytest.approx(1.0)
    assert set(lc.segment) == {3}
    assert lc.error[0] == pytest.approx(1 / 5000, rel=1e-3)
    assert len(lc) == SIZE - 2


def test_quality_and_flux_are_choices(good):
    sizes = {q: len(read(good, quality=q)) for q in ("none", "default", "strict", 128)}
    assert sizes == {"none": SIZE, "default": SIZE - 2, "strict": SIZE - 4, 128: SIZE - 1}
    assert np.allclose(read(good, flux="sap").flux, read(good).flux, rtol=1e-5)
    with pytest.raises(UserError, match="quality="):
        read(good, quality="best")
    with pytest.raises(UserError, match="flux="):
        read(good, flux="best")


def test_gzip_reads_the_same(good, tmp_path):
    packed = tmp_path / "kplr000123456_llc.fits.gz"
    packed.write_bytes(gzip.compress(good.read_bytes()))
    assert np.array_equal(read(packed).flux, read(good).flux)


def test_quick_look_products_are_told_by_their_columns(tmp_path):
    table = fits.BinTableHDU(
        Table(
            {"TIME": TIME, "SAP_FLUX": FLUX, "KSPSAP_FLUX": FLUX, "QUALITY": 4096 * (QUALITY > 0)}
        )
    )
    table.header.update(BJDREFI=2457000, BJDREFF=0.0)
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="TESS", TICID=77, SECTOR=12, TESSMAG=10.0)
    fits.HDUList([primary, table]).writeto(tmp_path / "hlsp_qlp_llc.fits")
    lc = read(tmp_path / "hlsp_qlp_llc.fits")
    assert (lc.target, lc.mission, len(lc), lc.segment[0]) == ("TIC-77", "TESS", SIZE - 4, 12)
    assert any("quick-look" in note for note in lc.notes)


@pytest.mark.parametrize(
    "text",
    [
        "time,flux,flux_err\n{rows}",
        "TIME;PDCSAP_FLUX;PDCSAP_FLUX_ERR\n{rows}",
        "# a remark\n# time flux error\n{rows}",
        "{rows}",
        "Time [d]\tNormalized Flux\tFlux Error\n{rows}",
        "\ufeffbjd,f,sigma\r\n{rows}",
    ],
)
def test_text_in_many_dresses(text, tmp_path):
    mark = next((m for m in ",;\t" if m in text), " ")
    rows = "\n".join(
        mark.join(map(repr, map(float, row))) for row in np.c_[TIME, FLUX, FLUX * 0 + 1]
    )
    path = tmp_path / "Kepler-5.csv"
    path.write_text(text.format(rows=rows), encoding="utf-8")
    lc = read(path)
    assert (len(lc), lc.target, lc.epoch_zero) == (SIZE, "Kepler-5", 2454833.0)
    assert np.allclose(lc.time, TIME)
    assert np.isfinite(lc.error).all()


def test_npz_ecsv_and_objects(tmp_path):
    np.savez(tmp_path / "TIC-9.npz", time=TIME, flux=FLUX, quarter=np.repeat([1, 2], SIZE // 2))
    Table({"time": TIME, "flux": FLUX}).write(tmp_path / "EPIC 7.ecsv")
    series = TimeSeries({"flux": FLUX}, time=Time(2457000.0 + TIME, format="jd", scale="tdb"))
    series.meta = {"MISSION": "TESS", "TICID": 5, "SECTOR": 3, "TEFF": 4000.0}
    curves = [read(tmp_path / "TIC-9.npz"), read(tmp_path / "EPIC 7.ecsv"), read(series)]
    curves.append(read(pd.DataFrame({"time": TIME, "flux": FLUX}).set_index("time")))
    curves.append(read({"time": TIME, "flux": FLUX}))
    assert [c.target for c in curves[:3]] == ["TIC-9", "EPIC-7", "TIC-5"]
    assert set(curves[0].segment) == {1, 2}
    assert curves[2].star.teff == 4000.0
    for curve in curves:
        assert np.allclose(curve.time, TIME, atol=1e-8)
    assert read(curves[0]) is curves[0]
    with pytest.raises(UserError, match="int is no light curve"):
        read(7)


@pytest.mark.parametrize(
    ("time", "zero", "expected"),
    [
        ("time [s]", 2454833.0, TIME * 86400),
        ("bjd", 2454833.0, TIME + 2454833),
        ("time_bkjd", 2454833.0, TIME),
        ("mjd", 2454833.0, TIME + 2454833 - 2400000.5),
    ],
)
def test_times_come_home_to_the_missions_zero(time, zero, expected, tmp_path):
    path = tmp_path / "KIC-4.csv"
    pd.DataFrame({time: expected, "flux": FLUX}).to_csv(path, index=False)
    lc = read(path)
    assert lc.epoch_zero == zero
    assert np.allclose(lc.time, TIME, atol=1e-6)


def test_quarters_are_stitched_each_around_one(tmp_path):
    for quarter, level in ((1, 1.0), (2, 3.0)):
        kepler(tmp_path / f"q{quarter}.fits", TIME + 90 * quarter, FLUX * level, quarter)
    lc = read_star(tmp_path)
    assert len(lc) == 2 * SIZE - 4
    assert [np.median(lc.flux[lc.segment == q]) for q in (1, 2)] == pytest.approx([1, 1])
    assert len(lc.source) == 2
    assert any("4 points dropped" in note for note in lc.notes)
    assert len(read_star(str(tmp_path / "q*.fits"))) == len(lc)
    kepler(tmp_path / "other.fits", star=9)
    with pytest.raises(UserError, match="different stars"):
        read_star(tmp_path)


def test_a_bad_file_never_stops_the_others(good, tmp_path):
    kepler(tmp_path / "b.fits", TIME + 90, quarter=4)
    kepler(tmp_path / "c.fits", star=9)
    (tmp_path / "d.fits").write_bytes(good.read_bytes()[:8000])
    curves, failures = read_many([tmp_path, tmp_path / "absent.csv", str(tmp_path / "*.xyz")])
    assert {c.target: len(c.source) for c in curves} == {"KIC-123456": 2, "KIC-9": 1}
    assert {f.path.rsplit("/")[-1] for f in failures} == {"d.fits", "absent.csv", "*.xyz"}
    assert all(isinstance(f, Failure) and f.problem and f.cure for f in failures)


def test_names_of_files_tell_the_star():
    names = {
        "kplr011442793-2009166043257_llc.fits": "KIC-11442793",
        "ktwo206103150-c03_llc.fits": "EPIC-206103150",
        "tess2018206045859-s0001-0000000441420236-0120-s_lc.fits": "TIC-441420236",
        "KOI-1.01.npz": "KOI-1.01",
        "kepler_90.csv": "Kepler-90",
        "mystar.txt": "mystar",
    }
    assert {name: target_of(name) for name in names} == names


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.fits", b"", "is empty"),
        ("a.fits", b"hello world, no FITS", "not a FITS file"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"# only remarks\n", "no line of data"),
        ("a.csv", b"time,flux\n", "no line of data"),
        ("a.csv", b"time,colour\n1,2\n", "no pdcsap flux column among: time, colour"),
        ("a.csv", b"hour,flux\n1,2\n", "no time column"),
        ("a.csv", b"time,mag\n1,12.1\n", "magnitudes"),
        ("a.csv", b"1.0\n2.0\n", "one column"),
        ("a.csv", b"time,flux\n1,2\n", "1 of 1 points"),
        ("a.csv", b"time,flux\n" + b"x,y\n" * 50, "0 of 50"),
        ("a.bin", bytes(range(256)) * 9, "neither FITS"),
        ("a.npz", b"PK\x03\x04broken", "npz"),
        ("a.fits.gz", b"\x1f\x8b\x08\x00garbage", "damaged gzip"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "empty once decompressed"),
        ("a.ecsv", b"# %ECSV 1.0\n# ---\n# {broken: [\ntime flux\n1 2\n", "ECSV"),
        ("a.csv", b"time,flux\n" + b"%d,1.0\n" * 60 % tuple(range(0, 60 * 1765, 1765)), "days"),
    ],
)
def test_bad_files_are_refused_in_one_line(name, content, says, tmp_path):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, says)


def test_bad_fits_are_refused_in_one_line(good, tmp_path):
    whole = good.read_bytes()
    cut = tmp_path / "cut.fits"
    for length in (100, 2880, 6000, len(whole) - 2880 - 900):
        cut.write_bytes(whole[:length])
        refused(cut, "cut.fits")
    refused(kepler(tmp_path / "n.fits", flux=FLUX * np.nan), "0 of 120")
    refused(kepler(tmp_path / "one.fits", TIME[:1], FLUX[:1]), "1 of 1")
    fits.PrimaryHDU(np.ones((5, 5))).writeto(tmp_path / "image.fits")
    refused(tmp_path / "image.fits", "no table with a light curve")
    pixels = Table({"TIME": TIME, "FLUX": np.ones((SIZE, 3, 3))})
    pixels.write(tmp_path / "tpf.fits")
    refused(tmp_path / "tpf.fits", "target pixel file")
    for rows in ("2147483648", "-5", "0", "99999999999999999999"):
        old = f"NAXIS2  = {SIZE:>20}".encode()
        cut.write_bytes(whole.replace(old, f"NAXIS2  = {rows:>20}".encode()))
        refused(cut, "cut.fits")


def test_what_is_no_readable_file_is_refused(good, tmp_path, monkeypatch):
    refused(tmp_path, "is a directory")
    refused(tmp_path / "absent.fits", "does not exist")
    refused("/dev/null", "not a regular file")
    monkeypatch.setattr(unpack, "LIMIT", 100_000)
    bomb = tmp_path / "bomb.fits.gz"
    bomb.write_bytes(gzip.compress(bytes(3_000_000)))
    refused(bomb, "decompresses to more than")
    np.savez_compressed(tmp_path / "bomb.npz", time=np.zeros(10**6), flux=np.zeros(10**6))
    monkeypatch.setattr("science.transits.text.LIMIT", 100_000)
    refused(tmp_path / "bomb.npz", "decompresses")

    def forbidden(*_args, **_kwargs):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.open", forbidden)
    refused(good, "may not be read")


def test_npz_never_unpickles(tmp_path):
    np.savez(tmp_path / "evil.npz", time=np.array([print], dtype=object), flux=FLUX)
    refused(tmp_path / "evil.npz", "npz")


def test_an_altered_table_is_flagged(good):
    content = bytearray(good.read_bytes())
    place = content.index(np.array(TIME[5], ">f8").tobytes())
    content[place + 7] ^= 1
    good.write_bytes(content)
    assert any("checksum" in note for note in read(good).notes)


def test_hostile_headers_do_no_harm(tmp_path):
    lc = read(kepler(tmp_path / "h.fits", TEFF=-1e30, LOGG=500.0, RADIUS="<b>", QUARTER=10**9,
                     OBJECT="<script>x</script>", KEPLERID="../../etc"))  # fmt: skip
    assert np.isnan([lc.star.teff, lc.star.logg, lc.star.radius, lc.star.mass]).all()
    assert set(lc.segment) == {0}


@pytest.mark.parametrize("kind", ["fits", "csv", "npz"])
def test_random_damage_gives_a_curve_or_a_user_error(kind, good, tmp_path):
    rng = np.random.default_rng(2009)
    if kind == "csv":
        pd.DataFrame({"time": TIME, "flux": FLUX}).to_csv(tmp_path / "x.csv", index=False)
        whole = (tmp_path / "x.csv").read_bytes()
    elif kind == "npz":
        buffer = io.BytesIO()
        np.savez(buffer, time=TIME, flux=FLUX)
        whole = buffer.getvalue()
    else:
        whole = good.read_bytes()
    path = tmp_path / f"mutant.{kind}"
    for _ in range(150 if kind == "fits" else 60):
        path.write_bytes(mutated(whole, rng))
        try:
            lc = read(path)
        except UserError:
            continue
        assert isinstance(lc, LightCurve)
        assert np.isfinite(lc.time).all()
        assert np.isfinite(lc.flux).all()
        assert np.all(np.diff(lc.time) > 0)


def mutated(whole, rng):
    content = bytearray(whole)
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(0, len(content)))
        # Headers hold the interesting bytes; the table is most of the file.
        at = at if rng.random() < 0.4 else at % 8640 % len(content)
        match int(rng.integers(0, 5)):
            case 0:
                content[at] = int(rng.integers(0, 256))
            case 1:
                content[at : at + 8] = rng.bytes(8)
            case 2:
                content[at : at + 4] = b"-999"
            case 3:
                del content[at : at + int(rng.integers(1, 3000))]
            case _:
                content = content[: max(at, 40)]
        if not content:
            break
    return bytes(content)


@pytest.mark.mirror
def test_every_mirrored_light_curve_reads(mirror):
    curves, failures = read_many([mirror / "transits/fits", mirror / "transits/lightcurves"])
    assert failures == []
    assert len(curves) > 35
    assert {c.mission for c in curves} == {"Kepler", "K2", "TESS"}
    for curve in curves:
        assert np.all(np.diff(curve.time) > 0)
        assert np.median(curve.flux) == pytest.approx(1, abs=0.01)


@pytest.mark.mirror
def test_kepler_90_is_complete(mirror):
    folder = mirror / "transits/fits/kepler/011442793"
    assert len(read_star(folder, quality="strict")) == 44_744
    whole = read_star(folder)
    assert len(whole) == 51_503
    assert (whole.target, whole.mission) == ("KIC-11442793", "Kepler")
    assert len(np.unique(whole.segment)) == len(files(folder)) == 14
