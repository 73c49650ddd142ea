"""The worker of repetitions, less what costs more than to train for a second.

Drawing pictures and looking through site-packages take longer than the trials that this is for. So
no picture and no page is drawn, and what is installed is read from the file that the variable
`KNOWN` names; trials in which packages are what is mutated leave it empty, and look.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

KNOWN = "FIFTH_KNOWN_ENVIRONMENT"
PAGES = "FIFTH_DRAW_PAGES"


def lean() -> None:
    """Make runs of this process lean."""
    known = os.environ.get(KNOWN)
    if known:
        from science.core.provenance import facts

        found = json.loads(Path(known).read_text(encoding="utf-8"))
        vars(facts)["environment"] = lambda: found
    if not os.environ.get(PAGES):
        from matplotlib.figure import Figure

        from science.core import report_run

        vars(report_run)["report"] = _blank
        Figure.savefig = _undrawn  # type: ignore[assignment]


def _blank(folder: Path) -> None:
    (folder / "report.html").write_text("not drawn\n", encoding="utf-8")


def _undrawn(_: object, target: Any, **__: object) -> None:
    """An empty picture; pictures are drawn from files that are compared themselves."""
    target.write(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>')


if __name__ == "__main__":
    lean()
    from science.core.rerun.worker import main

    sys.exit(main(sys.argv[1:]))
