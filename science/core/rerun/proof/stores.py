"""Eight processes that write to one index of runs, one of which is killed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from science.core.rerun.launch import Job, finish
from science.core.rerun.proof.count import Trial
from science.core.rerun.records import Recorded
from science.core.rerun.repeat import Place

WRITERS = Path(__file__).with_name("writers.py")


def stored(original: Recorded, place: Place, seed: int, count: int) -> Iterator[Trial]:
    """``count`` times: no run may be lost, and the index must be what its files give anew."""
    folder = place.scratch / "stores"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    given = [str(folder), str(original.folder), str(seed), str(count)]
    job = Job(WRITERS, given, folder / "log.txt", place.env, folder, place.path)
    status = finish(place.launcher, job)
    told = folder / "told.json"
    found = json.loads(told.read_text()) if told.is_file() else []
    found += [f"status {status}: {job.said()[-300:]}"] * (count - len(found))
    for said in found:
        yield Trial("eight writers, one killed, lose no run", said == "", said)
