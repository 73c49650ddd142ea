"""Resolve every dependency anew and write ``constraints.txt`` and ``requirements.lock``.

Both name the same exact versions. ``requirements.lock`` adds the SHA-256 of the files that pip
chooses on the machine that runs this script, and leaves out torch: its CPU and CUDA builds carry
one version number and different files.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"
EXTRAS = (
    "dev,transits,crystals,weather,grib,proteins,simulate,weather-peers,cluster,batman,teach,docs,"
    "search,slurm,tensorboard"
)

CONSTRAINTS = """\
# Every distribution that these extras need, pinned exactly (Python {python}):
#   {extras}
# Written by `make lock`; installed by `make run` and `make test`. By hand:
#   pip install -c constraints.txt -e ".[{extras}]"
# torch is pinned without its build, so that the CPU and the CUDA build both fit (docs/install.md).
# Not here: the extra lightkurve, which wants pandas<3 where everything else runs on pandas 3, and
# the extras sevennet and mlflow, which few need.
"""
LOCK = """\
# The versions of constraints.txt with the SHA-256 of each file, for Python {python} on
# {system} {machine}. Without torch, whose CPU and CUDA builds differ. Written by `make lock`:
#   pip install -c constraints.txt torch
#   pip install --require-hashes --no-deps -r requirements.lock
#   pip install --no-deps -e .
"""


def resolve() -> list[dict[str, Any]]:
    """What pip would install into an empty environment, one mapping per distribution."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        command += ["--quiet", "--report", str(report), TORCH, "-e", f".[{EXTRAS}]"]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603
        installed: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))["install"]
    return [item for item in installed if "archive_info" in item["download_info"]]


def main() -> None:
    """Write both files."""
    pins, hashed = [], []
    for item in resolve():
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        pin = f"{name}=={item['metadata']['version'].partition('+')[0]}"
        pins.append(pin)
        if name != "torch":
            digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
            hashed.append(f"{pin} --hash=sha256:{digest}")
    facts = {
        "extras": EXTRAS,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "system": platform.system(),
        "machine": platform.machine(),
    }
    for name, head, lines in (
        ("constraints.txt", CONSTRAINTS, pins),
        ("requirements.lock", LOCK, hashed),
    ):
        text = head.format(**facts) + "\n".join(sorted(lines)) + "\n"
        (ROOT / name).write_text(text, "utf-8")
    sys.stdout.write(f"{len(pins)} distributions\n")


if __name__ == "__main__":
    main()
