"""Labelled views and catalogues of threshold-crossing events, read into arrays and frames.

A threshold-crossing event (TCE) is a periodic dimming that the mission's search found. Readers
take nothing (the card's own files), a card, or the path of a file, and check what they read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core import datasets
from science.core.errors import UserError

Source = datasets.Card | str | Path | None
Views32 = NDArray[np.float32]
Columns = dict[str, NDArray[np.float64]]

SPLITS = ("train", "val", "test")
KEPLER_LABELS = ("PC", "AFP", "NTP")
TESS_LABELS = ("PC", "EB", "J", "O")
_AGAIN = "check the file with `fifth data verify`, then get it again"


@dataclass(frozen=True)
class KeplerViews:
    """Phase-folded views of the Kepler Q1-Q17 DR24 TCEs that have an Autovetter label.

    Shapes: n rows; views are median 0, minimum -1 in relative depth.

    Attributes:
        global_view: whole period, (n, 201).
        local_view: 2.5 durations either side of the event (see ``mirrored``), (n, 61).
        label: ``PC`` planet candidate, ``AFP`` astrophysical false positive, ``NTP``
            non-transiting phenomenon.
        kepid: star, KIC number; rows of one star must stay together in grouped folds.
        tce_plnt_num: number of the event on its star, in order of detection.
        astronet_split: ``train``, ``val`` or ``test`` of Shallue & Vanderburg (2018).
        columns: every numeric column of the TCE table by its archive name, (n,), ``nan`` where the
            archive has none. Units: period and epoch [day, BKJD], duration [hour], depth [ppm].
    """

    global_view: Views32
    local_view: Views32
    label: NDArray[np.str_]
    kepid: NDArray[np.int64]
    tce_plnt_num: NDArray[np.int64]
    astronet_split: NDArray[np.str_]
    columns: Columns

    def __len__(self) -> int:
        return len(self.kepid)


@dataclass(frozen=True)
class TessViews:
    """Phase-folded views of the TESS full-frame-image TCEs of Yu et al. (2019), sectors 1 to 5.

    Attributes:
        global_view: (n, 201); local_view: (n, 61); secondary_view: (n, 61), zero where
            ``has_secondary`` is false.
        label: ``PC`` planet candidate, ``EB`` eclipsing binary, ``J`` junk, ``O`` other.
        split: the paper's ``train``, ``val`` or ``test``.
        tic_id, row_id: star, and row of the paper's table (296 row numbers occur twice there; the
            pair of both is unique).
        columns: numeric columns, (n,): Period, Duration [day], Epoc [BTJD], Transit_Depth [ppm],
            SN, Qingress, depth_change, RA, Dec [deg], Tmag, star_rad, star_mass [solar], teff [K],
            logg [dex], Sectors, camera, ccd; ``nan`` where the source has none.
    """

    global_view: Views32
    local_view: Views32
    secondary_view: Views32
    has_secondary: NDArray[np.bool_]
    label: NDArray[np.str_]
    split: NDArray[np.str_]
    tic_id: NDArray[np.int64]
    row_id: NDArray[np.int64]
    columns: Columns

    def __len__(self) -> int:
        return len(self.tic_id)


def kepler_dr24(views: Source = None, table: str | Path | None = None) -> KeplerViews:
    """The DR24 views joined with all columns of the TCE table (Catanzarite 2015, KSCI-19090-001).

    With the path of a views file and no ``table``, the columns are those stored with the views.
    """
    path, given = _at(views, "transits/kepler-dr24", "views.npz")
    if table is None and not given:
        table, _ = _at(views, "transits/kepler-dr24", "tces.csv.gz")
    need = ("global_view", "local_view", "label", "astronet_split")
    arrays = _arrays(path, (*need, *_KEPLER_KEYS))
    stored = {name: array for name, array in arrays.items() if _is_column(name, array)}
    keys = pd.DataFrame({name: arrays[name].astype(np.int64) for name in _KEPLER_KEYS})
    columns = {name: array.astype(np.float64) for name, array in stored.items()}
    if table is not None:
        frame = _frame(table, (*_KEPLER_KEYS, "av_training_set", "tce_period"))
        joined = _join(keys, frame, table)
        _same(table, joined["av_training_set"].to_numpy() == arrays["label"], "labels")
        for name, array in stored.items():
            same = np.isclose(joined[name], array.astype(np.float64), rtol=1e-5, equal_nan=True)
            _same(table, same, name)
        columns = _numeric(joined)
    return KeplerViews(
        global_view=_view(path, arrays["global_view"], len(keys), 201),
        local_view=_view(path, arrays["local_view"], len(keys), 61),
        label=_known(path, arrays["label"], KEPLER_LABELS),
        kepid=keys["kepid"].to_numpy(),
        tce_plnt_num=keys["tce_plnt_num"].to_numpy(),
        astronet_split=_known(path, arrays["astronet_split"], SPLITS),
        columns=columns,
    )


def tess_yu2019(views: Source = None, table: str | Path | None = None) -> TessViews:
    """The TESS views of Yu et al. (2019, AJ 158, 25) joined with the stars of the paper's table."""
    path, given = _at(views, "transits/tess-yu2019", "views.npz")
    if table is None and not given:
        table, _ = _at(views, "transits/tess-yu2019", "tces.csv.gz")
    need = ("global_view", "local_view", "secondary_view", "has_secondary", "label", "split")
    arrays = _arrays(path, (*need, *_TESS_KEYS))
    keys = pd.DataFrame({name: arrays[name].astype(np.int64) for name in _TESS_KEYS})
    stored = {name: array for name, array in arrays.items() if _is_column(name, array)}
    columns = {name: array.astype(np.float64) for name, array in stored.items()}
    if table is not None:
        frame = _frame(table, (*_TESS_KEYS, "Disposition", "Duration"))
        # The table counts hours, the views (and everything else here) days.
        joined = _join(keys, frame.assign(Duration=frame["Duration"] / 24.0), table)
        junk = joined["Disposition"].replace({"IS": "J", "V": "J"})
        _same(table, junk.to_numpy() == arrays["label"], "labels")
        same = np.isclose(joined["Period"], columns["Period"], rtol=1e-5)
        _same(table, same, "Period")
        columns |= _numeric(joined)
    n = len(keys)
    return TessViews(
        global_view=_view(path, arrays["global_view"], n, 201),
        local_view=_view(path, arrays["local_view"], n, 61),
        secondary_view=_view(path, arrays["secondary_view"], n, 61),
        has_secondary=arrays["has_secondary"].astype(np.bool_),
        label=_known(path, arrays["label"], TESS_LABELS),
        split=_known(path, arrays["split"], SPLITS),
        tic_id=keys["tic_id"].to_numpy(),
        row_id=keys["row_id"].to_numpy(),
        columns=columns,
    )


