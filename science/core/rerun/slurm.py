"""Start a sweep's runs as jobs of a cluster: SLURM through submitit, which is an extra."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from science.core.errors import UserError
from science.core.rerun.launch import Fresh, Job


class Cluster:
    """A launcher whose jobs run where SLURM puts them; folders must be shared with the nodes.

    Args:
        folder: for submitit's own files; they are pickled, so it must be the user's own.
        options: of submitit, such as ``slurm_partition`` and ``timeout_min``.
        kind: ``slurm``; ``local`` runs jobs on this machine, to try it out.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any], kind: str = "slurm") -> None:
        try:
            submitit = importlib.import_module("submitit")
        except ImportError:
            cure = "pip install submitit"
            raise UserError("a cluster needs the package 'submitit'", cure) from None
        self._executor = submitit.AutoExecutor(folder=str(folder), cluster=kind)
        self._executor.update_parameters(**{"timeout_min": 240, **options})
        self._jobs: dict[int, Any] = {}
        self._number = itertools.count(1)

    def start(self, job: Job) -> int:
        """Submit a job; its number is ours, not SLURM's."""
        number = next(self._number)
        self._jobs[number] = self._executor.submit(_run, job)
        return number

    def wait(self, pid: int) -> int:
        """Wait for its end; a job that the cluster killed ends with status 1."""
        try:
            return int(self._jobs.pop(pid).result())
        except Exception:  # submitit's errors are of many kinds, and a sweep goes on
            return 1


def _run(job: Job) -> int:
    fresh = Fresh()
    return fresh.wait(fresh.start(job))
