"""An experiment that ships, in its short profile, killed at a step if asked to."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import toy


def main(name, out, when, *overrides):
    toy.die_at(when)
    from science.core import report_run
    from science.core.run import run

    report_run.report = lambda folder: (folder / "report.html").write_text("none")
    run(name, overrides, out=Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
