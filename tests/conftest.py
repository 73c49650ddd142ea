"""What all tests share: threads, folders of their own, and why some of them skip.

Real-data tests carry the marker ``mirror`` and skip, saying so, where ``FIFTH_MIRROR`` is unset;
where it is set they must pass, and a folder that is not there is an error rather than a skip.
Browser tests carry ``browser`` and skip where no Chromium is installed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Before numpy and torch start their thread pools: sums of floats depend on the number of threads.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
if os.environ.get("FIFTH_MIRROR"):  # tests change the working directory
    os.environ["FIFTH_MIRROR"] = str(Path(os.environ["FIFTH_MIRROR"]).resolve())

import pytest  # noqa: E402

NO_MIRROR = "needs real data: set FIFTH_MIRROR to the mirror's folder"
NO_BROWSER = "needs a headless browser: install chromium and chromedriver"


def _browser():
    return any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("mirror") and not os.environ.get("FIFTH_MIRROR"):
            item.add_marker(pytest.mark.skip(reason=NO_MIRROR))
        if item.get_closest_marker("browser") and not _browser():
            item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


def pytest_report_header():
    mirror = os.environ.get("FIFTH_MIRROR") or "unset, so tests on real data skip"
    return [f"FIFTH_MIRROR: {mirror}"]


@pytest.fixture(scope="session", autouse=True)
def _quiet_machine(tmp_path_factory):
    """One thread for torch, and nothing written to the user's own cache or runs."""
    import torch

    torch.set_num_threads(1)
    kept = {name: os.environ.get(name) for name in ("FIFTH_CACHE", "FIFTH_RUNS")}
    for name in kept:
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))
    yield
    for name, value in kept.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder of real data."""
    named = os.environ.get("FIFTH_MIRROR")
    if not named:
        pytest.skip(NO_MIRROR)
    if not Path(named).is_dir():
        pytest.fail(f"FIFTH_MIRROR is {named}, which is no folder")
    return Path(named)
