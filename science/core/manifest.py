"""What a run was: code, environment, machine, data and cost; nothing secret, no home path."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from science import __version__, paths
from science.core.provenance.numeric import VARIABLES

_SUFFIXES = {".py", ".yaml", ".csv"}


def code() -> dict[str, Any]:
    """Version, commit, whether the checkout differs from it, and a digest of the source itself."""
    git = _git("rev-parse", "HEAD")
    dirty = None if git is None else bool(_git("status", "--porcelain", "--", "science", "configs"))
    return {"version": __version__, "commit": git, "dirty": dirty, "digest": source_digest()}


def source_digest() -> str:
    """SHA-256 over names and contents of the package's sources, the same in a wheel."""
    digest = hashlib.sha256()
    for file in sorted(p for p in paths.PACKAGE.rglob("*") if p.suffix in _SUFFIXES):
        name = file.relative_to(paths.PACKAGE).as_posix()
        if name.startswith(("_share/", "releases/")):
            continue
        digest.update(f"{name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def packages() -> dict[str, str]:
    """Name and version of every installed distribution."""
    found = {d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def hardware() -> dict[str, Any]:
    """Processor, memory and the numerical kernels in use."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(_memory() / 1e9, 1),
        "gpu": gpu,
        "torch_threads": torch.get_num_threads(),
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "variables": {n: os.environ[n] for n in VARIABLES if n in os.environ},
    }


def command() -> str:
    """The command that started this process, with the program's name in place of its path."""
    program = Path(sys.argv[0]).name
    name = "fifth" if program in ("fifth", "__main__.py") else program
    return shlex.join([name, *map(portable, sys.argv[1:])])


def dataset(card: str) -> dict[str, Any]:
    """Digests that name the exact bytes of a dataset."""
    from science.core.datasets import card as read_card

    found = read_card(card)
    files = {f.name: f.sha256 for f in found.files}
    return {"card": card, "files": files or "embedded: made by this code from its seed"}


def peak_memory_mb() -> float | None:
    """Largest resident size of this process so far [MB]; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would count the process that started this one
        for line in status.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def portable(value: Any) -> Any:
    """``value``, a text or a tree of them, without the name of anybody's home folder."""
    if isinstance(value, dict):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [portable(item) for item in value]
    home = str(Path.home())
    return value.replace(home, "~") if isinstance(value, str) and len(home) > 1 else value


def _git(*words: str) -> str | None:
    if paths.PACKAGE.parent != paths.ROOT:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", *words],  # noqa: S607 - git is found as the user's shell finds it
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
