"""Write ``docs/licences.md``: the licence of every distribution the workbench installs.

Read from the metadata of what is installed beside this script's Python, so run it in the
environment of ``make test``.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import deque
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
COPYLEFT = re.compile(r"\bA?GPL|(?<!Lesser )General Public", re.IGNORECASE)
LIBRARY = re.compile(r"\bLGPL|Lesser General Public", re.IGNORECASE)
PER_FILE = re.compile(r"\bMPL|Mozilla", re.IGNORECASE)
NOTES = (
    (COPYLEFT, "**copyleft**"),
    (LIBRARY, "library copyleft"),
    (PER_FILE, "file-level copyleft"),
)
STATED = {"mlcroissant": "Apache-2.0"}  # by the README of its sources; its wheel says nothing
UNLOCKED = ("lightkurve", "mlflow", "sevennet")
KNOWN = (
    ("Apache", "Apache-2.0"),
    ("BSD 3|3-Clause BSD", "BSD-3-Clause"),
    ("BSD 2|2-Clause BSD|Simplified BSD", "BSD-2-Clause"),
    ("^LGPLv3 or BSD$", "LGPL-3.0 OR BSD (variant not stated)"),
    (r"\bGPLv3|GNU General Public License v3", "GPL-3.0"),
    ("Mozilla Public License 2", "MPL-2.0"),
    ("^MIT|MIT License", "MIT"),
    ("Python Software Foundation|^PSF", "PSF-2.0"),
    ("ISC License", "ISC"),
    ("BSD", "BSD (variant not stated)"),
)

HEAD = """\
# Licences of what the workbench installs

The workbench itself is Apache-2.0 (`LICENSE`). Nothing below is copied into it: pip installs each
from its own authors. Written by `make licences` from the metadata of the versions in
`constraints.txt`; it says what authors declare and is no legal advice.

- **Copyleft** (GPL, AGPL) stands only in an extra of its own, `batman` (batman-package,
  GPL-3.0). The simulator has its own transit model and needs no batman; where installed, batman is
  the reference that tests compare it with, and `engine="batman"` uses it. `make run` does without
  it, `make test` installs it. A bundle with batman inside falls under the GPL when it is passed on.
- **Library copyleft** (LGPL) comes with the extra `crystals`: ase, which chgnet and smact require
  as well. It is imported, neither changed nor copied, so its terms bind ase alone; a bundle with
  ase inside has to let its users replace it.
- **File-level copyleft** (MPL-2.0) asks only that changes to those files themselves stay open.
- CUDA builds of torch add NVIDIA's libraries under NVIDIA's own terms.
- Some extras are not locked, and their trees are not listed: `lightkurve` (MIT), because it wants
  pandas<3, and what few need: `sevennet` (MIT, with matscipy under the LGPL-2.1) and `mlflow`
  (mlflow-skinny, Apache-2.0).
"""


def licence(name: str) -> str:
    """What a distribution declares: the SPDX expression, else the nearest to it, else its file."""
    about = metadata.metadata(name)
    spdx_fields = about.get_all("License-Expression")
    if spdx_fields:
        return str(spdx_fields[0])
    classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    stated = [c.rpartition("::")[2].strip() for c in classifiers]
    free = str((about.get_all("License") or [""])[0]).strip().partition("\n")[0]
    files = [f for f in metadata.files(name) or [] if f.name.upper().startswith("LICENSE")]
    titles = [" ".join(f.read_text("utf-8").split())[:200] for f in files if ".dist-info" in str(f)]
    for text in [*stated, free, *titles]:
        for pattern, spdx in KNOWN:
            if re.search(pattern, text):
                return spdx
    return free or ", ".join(stated) or STATED.get(name, "not declared")


def tree(requirements: Iterable[str]) -> set[str]:
    """Canonical names of the installed distributions that the requirements lead to."""
    found: set[tuple[str, str]] = set()
    queue = deque((Requirement(text), "") for text in requirements)
    while queue:
        wanted, extra = queue.popleft()
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        for asked in ("", *wanted.extras):
            if (name, asked) not in found:
                found.add((name, asked))
                queue.extend((Requirement(r), asked) for r in metadata.requires(name) or [])
    return {name for name, _ in found}


def note_of(terms: str) -> str:
    """What a licence asks of who passes a bundle on; nothing where a free choice is offered."""
    choices = re.split(r" OR (?![^(]*\))", terms)
    notes = [next((word for kind, word in NOTES if kind.search(c)), "") for c in choices]
    return notes[0] if all(notes) else ""


def rows(names: Iterable[str]) -> list[str]:
    """One table row per distribution."""
    lines = ["| distribution | version | licence | note |", "|---|---|---|---|"]
    for name in sorted(names):
        terms = licence(name)
        note = note_of(terms)
        version = metadata.version(name).partition("+")[0]
        lines.append(f"| {name} | {version} | {terms} | {note} |")
    return lines


def main() -> None:
    """Write the page: the core first, then what each extra adds to it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    core = tree(project["dependencies"])
    page = [HEAD, "## Always installed", "", *rows(core)]
    for extra, requirements in project["optional-dependencies"].items():
        if extra not in UNLOCKED:
            page += ["", f"## Added by the extra `{extra}`", "", *rows(tree(requirements) - core)]
    (ROOT / "docs" / "licences.md").write_text("\n".join(page) + "\n", "utf-8")
    sys.stdout.write("docs/licences.md\n")


if __name__ == "__main__":
    main()
