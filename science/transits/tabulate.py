"""Training tables from the labelled event sets: views, numbers and labels, ready for a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from science.core.allow import configurable
from science.core.errors import UserError
from science.core.seeds import rng
from science.core.table import Table
from science.transits import tables
from science.transits.context import NEIGHBOURS, Catalogue, neighbours
from science.transits.context import context as survey_context
from science.transits.lightcurve import Floats
from science.transits.scalars import (
    KEPLER_FAMILIES,
    KEPLER_SCALARS,
    SECTOR_DAYS,
    TESS_FAMILIES,
    TESS_SCALARS,
    choose,
    kepler_columns,
    kepler_scalars,
    matrix,
    tess_derived,
)
from science.transits.shape import secondary_shape, shape
from science.transits.synth_views import simulate_views

Task = Literal["triage", "vetting"]
Scalars = Sequence[str] | None
Families = Mapping[str, tuple[str, ...]]
_TESS_CLASSES: Mapping[str, tuple[str, ...]] = {"triage": ("T", "J"), "vetting": ("PC", "EB", "J")}

__all__ = [
    "KEPLER_FAMILIES",
    "KEPLER_SCALARS",
    "TESS_FAMILIES",
    "TESS_SCALARS",
    "kepler_catalogue",
    "kepler_dr24",
    "kepler_scalars",
    "simulated",
    "tess_yu2019",
]


@configurable
def kepler_dr24(
    card: str = "transits/kepler-dr24", context: bool = True, scalars: Scalars = None
) -> Table:
    """The 15,736 labelled DR24 events: PC against AFP and NTP, grouped by star.

    Inputs: ``global_view`` (n, 201), ``local_view`` (n, 61), and the families of numbers ``own``,
    ``errors`` and ``context``, each (n, k) in the order of ``KEPLER_FAMILIES``.

    Args:
        card: dataset card.
        context: also what the list of all 20,367 events says (unlabelled ones included); without,
            those columns stay and are ``nan``, as for a star outside the survey.
        scalars: names or families (``own``, ``errors``, ``context``) of ``KEPLER_SCALARS``;
            ``None`` for all, an empty list for none.
    """
    views = tables.kepler_dr24(card)
    columns = kepler_columns(views.columns, views.global_view, views.local_view)
    names = choose(scalars, KEPLER_FAMILIES)
    if context and set(names) & set(KEPLER_FAMILIES["context"]):
        given = tables.tce_dr24(card)
        everything = kepler_catalogue({str(name): given[name].to_numpy() for name in given})
        mine = {"kepid": views.kepid, "tce_plnt_num": views.tce_plnt_num, **views.columns}
        columns |= survey_context(kepler_catalogue(mine), everything)
    return Table(
        inputs=_inputs(views.global_view, views.local_view)
        | _numbers(columns, names, len(views), KEPLER_FAMILIES),
        label=_index(views.label, tables.KEPLER_LABELS),
        classes=tables.KEPLER_LABELS,
        id=_names("{:09d}-{:02d}", views.kepid, views.tce_plnt_num),
        group=views.kepid,
        split=views.astronet_split,
        positive="PC",
    )


@configurable
def tess_yu2019(
    card: str = "transits/tess-yu2019",
    task: Task = "triage",
    context: bool = True,
    scalars: Scalars = None,
) -> Table:
    """The 16,513 TESS events of Yu et al. (2019, AJ 158, 25), grouped by star, the paper's split.

    Inputs: ``global_view`` (n, 201), ``local_view`` and ``secondary_view`` (n, 61), ``own`` and
    ``context``, each (n, k) in the order of ``TESS_FAMILIES``. ``triage`` asks for anything that
    transits (classes T, which is PC or EB, and J), ``vetting`` for planet candidates (PC, EB, J)
    on the same rows. The three events labelled other are left out: the paper's networks call them
    positive in triage and negative in vetting. Epoch, position, camera and CCD are not among the
    scalars: they name a sector and a place on the sky, and the next sector's are others.

    Args:
        card: dataset card.
        task: ``triage`` or ``vetting``.
        context: also what the other events of the same sector say.
        scalars: names or families (``own``, ``context``) of ``TESS_SCALARS``; ``None`` for all.
    """
    if task not in ("triage", "vetting"):
        raise UserError(f"there is no task {task!r} on {card}", "triage or vetting")
    views = tables.tess_yu2019(card)
    columns = _tess_columns(views)
    if context:
        columns |= _by_sector(views)
    names = choose(scalars, TESS_FAMILIES)
    label, classes = views.label, _TESS_CLASSES[task]
    if task == "triage":
        label = np.where(np.isin(label, ("PC", "EB")), "T", label)
    rows = np.flatnonzero(views.label != "O")
    inputs = _inputs(views.global_view, views.local_view)
    inputs |= {"secondary_view": views.secondary_view}
    inputs |= _numbers(columns, names, len(views), TESS_FAMILIES)
    return Table(
        inputs={name: array[rows] for name, array in inputs.items()},
        label=_index(label[rows], classes),
        classes=classes,
        id=_names("{:d}-{:d}", views.tic_id, views.row_id)[rows],
        group=views.tic_id[rows],
        split=views.split[rows],
        positive=classes[0],
    )


@configurable
def simulated(
    card: str = "transits/simulated", count: int = 2000, seed: int = 0, scalars: Scalars = None
) -> Table:
    """``count`` simulated events with the inputs of ``kepler_dr24``, each on a star of its own.

    Errors and context, which a simulation of one star cannot have, are ``nan``. The split is 80,
    10 and 10 % in an order that follows from ``seed``.
    """
    if count < 10:
        raise UserError(f"{card}: {count} events make no three splits", "ask for 10 or more")
    made = simulate_views(count, seed)
    known = {name: values.astype(np.float64) for name, values in made.scalars.items()}
    columns = kepler_columns(known, made.views.global_view, made.views.local_view)
    row = np.arange(count)
    place = rng(seed, "split").permutation(count) / count
    split = np.where(place < 0.8, "train", np.where(place < 0.9, "val", "test"))
    return Table(
        inputs=_inputs(made.views.global_view, made.views.local_view)
        | _numbers(columns, choose(scalars, KEPLER_FAMILIES), count, KEPLER_FAMILIES),
        label=_index(made.label, tables.KEPLER_LABELS),
        classes=tables.KEPLER_LABELS,
        id=_names("simulated-{:d}-{:06d}", np.full(count, seed), row),
        group=row,
        split=split,
        positive="PC",
    )


def kepler_catalogue(columns: Mapping[str, NDArray[np.generic]]) -> Catalogue:
    """Events by the TCE table's column names and units, for ``context``."""
    numbers = {name: np.asarray(columns[name], np.float64) for name in _KEPLER_EVENT}
    return Catalogue(
        star=np.asarray(columns["kepid"], np.int64),
        number=np.asarray(columns["tce_plnt_num"], np.int64),
        period=numbers["tce_period"],
        epoch=numbers["tce_time0bk"],
        duration=numbers["tce_duration"] / 24,
        depth=numbers["tce_depth"],
    )


