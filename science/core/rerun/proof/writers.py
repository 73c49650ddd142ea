"""Let eight processes add runs to one index and kill one of them. Run as a script."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

_WRITERS, _EACH = 8, 3
_LONGEST_S = 0.05


def main(folder: Path, run: Path, seed: int, count: int) -> None:
    """Do so ``count`` times, and write down what went wrong each time, if anything."""
    from science.core.seeds import rng

    draw = rng(seed, "writers")
    told = []
    for number in range(count):
        root = folder / f"{number:03d}"
        for which in range(_WRITERS * _EACH):
            target = root / f"run-{which:02d}"
            target.mkdir(parents=True)
            for name in ("config.yaml", "manifest.json", "metrics.json"):
                shutil.copy(run / name, target / name)
        pause = float(draw.uniform(0, _LONGEST_S))
        told.append(_round(root, int(draw.integers(_WRITERS)), pause))
        shutil.rmtree(root)
    (folder / "told.json").write_text(json.dumps(told))


def _round(root: Path, victim: int, pause: float) -> str:
    from science.core.rerun import index

    pids = []
    for writer in range(_WRITERS):
        pid = os.fork()
        if pid == 0:
            for which in range(writer, _WRITERS * _EACH, _WRITERS):
                index.add(root, root / f"run-{which:02d}")
            os._exit(0)
        pids.append(pid)
    time.sleep(pause)
    os.kill(pids[victim], signal.SIGKILL)
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    if any(end for writer, end in enumerate(ends) if writer != victim):
        return f"a writer that nobody killed ended with {ends}"
    here = {row["folder"] for row in index.rows(root)}
    safe = {f"run-{n:02d}" for n in range(_WRITERS * _EACH) if n % _WRITERS != victim}
    if not safe <= here:
        return f"lost {sorted(safe - here)}"
    for which in range(victim, _WRITERS * _EACH, _WRITERS):
        index.add(root, root / f"run-{which:02d}")
    kept = index.rows(root)
    index.rebuild(root)
    return "" if index.rows(root) == kept else "the index is not what its files give"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
