"""Write the API reference from the sources, without importing them: it takes no torch to read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from sphinx.ext.napoleon import Config, GoogleDocstring

import science
from science import paths

PACKAGES = {
    "core": "What all domains share",
    "core/nn": "Parts of networks",
    "core/teach": "Lessons",
    "core/rerun": "Reruns",
    "transits": "Transits",
    "crystals": "Crystals",
    "proteins": "Proteins",
    "weather": "Weather",
}
_CONFIG = Config(napoleon_use_param=False, napoleon_use_rtype=False)
_LONGEST = 300  # characters of a signature


def write(folder: Path) -> None:
    """An index, the verbs, and one page for each package."""
    folder.mkdir(parents=True)
    names = ["verbs", *(name.replace("/", "-") for name in PACKAGES)]
    toc = "\n".join(f"   {name}" for name in names)
    title = "API reference"
    text = f"{title}\n{'=' * len(title)}\n\n.. toctree::\n   :maxdepth: 1\n\n{toc}\n"
    (folder / "index.rst").write_text(text, encoding="utf-8")
    (folder / "verbs.rst").write_text("\n".join(_verbs()), encoding="utf-8")
    for name, title in PACKAGES.items():
        page = folder / f"{name.replace('/', '-')}.rst"
        page.write_text("\n".join(_package(name, title)), encoding="utf-8")


def _verbs() -> Iterator[str]:
    yield "Verbs\n=====\n\nThe verbs of the command ``fifth`` are functions of ``science``.\n"
    for verb, module in science._VERBS.items():
        tree = _tree(paths.PACKAGE.parent / f"{module.replace('.', '/')}.py")
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == verb and not _overload(node):
                yield from _entry(node, "science", "", "function")


def _package(name: str, title: str) -> Iterator[str]:
    yield f"{title}\n{'=' * 2 * len(title)}\n"
    for file in sorted((paths.PACKAGE / name).glob("*.py")):
        tree = _tree(file)
        said = ast.get_docstring(tree) or ""
        module = ".".join(["science", *name.split("/"), file.stem]).removesuffix(".__init__")
        entries = [n for n in tree.body if _public(n)]
        if not said or not entries:
            continue
        yield f"{module}\n{'-' * len(module)}\n\n{_first(said)}\n"
        for node in entries:
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield from _entry(node, module, "", kind)


def _entry(
    node: ast.FunctionDef | ast.ClassDef, module: str, indent: str, kind: str
) -> Iterator[str]:
    called = f"{node.name}{_signature(node)}"
    yield f"{indent}.. py:{kind}:: {called}"
    if not indent:
        yield f"   :module: {module}"
    yield ""
    for line in GoogleDocstring(ast.get_docstring(node) or "", _CONFIG).lines():
        yield f"{indent}   {line}".rstrip()
    yield ""


def _signature(node: ast.FunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        inits = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        if not inits:
            return ""
        node = inits[0]
        node.args.args = node.args.args[1:]
    back = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    whole = f"({ast.unparse(node.args)})"
    return f"{whole}{back}" if len(whole) < _LONGEST else "(...)"


def _public(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
        return False
    return bool(ast.get_docstring(node)) and not _overload(node)


def _overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return any(ast.unparse(d).endswith("overload") for d in node.decorator_list)


def _first(text: str) -> str:
    return text.split("\n\n")[0]


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))
