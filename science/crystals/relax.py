"""Relax crystals to the nearest minimum: in batches, over cores or a cluster, and never twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from science import paths
from science.core.errors import UserError
from science.crystals.fire import ATOMS, descend
from science.crystals.oracle import Oracle
from science.crystals.relaxed import Memory, Relaxed

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Job = list[tuple[str, "Structure"]]

__all__ = ["Relaxed", "cluster", "relax"]
ANSWER = 10  # seconds that a scheduler has to answer


def relax(
    structures: Sequence[Structure],
    oracle: Oracle,
    fmax: float = 0.05,
    steps: int = 200,
    cache: str | Path | None = None,
    workers: int = 1,
    client: Any = None,
    progress: Callable[[int], None] | None = None,
) -> list[Relaxed]:
    """Positions and cell of each structure at rest, or why it was given up.

    One bad structure never stops the others. Each result is kept on disk the moment it is there, so
    whatever was finished before a kill, or by anybody else with the same folder, is not done again.

    Args:
        structures: any; what the oracle cannot take comes back with a ``problem``.
        oracle: see ``science.crystals.oracle``.
        fmax: eV/Angstrom, the largest force that counts as rest; on the cell, eV/atom of strain.
        steps: most moves; a structure that needs more comes back with ``converged`` false and the
            lowest energy that it met.
        cache: folder of finished relaxations; one in the user's cache unless given.
        workers: processes on this machine.
        client: a ``dask.distributed`` client; its cluster, which must see ``cache``, works instead.
        progress: called with the number of structures done since its last call.
    """
    memory = Memory(
        Path(cache) if cache else paths.cache() / "crystals" / "relaxed",
        {"oracle": oracle.name, "fmax": fmax, "steps": steps, "method": "fire-1"},
    )
    keys = [memory.key(structure) for structure in structures]
    known: dict[str, Relaxed] = {}
    todo: dict[str, Structure] = {}
    for key, structure in zip(keys, structures, strict=True):
        if key not in known and key not in todo:
            found = memory.get(key)
            if found is None:
                todo[key] = structure
            else:
                known[key] = found
    if progress is not None and len(keys) > len(todo):
        progress(len(keys) - len(todo))
    for results in _spread(list(todo.items()), oracle, memory, workers, client, progress):
        known |= results
    return [known[key] for key in keys]


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """A client of the dask scheduler at ``address``, or ``None`` for none.

    Raises:
        UserError: dask is not installed, or nobody answers.
    """
    if address is None:
        yield None
        return
    try:
        from dask.distributed import Client
    except ImportError:
        cure = 'pip install "fifth-paradigm[cluster]"'
        raise UserError("a cluster needs dask.distributed", cure) from None
    try:
        client: Any = Client(address, timeout=ANSWER)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as problem:
        said = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        cure = "start `dask scheduler` and `dask worker`, and give tcp://HOST:8786"
        raise UserError(f"{address}: no dask scheduler answers ({said})", cure) from None
    with client:
        yield client


def _spread(
    job: Job,
    oracle: Oracle,
    memory: Memory,
    workers: int,
    client: Any,
    progress: Callable[[int], None] | None,
) -> Iterable[dict[str, Relaxed]]:
    """Results as they come, from here or from workers."""
    if client is None and (workers == 1 or len(job) < 2):
        yield _work(job, oracle, memory, progress)
        return
    from joblib import Parallel, delayed, parallel_config

    where: AbstractContextManager[Any] = nullcontext()
    if client is not None:
        where = parallel_config(backend="dask", client=client)
    with where:
        jobs = (delayed(_work)(part, oracle, memory) for part in _parts(job))
        crowd = Parallel(
            n_jobs=-1 if client is not None else workers, return_as="generator_unordered"
        )
        for results in crowd(jobs):
            if progress is not None:
                progress(len(results))
            yield results


def _work(
    job: Job,
    oracle: Oracle,
    memory: Memory,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Relaxed]:
    results: dict[str, Relaxed] = {}

    def done(row: int, result: Relaxed) -> None:
        results[job[row][0]] = result
        if result.steps or not result.problem:  # refused ones are refused as fast again
            memory.put(job[row][0], result)
        if progress is not None:
            progress(1)

    structures = [structure for _, structure in job]
    descend(structures, oracle, memory.how["fmax"], memory.how["steps"], done)
    return results


def _parts(job: Job) -> Iterable[Job]:
    """Parts of about one batch, large structures first, so that no worker ends up alone."""
    order = np.argsort([-len(structure) for _, structure in job], kind="stable")
    part: Job = []
    for row in order:
        part.append(job[row])
        if sum(len(structure) for _, structure in part) >= ATOMS:
            yield part
            part = []
    if part:
        yield part
