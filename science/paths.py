"""Where the workbench finds its own configs, experiments and dataset cards, and where it writes."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).parent
_SHARED = PACKAGE / "_share"
ROOT = _SHARED if _SHARED.is_dir() else PACKAGE.parent

CONFIGS = ROOT / "configs"
EXPERIMENTS = ROOT / "experiments"
DATASETS = ROOT / "datasets"
RELEASES = PACKAGE / "releases"


def runs() -> Path:
    """Folder that holds runs: ``$FIFTH_RUNS``, else ``runs`` below the working directory."""
    return Path(os.environ.get("FIFTH_RUNS", "runs"))


def cache() -> Path:
    """Folder that holds downloaded data: ``$FIFTH_CACHE``, else the user's cache directory."""
    import platformdirs

    return Path(os.environ.get("FIFTH_CACHE") or platformdirs.user_cache_dir("fifth-paradigm"))


def mirror() -> Path | None:
    """Folder of data brought from elsewhere (``$FIFTH_MIRROR``), for machines without internet."""
    named = os.environ.get("FIFTH_MIRROR")
    return Path(named) if named else None