def koi(source: Source = None) -> pd.DataFrame:
    """Kepler Objects of Interest (NASA Exoplanet Archive, cumulative table), one row each."""
    path, _ = _at(source, "transits/koi", "koi.csv.gz")
    frame = _frame(path, ("kepid", "kepoi_name", "kepler_name", "koi_disposition", "koi_period"))
    return _labelled(path, frame, "koi_disposition", ("CONFIRMED", "CANDIDATE", "FALSE POSITIVE"))


def tce_dr24(source: Source = None) -> pd.DataFrame:
    """All 20,367 DR24 TCEs, those without a label (``UNK``) included."""
    path, _ = _at(source, "transits/tce-dr24", "tces.csv.gz")
    frame = _frame(path, (*_KEPLER_KEYS, "tce_period", "tce_time0bk", "tce_duration"))
    return _labelled(path, frame, "av_training_set", (*KEPLER_LABELS, "UNK"))


def tce_dr25(source: Source = None) -> pd.DataFrame:
    """Ephemerides of the 34,032 DR25 TCEs: period [day] and epoch [BKJD] with errors."""
    path, _ = _at(source, "transits/tce-dr25", "tces.csv.gz")
    return _frame(path, (*_KEPLER_KEYS, "tce_period", "tce_time0bk"))


def robovetter(source: Source = None) -> pd.DataFrame:
    """The DR25 Robovetter's score, disposition and flags (Thompson et al. 2018, ApJS 235, 38).

    Columns: kepid, tce_plnt_num, score, disposition (``PC`` or ``FP``), not_transit_like,
    stellar_eclipse, centroid_offset, ephemeris_match, comment.
    """
    path, _ = _at(source, "transits/robovetter-dr25", "robovetter.txt.gz")
    names = ["tce", "score", "disposition", "not_transit_like", "stellar_eclipse"]
    names += ["centroid_offset", "ephemeris_match", "comment"]
    frame = _read(path, sep=" ", comment="#", header=None, names=names, keep_default_na=False)
    parts = frame["tce"].astype(str).str.extract(r"^(\d{9})-(\d{2,})$")
    if parts.isna().to_numpy().any():
        raise UserError(f"{path}: first column is not <KIC>-<number>", _AGAIN)
    frame.insert(0, "kepid", parts[0].astype(np.int64))
    frame.insert(1, "tce_plnt_num", parts[1].astype(np.int64))
    return _labelled(path, frame.drop(columns="tce"), "disposition", ("PC", "FP"))


