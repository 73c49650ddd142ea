"""Write ``docs/licences.md`` and its Chinese twin: the licence of every distribution installed.

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
CHINESE = """\
# 工作台所安装软件的许可

工作台本身采用 Apache-2.0（`LICENSE`）。下列软件没有一个被复制进来：每个都由 pip 从其作者处安装。
本页由 `make licences` 根据 `constraints.txt` 中各版本的元数据写出；它转述作者的声明，不是法律意见。

- **著佐权（copyleft）**（GPL、AGPL）只出现在一个单独的附加包 `batman` 中
  （batman-package，GPL-3.0）。模拟器有自己的凌星模型，不需要 batman；装有它时，
  测试以它为参照进行比较，`engine="batman"` 则使用它。`make run` 不需要它，`make test` 会安装它。
  含有 batman 的打包，转交他人时受 GPL 约束。
- **库级著佐权**（LGPL）随附加包 `crystals` 而来：ase，chgnet 与 smact 也需要它。它只被导入，
  既未修改也未复制，所以其条款只约束 ase 自身；含有 ase 的打包必须让使用者能够替换它。
- **文件级著佐权**（MPL-2.0）只要求对那些文件本身的修改保持开放。
- CUDA 版的 torch 会带来 NVIDIA 的库，适用 NVIDIA 自己的条款。
- 有些附加包没有锁定版本，其依赖不在此列：`lightkurve`（MIT），因为它要求 pandas<3；
  以及少有人需要的 `sevennet`（MIT，其中的 matscipy 为 LGPL-2.1）与 `mlflow`
  （mlflow-skinny，Apache-2.0）。
"""
WORDS = {
    HEAD: CHINESE,
    "## Always installed": "## 必装部分",
    "## Added by the extra ": "## 附加包带来的：",
    "| distribution | version | licence | note |": "| 发行包 | 版本 | 许可 | 备注 |",
    "| **copyleft** |": "| **著佐权** |",
    "| library copyleft |": "| 库级著佐权 |",
    "| file-level copyleft |": "| 文件级著佐权 |",
    " (variant not stated)": "（未注明哪一种）",
}


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
    english = "\n".join(page) + "\n"
    for name, text in (("licences.md", english), ("licences.zh.md", chinese(english))):
        (ROOT / "docs" / name).write_text(text, "utf-8")
        sys.stdout.write(f"docs/{name}\n")


def chinese(page: str) -> str:
    """The page in Chinese; names, versions and licences are the same in every language."""
    for english, word in WORDS.items():
        page = page.replace(english, word)
    return page


if __name__ == "__main__":
    main()
