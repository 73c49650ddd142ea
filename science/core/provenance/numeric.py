"""Numeric profiles: how exactly arithmetic has to repeat, and at what price.

``fast`` takes the quickest kernels of this processor. ``deterministic`` takes the same ones and
forbids those whose sums depend on chance. ``portable`` takes kernels that every 64-bit x86
processor has, and a fixed number of threads, so that other machines give the same bits.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Literal

from science.core.errors import UserError

Profile = Literal["fast", "deterministic", "portable"]
VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "ONEDNN_MAX_CPU_ISA",
    "NPY_DISABLE_CPU_FEATURES",
    "GLIBC_TUNABLES",
    "CUBLAS_WORKSPACE_CONFIG",
    "PYTHONHASHSEED",
)
# Read by the libraries when they are loaded, so a process has to be started with them. The last one
# keeps glibc from an exponential that fuses multiplication and addition, which rounds otherwise.
# NumPy's names are those of its versions 2.4 on, and of earlier ones.
PORTABLE = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Nehalem",
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR AVX2 FMA3 AVX512F AVX512_SKX",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F,-AVX512VL",
}


def current() -> dict[str, Any]:
    """The profile in force, with threads, kernels and the variables that chose them."""
    import torch

    kept = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    profile: Profile = "fast"
    if all(kept.get(name) == value for name, value in PORTABLE.items()):
        profile = "portable"
    elif torch.are_deterministic_algorithms_enabled():
        profile = "deterministic"
    return {
        "profile": profile,
        "threads": torch.get_num_threads(),
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "variables": kept,
    }


def environment(profile: str, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that is to compute in ``profile``; else as ``given``."""
    env = dict(os.environ if given is None else given)
    if profile == "portable":
        return env | PORTABLE
    if all(env.get(name) == value for name, value in PORTABLE.items()):
        env = {name: value for name, value in env.items() if name not in PORTABLE}
    return env


def enter(profile: str) -> None:
    """Start this very command anew in ``profile``, unless it is in force already.

    Libraries read their variables when they are loaded, so a process cannot change its profile.

    Raises:
        UserError: there is no such profile.
    """
    if profile not in ("fast", "deterministic", "portable"):
        raise UserError(f"no profile {profile!r}", "known: fast, deterministic, portable")
    wanted = environment(profile)
    if wanted != dict(os.environ):
        sys.stdout.flush()
        words = [sys.executable, "-m", "science", *sys.argv[1:]]
        os.execve(sys.executable, words, wanted)  # noqa: S606 - our own interpreter and words


def restored(numeric: Mapping[str, Any], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that a run with this ``numeric`` part of its manifest had."""
    env = {k: v for k, v in (given or os.environ).items() if k not in VARIABLES}
    env |= dict(numeric["variables"])
    env.setdefault("OMP_NUM_THREADS", str(numeric["threads"]))
    if "ATEN_CPU_CAPABILITY" not in env and numeric["kernels"] in ("AVX2", "AVX512", "DEFAULT"):
        env["ATEN_CPU_CAPABILITY"] = str(numeric["kernels"]).lower()
    return env
