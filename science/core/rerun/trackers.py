"""Show finished runs in the trackers people already have: MLflow and TensorBoard.

A tracker reads what the run wrote; nothing of it takes part in training, so that the numbers are
the same with and without one. The packages are extras and imported only here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from science import paths
from science.core.errors import UserError
from science.core.rerun.records import Recorded, read

_LONGEST = 500  # characters that MLflow takes for a parameter


def track(folder: str | Path, name: str, where: str = "") -> str:
    """Send the run in ``folder`` to the tracker ``name`` and say where it is.

    Args:
        folder: of a finished run.
        name: ``mlflow`` or ``tensorboard``.
        where: MLflow's tracking URI, or TensorBoard's folder; by default below the runs' folder:
            for MLflow an SQLite file, which needs sqlalchemy and alembic besides.

    Raises:
        UserError: no such tracker, or its package is not installed.
    """
    if name not in TRACKERS:
        raise UserError(f"no tracker {name!r}", f"known: {', '.join(TRACKERS)}")
    return TRACKERS[name](read(folder), where)


def _mlflow(run: Recorded, where: str) -> str:
    client_of = _needed("mlflow", "mlflow-skinny").MlflowClient
    home = paths.runs().resolve() / "mlflow"
    home.mkdir(parents=True, exist_ok=True)
    client = client_of(tracking_uri=where or f"sqlite:///{home / 'mlflow.db'}")
    title = str(run.manifest["experiment"]["name"])
    known = client.get_experiment_by_name(title)
    within = known.experiment_id if known else _experiment(client, title, "" if where else home)
    tags = {k: run.manifest[k] for k in ("run_id", "recipe_id")}
    tags["code"] = str(run.manifest["code"]["commit"] or run.manifest["code"]["digest"])
    made = client.create_run(within, run_name=run.folder.name, tags=tags).info.run_id
    for key, value in _flat(run.config):
        client.log_param(made, key, str(value)[:_LONGEST])
    for label, epoch, value in curves(run.folder):
        client.log_metric(made, label, value, step=epoch)
    for label, value in run.values.items():
        client.log_metric(made, f"test/{_plain(label)}", value)
    client.log_artifact(made, str(run.folder / "manifest.json"))
    client.log_artifact(made, str(run.folder / "report.html"))
    client.set_terminated(made)
    return f"MLflow run {made}"


def _experiment(client: Any, title: str, home: Path | str) -> str:
    """A new experiment; without a server its files lie beside the database."""
    place = {"artifact_location": (Path(home) / "artifacts").as_uri()} if home else {}
    return str(client.create_experiment(title, **place))


def _tensorboard(run: Recorded, where: str) -> str:
    _needed("tensorboard", "tensorboard")
    writer_of = importlib.import_module("torch.utils.tensorboard").SummaryWriter
    folder = Path(where) if where else paths.runs() / "tensorboard"
    target = folder / run.manifest["run_id"]
    writer = writer_of(str(target))
    for label, epoch, value in curves(run.folder):
        writer.add_scalar(label, value, epoch)
    for label, value in run.values.items():
        writer.add_scalar(f"test/{_plain(label)}", value, 0)
    writer.close()
    return f"TensorBoard folder {folder}"


def curves(folder: Path) -> list[tuple[str, int, float]]:
    """(network/measure, epoch, value) of a run's history."""
    path = folder / "history.csv"
    if not path.is_file():
        return []
    frame = pd.read_csv(path).dropna()
    order = frame[["member", "name", "epoch", "value"]].to_numpy()
    return [(f"{m}/{_plain(str(n))}", int(e), float(v)) for m, n, e, v in order]


TRACKERS: Mapping[str, Callable[[Recorded, str], str]] = {
    "mlflow": _mlflow,
    "tensorboard": _tensorboard,
}


def _flat(tree: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        inner = isinstance(value, Mapping)
        found += _flat(value, f"{above}{key}.") if inner else [(f"{above}{key}", value)]
    return found


def _plain(name: str) -> str:
    """A name of letters that both trackers take."""
    return name.replace("@", "_at_")


def _needed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise UserError(f"this needs the package {package!r}", f"pip install {package}") from None
