"""A research workbench for AI in science: shared Lightning modules drive domain packages.

The verbs of the command ``fifth`` are functions here: ``science.run("transits/quickstart")``.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Imported when first used: `import science` must stay quick for the command line.
_VERBS = {
    "bench": "science.core.bench",
    "card": "science.core.datasets",
    "cards": "science.core.datasets",
    "check": "science.core.config",
    "evaluate": "science.core.evaluate",
    "experiments": "science.core.config",
    "fetch": "science.core.datasets",
    "load": "science.core.config",
    "quickstart": "science.core.quickstart",
    "releases": "science.core.releases",
    "report": "science.core.report_run",
    "run": "science.core.run",
}
__all__ = ["__version__", *_VERBS]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(importlib.import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'science' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_VERBS])
