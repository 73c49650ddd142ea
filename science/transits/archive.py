"""Light curves of one star by its name, from the mirror, the cache or the MAST archive.

Addresses follow the archive's own scheme: Kepler and K2 files lie in folders made of the star's
number, TESS files are asked for by target (their names begin with the sector's start time).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import requests

from science import paths
from science.core import datasets
from science.core.download import NotThereError, download, host
from science.core.errors import UserError
from science.core.files import write_json
from science.transits import tables

Mission = Literal["Kepler", "K2", "TESS"]

# Start of each quarter's long-cadence file name; Kepler Archive Manual (KDMC-10008), table of
# data releases. Stars on module 3, which failed in quarter 4, have the second name for it.
QUARTERS: tuple[tuple[int, str], ...] = (
    (0, "2009131105131"),
    (1, "2009166043257"),
    (2, "2009259160929"),
    (3, "2009350155506"),
    (4, "2010078095331"),
    (4, "2010009091648"),
    (5, "2010174085026"),
    (6, "2010265121752"),
    (7, "2010355172524"),
    (8, "2011073133259"),
    (9, "2011177032512"),
    (10, "2011271113734"),
    (11, "2012004120508"),
    (12, "2012088054726"),
    (13, "2012179063303"),
    (14, "2012277125453"),
    (15, "2013011073258"),
    (16, "2013098041711"),
    (17, "2013131215648"),
)
# Campaigns 9, 10 and 11 were interrupted and have two parts each.
CAMPAIGNS = (*range(9), 91, 92, 101, 102, 111, 112, *range(12, 20))


@dataclass(frozen=True)
class Mast:
    """Where the archive is. Large files may be sent on to its public bucket."""

    files: str = "https://archive.stsci.edu/missions"
    api: str = "https://mast.stsci.edu/api/v0/invoke"
    product: str = "https://mast.stsci.edu/api/v0.1/Download/file?uri="
    onward: tuple[str, ...] = ("archive.stsci.edu", "mast.stsci.edu", "stpubdata.s3.amazonaws.com")


MAST = Mast()


@dataclass(frozen=True)
class Target:
    """A star in a mission's own catalogue: KIC (Kepler), EPIC (K2) or TIC (TESS)."""

    mission: Mission
    number: int

    @property
    def name(self) -> str:
        """Such as ``KIC-11442793``."""
        catalogue = {"Kepler": "KIC", "K2": "EPIC", "TESS": "TIC"}[self.mission]
        return f"{catalogue}-{self.number}"


@dataclass(frozen=True)
class Product:
    """One light-curve file that the archive has, or, for Kepler and K2, may have."""

    target: str
    mission: Mission
    segment: int
    name: str
    url: str


def resolve(target: str) -> Target:
    """The catalogue number behind a name.

    Known: ``KIC-11442793``, ``KIC 11442793``, ``EPIC-…``, ``TIC-…``, and, once their tables are on
    this machine, ``Kepler-90``, ``KOI-351`` and ``TOI-132``.
    """
    text = " ".join(target.split())
    number = re.fullmatch(r"(KIC|EPIC|TIC)[ _-]?(\d{1,16})", text, re.IGNORECASE)
    if number:
        missions: dict[str, Mission] = {"KIC": "Kepler", "EPIC": "K2", "TIC": "TESS"}
        mission = missions[number[1].upper()]
        digits = {"Kepler": 9, "K2": 9, "TESS": 16}[mission]
        if len(number[2].lstrip("0")) > digits or not int(number[2]):
            raise UserError(f"{target}: no such number", f"{number[1]} has up to {digits} digits")
        return Target(mission, int(number[2]))
    named = re.fullmatch(r"(Kepler|KOI|TOI)[ _-]?0*(\d+)([ .]?\w+)?", text, re.IGNORECASE)
    if not named:
        cure = "give a name such as KIC-11442793, EPIC-206103150, TIC-402026209 or Kepler-90"
        raise UserError(f"{target}: neither a file nor the name of a star", cure)
    return _look_up(target, named[1].upper(), int(named[2]))


