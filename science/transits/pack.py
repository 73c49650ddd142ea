"""Pack the published TFRecords into the .npz files that the cards name.

Only mirrors hold the packed files; whoever has the originals makes the same arrays here. The
cards' notes name the original files, pinned to a commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.files import atomic
from science.transits import tables
from science.transits.tfrecord import Feature, examples

SEED = 123  # of AstroNet's permutation
_WIDE = ("tce_period", "tce_time0bk")
_EVENT = ("tce_duration", "tce_depth", "tce_model_snr", "tce_impact", "tce_prad", "tce_eqt")
_STAR = ("tce_steff", "tce_slogg", "tce_sradius")
_YU_COLUMNS = ("Period", "Duration", "Epoc", "Transit_Depth", "SN", "Sectors", "camera", "ccd")


def astronet_split(count: int) -> NDArray[np.str_]:
    """AstroNet's random 80/10/10 split of ``count`` labelled TCEs in the archive's row order.

    Source: Shallue & Vanderburg (2018), data preparation: a seeded permutation cut at 0.8 and 0.9.
    """
    # The legacy generator is what the published split was drawn with.
    order = np.random.RandomState(SEED).permutation(count)
    split = np.empty(count, "<U5")
    split[order] = "test"
    split[order[: int(0.9 * count)]] = "val"
    split[order[: int(0.8 * count)]] = "train"
    return split


def pack_kepler_dr24(records: str | Path, tce_csv: str | Path, out: str | Path) -> Path:
    """Write ``views.npz`` of transits/kepler-dr24 from DART-Vetter's records and the TCE table.

    ``records`` is the folder of ``train-0.tfrecord`` to ``train-9.tfrecord``. They hold the
    planet candidates first, each also as its mirror image (dropped here), then the others, both
    in the table's row order; event numbers are not in them and are found by that order.
    """
    table = tables.tce_dr24(tce_csv)
    table = table[table["av_training_set"] != "UNK"].reset_index(drop=True)
    table["split"] = astronet_split(len(table))
    planet = table["av_training_set"] == "PC"
    order = pd.concat([table[planet], table[~planet]])
    kept = list(_without_mirror_images(Path(records)))
    rows = _align([int(_one(example, "kepid", "tic")) for example in kept], order, records)
    arrays: dict[str, NDArray[Any]] = {
        "global_view": _stack(kept, "global_view"),
        "local_view": _stack(kept, "local_view"),
        "kepid": rows["kepid"].to_numpy(np.int64),
        "tce_plnt_num": rows["tce_plnt_num"].to_numpy(np.int16),
        "label": rows["av_training_set"].to_numpy("<U3"),
        "astronet_split": rows["split"].to_numpy("<U5"),
    }
    for name in (*_WIDE, *_EVENT, *_STAR):
        arrays[name] = rows[name].to_numpy(np.float64 if name in _WIDE else np.float32)
    return _save(out, arrays)


def pack_tess_yu2019(
    triage: str | Path, vetting: str | Path, tce_csv: str | Path, out: str | Path
) -> Path:
    """Write ``views.npz`` of transits/tess-yu2019 from the records of both of Yu's repositories.

    Rows and split come from the triage folder (``train-*``, ``val-*``, ``test-*``), secondary view
    and change of depth from the vetting folder where it has the row, numbers from the table.
    """
    key = ("row_id", "tic_id")
    found = {tuple(int(_one(e, k)) for k in key): e for _, e in _each(Path(vetting))}
    ids, globals_, locals_, seconds, change, has, split = [], [], [], [], [], [], []
    for path, example in _each(Path(triage)):
        ids.append(tuple(int(_one(example, k)) for k in key))
        more = found.get(ids[-1])
        globals_.append(example["global_view"])
        locals_.append(example["local_view"])
        seconds.append(more["secondary_view"] if more else np.zeros(61, np.float32))
        change.append(float(_one(more, "depth_change")) if more else np.nan)
        has.append(more is not None)
        split.append(path.name.split("-")[0])
    table = pd.read_csv(tce_csv)
    rows = pd.DataFrame(ids, columns=list(key)).merge(table, how="left", on=list(key))
    arrays: dict[str, NDArray[Any]] = {
        "global_view": np.array(globals_, np.float16),
        "local_view": np.array(locals_, np.float16),
        "secondary_view": np.array(seconds, np.float16),
        "has_secondary": np.array(has),
        "depth_change": np.array(change, np.float32),
        "split": np.array(split, "<U5"),
        "label": rows["Disposition"].replace({"IS": "J", "V": "J"}).to_numpy("<U2"),
        **{name: rows[name].to_numpy(np.int64) for name in key},
        **{name: rows[name].to_numpy() for name in _YU_COLUMNS},
    }
    arrays["Duration"] = arrays["Duration"] / 24.0
    order = np.lexsort((arrays["tic_id"], arrays["row_id"]))
    return _save(out, {name: array[order] for name, array in arrays.items()})


def _each(folder: Path) -> Iterator[tuple[Path, dict[str, Feature]]]:
    paths = [path for path in folder.glob("*-*") if not path.name.startswith((".", "_"))]
    if not paths:
        raise UserError(f"{folder}: no record files", "download those that the card's note names")
    for path in sorted(paths):
        for example in examples(path):
            yield path, example


def _without_mirror_images(folder: Path) -> Iterator[dict[str, Feature]]:
    seen: set[bytes] = set()
    for _, example in _each(folder):
        view = np.asarray(example["global_view"])
        star = int(_one(example, "kepid", "tic"))
        if int(_one(example, "av_training_set")) == 1:
            if star.to_bytes(8, "little") + view[::-1].tobytes() in seen:
                continue
            seen.add(star.to_bytes(8, "little") + view.tobytes())
        yield example


def _align(stars: list[int], order: pd.DataFrame, records: str | Path) -> pd.DataFrame:
    """The table's row of each record: the next one of that star, rows without a record skipped."""
    kepid, chosen, at = order["kepid"].to_numpy(), [], 0
    for star in stars:
        ahead = np.flatnonzero(kepid[at:] == star)
        if not len(ahead):
            problem = f"{records}: KIC {star} is not next in the table"
            raise UserError(problem, "use the table in archive row order and all record files")
        chosen.append(at + int(ahead[0]))
        at = chosen[-1] + 1
    return order.iloc[chosen]


def _one(example: dict[str, Feature], *names: str) -> Any:
    for name in names:
        if name in example and len(example[name]):
            return example[name][0]
    raise UserError(f"a record has no {names[0]!r}", "are these the files the card's note names?")


def _stack(kept: list[dict[str, Feature]], name: str) -> NDArray[np.float16]:
    try:
        return np.stack([np.asarray(example[name], np.float16) for example in kept])
    except (KeyError, ValueError):
        raise UserError(f"records without {name!r} of one length", "check the files") from None


def _save(out: str | Path, arrays: dict[str, NDArray[Any]]) -> Path:
    with atomic(out) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return Path(out)
