"""Errors that a person can act on."""

from __future__ import annotations


class UserError(Exception):
    """Something outside the code is wrong: a file, a name, a value.

    The command line prints ``problem`` and ``cure`` on one line each and exits with status 2; it
    shows a traceback only for any other exception, because that one is a defect of ours.
    """

    def __init__(self, problem: str, cure: str = "") -> None:
        super().__init__(f"{problem} ({cure})" if cure else problem)
        self.problem, self.cure = problem, cure

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str]]:
        return type(self), (self.problem, self.cure)