def products(target: str, at: Mast = MAST) -> list[Product]:
    """The files of a star in the archive, in order of time; asks the network for TESS only."""
    star = resolve(target)
    if star.mission == "Kepler":
        return _kepler(star, at)
    return _k2(star, at) if star.mission == "K2" else _tess(star, at)


def fetch_target(target: str, at: Mast = MAST, **how: Any) -> list[Path]:
    """Paths of a star's light-curve files in order of time: mirror, then cache, then archive.

    Mirror files that stand on a card are checked against it. ``how`` goes to `download`.
    """
    star = resolve(target)
    mirrored = _mirrored(star)
    if mirrored:
        return mirrored
    folder = paths.cache() / "mast" / star.mission.lower() / str(star.number)
    listing = folder / "complete.json"
    if listing.is_file():
        known = [folder / name for name in json.loads(listing.read_text(encoding="utf-8"))]
        if known and all(path.is_file() for path in known):
            return known
    try:
        found = _download_all(products(target, at), folder, at, how)
    except UserError as problem:
        where = f"put its FITS files below $FIFTH_MIRROR/{_home(star)}"
        raise UserError(f"{star.name}: {problem.problem}", f"{problem.cure}; or {where}") from None
    if not found:
        cure = "check the number; a star may have no light curve in this mission"
        raise UserError(f"{star.name}: the archive has no light curve of it", cure)
    write_json(listing, [path.name for path in found])
    return found


def _kepler(star: Target, at: Mast) -> list[Product]:
    nine = f"{star.number:09d}"
    made = []
    for quarter, stamp in QUARTERS:
        name = f"kplr{nine}-{stamp}_llc.fits"
        url = f"{at.files}/kepler/lightcurves/{nine[:4]}/{nine}/{name}"
        made.append(Product(star.name, star.mission, quarter, name, url))
    return made


def _k2(star: Target, at: Mast) -> list[Product]:
    nine = f"{star.number:09d}"
    made = []
    for campaign in CAMPAIGNS:
        name = f"ktwo{nine}-c{campaign:02d}_llc.fits"
        folder = f"c{campaign}/{nine[:4]}00000/{nine[4:6]}000"
        url = f"{at.files}/k2/lightcurves/{folder}/{name}"
        made.append(Product(star.name, star.mission, campaign, name, url))
    return made


def _tess(star: Target, at: Mast, authors: Sequence[str] = ("SPOC", "QLP")) -> list[Product]:
    """One file a sector: the SPOC two-minute one, else the QLP full-frame-image one."""
    filters = {
        "obs_collection": ["TESS", "HLSP"],
        "dataproduct_type": ["timeseries"],
        "target_name": [str(star.number)],
    }
    params = {
        "columns": "obs_collection,provenance_name,sequence_number,target_name,dataURL",
        "filters": [{"paramName": name, "values": values} for name, values in filters.items()],
    }
    best: dict[int, tuple[int, Product]] = {}
    for row in _ask({"service": "Mast.Caom.Filtered", "format": "json", "params": params}, at):
        uri, author = str(row.get("dataURL") or ""), str(row.get("provenance_name") or "").upper()
        name, sector = PurePosixPath(uri).name, row.get("sequence_number")
        light_curve = re.fullmatch(r"[\w.-]+_(lc|llc)\.fits", name) and "fast" not in name
        if not light_curve or author not in authors or not uri.startswith("mast:"):
            continue
        if not isinstance(sector, int):
            continue
        product = Product(star.name, "TESS", sector, name, at.product + uri)
        rank = authors.index(author)
        if sector not in best or rank < best[sector][0]:
            best[sector] = (rank, product)
    return [best[sector][1] for sector in sorted(best)]