def toi(source: Source = None) -> pd.DataFrame:
    """TESS Objects of Interest (NASA Exoplanet Archive), one row each."""
    path, _ = _at(source, "transits/toi", "toi.csv.gz")
    frame = _frame(path, ("toi", "tid", "tfopwg_disp", "pl_orbper"))
    return _labelled(path, frame, "tfopwg_disp", ("PC", "FP", "CP", "KP", "APC", "FA"))


_KEPLER_KEYS = ("kepid", "tce_plnt_num")
_TESS_KEYS = ("row_id", "tic_id")
_NOT_COLUMNS = {field.name for kind in (KeplerViews, TessViews) for field in fields(kind)}


def _at(source: Source, name: str, file: str) -> tuple[Path, bool]:
    """The file's path, and whether it was given rather than found through a card."""
    if isinstance(source, str | Path) and Path(source).suffix not in ("", ".yaml", ".yml"):
        return Path(source), True
    return datasets.fetch(name if source is None else source, file), False


def _read(path: str | Path, **how: Any) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pd.read_csv(path, **how)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "correct the path") from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as problem:
        reason = " ".join(str(problem).split())[:120]
        raise UserError(f"{path}: not a readable table ({reason})", _AGAIN) from None
    if frame.empty:
        raise UserError(f"{path}: the table has no rows", _AGAIN)
    return frame


def _frame(path: str | Path, need: Sequence[str]) -> pd.DataFrame:
    frame = _read(path, comment="#", low_memory=False)
    missing = [name for name in need if name not in frame]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} is missing", "is it this table?")
    return frame


def _arrays(path: Path, need: Iterable[str]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "correct the path") from None
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile):
        raise UserError(f"{path}: not a whole .npz of plain arrays", _AGAIN) from None
    missing = [name for name in need if name not in arrays]
    if missing:
        raise UserError(f"{path}: array {', '.join(missing)} is missing", "is it this file?")
    rows = {len(array) for array in arrays.values() if array.ndim}
    if len(rows) != 1 or not all(array.ndim for array in arrays.values()):
        raise UserError(f"{path}: arrays differ in length", _AGAIN)
    return arrays


def _is_column(name: str, array: NDArray[Any]) -> bool:
    return array.ndim == 1 and array.dtype.kind in "fiu" and name not in _NOT_COLUMNS


def _view(path: Path, array: NDArray[Any], rows: int, bins: int) -> Views32:
    if array.shape != (rows, bins) or array.dtype.kind != "f":
        raise UserError(f"{path}: a view is {array.dtype} {array.shape}, not ({rows}, {bins})")
    view: Views32 = array.astype(np.float32)
    if not np.isfinite(view).all():
        raise UserError(f"{path}: a view holds values that are not finite", _AGAIN)
    return view


def _known(path: Path, array: NDArray[Any], known: Sequence[str]) -> NDArray[np.str_]:
    strange = sorted(set(array.astype(str)) - set(known))
    if strange:
        raise UserError(f"{path}: unknown {', '.join(strange[:5])}", f"known: {', '.join(known)}")
    return array.astype(np.str_)


def _labelled(path: Path, frame: pd.DataFrame, name: str, known: Sequence[str]) -> pd.DataFrame:
    if name not in frame:
        raise UserError(f"{path}: column {name} is missing", "is it this table?")
    _known(path, frame[name].to_numpy(str), known)
    return frame


def _join(keys: pd.DataFrame, frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    on = list(keys.columns)
    if frame.duplicated(on).any():
        raise UserError(f"{path}: {' and '.join(on)} do not name one row each", _AGAIN)
    joined = keys.merge(frame, how="left", on=on, validate="many_to_one", indicator=True)
    lost = int((joined.pop("_merge") != "both").sum())
    if lost:
        raise UserError(f"{path}: {lost} of the views' rows are not in it", "is it this table?")
    return joined


def _numeric(frame: pd.DataFrame) -> Columns:
    numeric = frame.select_dtypes("number")
    return {
        str(name): numeric[name].to_numpy(np.float64)
        for name in numeric
        if name not in _NOT_COLUMNS
    }


def _same(path: str | Path, same: NDArray[np.bool_], what: str) -> None:
    if not np.all(same):
        problem = f"{path}: {what} differ from the views in {int(np.sum(~same))} rows"
        raise UserError(problem, "use the table that the card names")
