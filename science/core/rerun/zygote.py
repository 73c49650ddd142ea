"""A warm process that forks workers, so that a hundred short runs do not import torch each.

It imports what costs seconds (torch, Lightning, pandas), and this package from the source tree that
is its first argument, if there is one, with those modules that further arguments name. A worker
that is told to import from other folders forgets what they have copies of, and imports those. No
numbers are computed before the fork, so that threads and instruction sets are still the worker's
own to choose.

Lines of JSON on standard input are jobs; answers are lines on standard output. POSIX only.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

HEAVY = (
    "lightning",
    "lightning.pytorch.callbacks",
    "pandas",
    "torchmetrics.classification",
    "sklearn.ensemble",
    "matplotlib.figure",
    "matplotlib.backends.backend_svg",
    "scipy.stats",
    "pydantic",
    "jinja2",
    "hydra",
    "omegaconf",
    "rich.progress",
    "safetensors.torch",
)
# What computes when it is imported: the first number fixes the instruction set of all workers.
LATE = ("torch_geometric",)
OWN = ("science.core.run", "science.core.rerun.worker", "science.core.supervised")


def main() -> None:
    """Serve jobs until the input ends."""
    for name in HEAVY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.path[:0] = sys.argv[1:2]
    for name in LATE:
        sys.modules[name] = None  # type: ignore[assignment]  # refused until it is taken out
    for name in (*OWN, *sys.argv[2:]) if sys.argv[1:] else ():
        with contextlib.suppress(ImportError):  # what is optional and not installed, or late
            importlib.import_module(name)
    for name in LATE:
        del sys.modules[name]
    del sys.path[: len(sys.argv[1:2])]
    gc.freeze()
    _say({"ready": os.getpid()})
    for line in sys.stdin:
        job = json.loads(line)
        if "wait" in job:
            child, status = os.waitpid(job["wait"], os.WNOHANG)
            _say({"code": os.waitstatus_to_exitcode(status) if child else None})
            continue
        child = os.fork()
        if child == 0:
            os._exit(_work(job))
        _say({"pid": child})


def _say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


def _work(job: dict[str, Any]) -> int:
    """Become the worker: its own environment, folder, output, threads and source tree."""
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    _forget(job["path"])
    sys.argv = [job["script"], *job["arguments"]]
    sys.path[:0] = job["path"]
    import torch

    torch.set_num_threads(int(job["env"].get("OMP_NUM_THREADS", "1")))
    try:
        runpy.run_path(job["script"], run_name="__main__")
    except SystemExit as leaving:
        return _status(leaving)
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _forget(folders: list[str]) -> None:
    """Drop every module that one of the folders has another copy of, and this package with it."""
    known: dict[str, str] = {}
    for folder in map(Path, folders):
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.is_dir() or entry.suffix == ".py":
                known.setdefault(entry.stem, str(folder))
    stale = {name for name, folder in known.items() if not _from(name, folder)}
    if not stale:
        return
    for name in [n for n in sys.modules if n.partition(".")[0] in {*stale, "science"}]:
        del sys.modules[name]


def _from(name: str, folder: str) -> bool:
    """Whether a module, if it was imported at all, was imported from ``folder``."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    return module is None or not file or Path(folder) in Path(file).parents


def _status(leaving: SystemExit) -> int:
    return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)


if __name__ == "__main__":
    main()
