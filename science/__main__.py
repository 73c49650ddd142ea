"""Entry of the command ``fifth`` and of ``python -m science``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from science.core.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done, 2 something the user can mend (one line says what and how), 130 interrupted, 137 killed.
    Any other exception is a defect of ours and keeps its traceback. Without ``arguments`` it takes
    those of the process, and does the work in a child, lest nobody be left to tell that it was
    killed.
    """
    if arguments is None:
        from science.core.guard import guarded

        return guarded(lambda: main(sys.argv[1:]), _complain)
    given = list(arguments)
    try:
        return _call(given)
    except UserError as error:
        return _complain(error.problem, error.cure)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in {"", "science"}:
            raise
        return _complain(f"this needs the package {package!r}", _extra(given))
    except KeyboardInterrupt:
        return _complain("interrupted", "", status=130)
    except Exception as error:
        from science.core.memory import CURE, lacking

        if said := lacking(error):
            return _complain(said, CURE)
        raise
    finally:
        _close_quietly()


def _call(arguments: list[str]) -> int:
    from typer.main import get_command

    from science.core.cli import app

    try:
        get_command(app).main(arguments, prog_name="fifth")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    return 0


def _complain(problem: str, cure: str, status: int = 2) -> int:
    print(f"error: {problem}" + (f"\n  cure: {cure}" if cure else ""), file=sys.stderr)
    return status


def _extra(arguments: list[str]) -> str:
    from science.core.cli import domains

    domain = next((d for a in arguments for d in domains() if a.partition("/")[0] == d), "all")
    return f"pip install 'fifth-paradigm[{domain}]'"


def _close_quietly() -> None:
    """Let ``fifth list | head -1`` end without a word, though nobody reads the rest."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