_KEPLER_EVENT = ("tce_period", "tce_time0bk", "tce_duration", "tce_depth")


def _tess_columns(views: tables.TessViews) -> dict[str, Floats]:
    # Differences of depth beyond some hundred depths are fits that ran away.
    bounded = {"depth_change": np.clip(views.columns["depth_change"], -100, 100)}
    columns = views.columns | bounded | {"has_secondary": views.has_secondary.astype(np.float64)}
    columns |= tess_derived(columns)
    columns |= shape(views.global_view, views.local_view, columns["duration_over_period"])
    second = secondary_shape(views.secondary_view, views.local_view)
    unseen = ~views.has_secondary
    return columns | {name: np.where(unseen, np.nan, value) for name, value in second.items()}


def _by_sector(views: tables.TessViews) -> dict[str, Floats]:
    """Events are compared within their sector: the instrument's troubles are that sector's own."""
    columns = views.columns
    events = Catalogue(
        star=views.tic_id,
        number=np.arange(len(views)),
        period=columns["Period"],
        epoch=columns["Epoc"],
        duration=columns["Duration"],
        depth=columns["Transit_Depth"],
    )
    found = {name: np.full(len(views), np.nan) for name in NEIGHBOURS}
    for sector in np.unique(columns["Sectors"]):
        rows = np.flatnonzero(columns["Sectors"] == sector)
        here = events.take(rows)
        for name, values in neighbours(here, here, SECTOR_DAYS).items():
            found[name][rows] = values
    return found


def _inputs(
    global_view: NDArray[np.float32], local_view: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    return {"global_view": global_view, "local_view": local_view}


def _numbers(
    columns: Mapping[str, Floats], names: Sequence[str], rows: int, families: Families
) -> dict[str, NDArray[np.float32]]:
    """One input per family of which a name was chosen."""
    chosen = {f: [n for n in members if n in names] for f, members in families.items()}
    return {f: matrix(columns, members, rows) for f, members in chosen.items() if members}


def _index(label: NDArray[np.str_], classes: Sequence[str]) -> NDArray[np.int64]:
    index = {name: at for at, name in enumerate(classes)}
    return np.array([index[str(name)] for name in label], np.int64)


def _names(form: str, *parts: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.array([form.format(*map(int, row)) for row in zip(*parts, strict=True)], np.str_)