def _ask(request: dict[str, Any], at: Mast) -> list[dict[str, Any]]:
    """Rows that MAST's public interface answers with; it may say ``EXECUTING`` for a while."""
    offline = "check the connection"
    for _ in range(30):
        try:
            posted = {"request": json.dumps(request)}
            reply = requests.post(at.api, data=posted, timeout=(10, 60), allow_redirects=False)
            answer = reply.json() if reply.status_code == requests.codes.ok else None
        except requests.RequestException as problem:
            kind = type(problem).__name__
            raise UserError(f"{at.api}: no answer ({kind})", offline) from None
        if not isinstance(answer, dict):
            raise UserError(f"{at.api}: refused (HTTP {reply.status_code})", "try again later")
        if answer.get("status") == "COMPLETE" and isinstance(answer.get("data"), list):
            return [row for row in answer["data"] if isinstance(row, dict)]
        if answer.get("status") != "EXECUTING":
            said = " ".join(str(answer.get("msg") or answer.get("status")).split())[:120]
            raise UserError(f"{at.api}: refused ({said})", "try again later")
        time.sleep(1.0)
    raise UserError(f"{at.api}: still busy", "try again later")


def _download_all(wanted: list[Product], folder: Path, at: Mast, how: dict[str, Any]) -> list[Path]:
    found = []
    hosts = {host(at.files), host(at.api), host(at.product), *at.onward}
    for product in wanted:
        try:
            path = download([product.url], folder / product.name, hosts=hosts, **how)
        except NotThereError:
            continue
        _check_fits(path, product.url)
        found.append(path)
    return found


def _check_fits(path: Path, url: str) -> None:
    # The archive gives no checksums; FITS files at least begin alike and come in 2880-byte blocks.
    with path.open("rb") as file:
        begins = file.read(9) == b"SIMPLE  ="
    if not begins or path.stat().st_size % 2880:
        path.unlink()
        raise UserError(f"{url}: what arrived is not a whole FITS file", "try again later")


def _home(star: Target) -> str:
    folder = {"Kepler": f"kepler/{star.number:09d}", "K2": "k2", "TESS": "tess"}[star.mission]
    return f"transits/fits/{folder}/"


def _mirrored(star: Target) -> list[Path]:
    mirror = paths.mirror()
    if not mirror:
        return []
    pattern = {
        "Kepler": f"**/kplr{star.number:09d}-*_llc.fits*",
        "K2": f"**/ktwo{star.number:09d}-*_llc.fits*",
        "TESS": f"**/*{star.number:016d}*lc.fits*",
    }[star.mission]
    files = (mirror / "transits" / "fits" / star.mission.lower()).glob(pattern)
    found = sorted(path for path in files if path.name.endswith((".fits", ".fits.gz")))
    for name in datasets.cards() if found else []:
        if name.startswith("transits/"):
            _check_listed(datasets.card(name), mirror, found)
    return found


def _check_listed(card: datasets.Card, mirror: Path, found: list[Path]) -> None:
    for entry in card.files:
        if entry.mirror and mirror / entry.mirror in found:
            datasets.fetch(card, entry.name)


def _look_up(target: str, kind: str, number: int) -> Target:
    card, file = ("transits/toi", "toi.csv.gz") if kind == "TOI" else ("transits/koi", "koi.csv.gz")
    if datasets.where(card)[file] is None:
        cure = f"give its KIC or TIC number, or first `fifth data get {card}`"
        raise UserError(f"{target}: the table of names is not on this machine", cure)
    if kind == "TOI":
        frame = tables.toi()
        ids = frame.loc[frame["toi"].astype(float).astype(int) == number, "tid"]
    else:
        frame = tables.koi()
        column, name = "kepler_name", rf"Kepler-{number} \w+"
        if kind == "KOI":
            column, name = "kepoi_name", rf"K0*{number}\.\d+"
        ids = frame.loc[frame[column].fillna("").str.fullmatch(name), "kepid"]
    if ids.empty:
        raise UserError(f"{target}: not in the table {card}", "give its KIC, EPIC or TIC number")
    return Target("TESS" if kind == "TOI" else "Kepler", int(ids.iloc[0]))
