"""Which layers two runs differ in, read from their manifests: nothing is run for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from science.core.provenance.facts import portable_config
from science.core.rerun.records import Recorded

LAYERS = ("data", "seed", "config", "code", "environment", "threads", "instructions", "hardware")
MEANING = {
    "data": "the data, how they were split, or a network that was opened",
    "seed": "the seed that all random numbers follow from",
    "config": "what the run was told to do",
    "code": "the workbench's own sources",
    "environment": "Python or an installed package",
    "threads": "the number of threads that share a sum",
    "instructions": "the processor's instructions that were used",
    "hardware": "the processor or its accelerator",
}
# Threads are a layer of their own, Lightning sets the next, and no result depends on the last.
_APART = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "CUBLAS_WORKSPACE_CONFIG",
    "PYTHONHASHSEED",
)
_SHOWN = 6  # differences of one layer that are spelled out
_ABSENT = "nothing"


def differences(was: Recorded, now: Recorded) -> dict[str, list[str]]:
    """Layer -> what differs, one short sentence each; layers that agree are left out."""
    found = facts(was.manifest, now.manifest)
    left, right = portable_config(was.config), portable_config(now.config)
    for tree in (left, right):
        tree.pop("seed", None)
        if isinstance(tree.get("data"), Mapping):
            tree["data"] = {k: v for k, v in tree["data"].items() if k != "card"}
    found["config"] = list(changes(left, right))
    return {layer: _short(found[layer]) for layer in LAYERS if found.get(layer)}


def facts(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[str]]:
    """The same for all that manifests say by themselves, which is all but the config."""
    numeric = (was["numeric"], now["numeric"])
    own = [{k: v for k, v in n["variables"].items() if k not in _APART} for n in numeric]
    kernels = [{"kernels": n["kernels"], **o} for n, o in zip(numeric, own, strict=True)]
    threads = [{"threads": n["threads"]} for n in numeric]
    machines = [{k: m["hardware"].get(k) for k in ("processor", "gpu")} for m in (was, now)]
    return {
        "data": [*_data(was["data"], now["data"]), *_networks(was, now)],
        "seed": list(changes({"seed": was["seed"]}, {"seed": now["seed"]})),
        "code": list(_code(was["code"], now["code"])),
        "environment": list(_environment(was["environment"], now["environment"])),
        "threads": list(changes(threads[0], threads[1])),
        "instructions": list(changes(kernels[0], kernels[1])),
        "hardware": list(changes(machines[0], machines[1])),
    }


def _data(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    meant = [side.get("semantic_id") or side.get("byte_id") for side in (was, now)]
    if was.get("card") != now.get("card") and None in meant:
        yield f"card: {was.get('card')} -> {now.get('card')}"
    both = was.get("semantic_id") and now.get("semantic_id")
    if both and was["semantic_id"] != now["semantic_id"]:
        yield "the samples say something else"
    elif not both and was.get("byte_id") and now.get("byte_id"):
        yield from changes(was.get("files"), now.get("files"), "file ")
    if was.get("splits") and now.get("splits"):
        for name in sorted({*was["splits"], *now["splits"]}):
            if was["splits"].get(name) != now["splits"].get(name):
                yield f"split {name} has other members"


def _networks(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Networks opened under one name that are others; another name is the config's difference."""
    left, right = was.get("networks") or {}, now.get("networks") or {}
    for name in sorted({*left} & {*right}):
        if left[name] != right[name]:
            yield f"network {name}: same name, other files"


def _code(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if was["digest"] == now["digest"]:
        return
    named = [_named(side) for side in (was, now)]
    yield f"sources {was['digest'][:10]} ({named[0]}) -> {now['digest'][:10]} ({named[1]})"


def _named(side: Mapping[str, Any]) -> str:
    commit = str(side.get("commit") or "")[:10]
    name = f"commit {commit}" if commit else f"version {side['version']}"
    return f"{name}{' and local changes' if side.get('dirty') else ''}"


def _environment(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    left, right = was["distributions"], now["distributions"]
    for name in sorted({*left, *right}, key=str.lower):
        old, new = left.get(name), right.get(name)
        if old == new:
            continue
        versions = [side["version"] if side else "not installed" for side in (old, new)]
        if versions[0] == versions[1]:
            yield f"{name} {versions[0]}: same version, other files"
        else:
            yield f"{name}: {versions[0]} -> {versions[1]}"
    for key in ("python", "implementation", "libc", "torch"):
        yield from changes({key: was.get(key)}, {key: now.get(key)})
    if was.get("altered") != now.get("altered"):
        yield from changes(was.get("altered"), now.get("altered"), "altered ")


def changes(was: Any, now: Any, above: str = "") -> Iterator[str]:
    """Leaves of two trees that differ, as ``path: old -> new``."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in sorted({*was, *now}, key=str):
            dot = "." if above and not above.endswith((" ", ".")) else ""
            yield from changes(was.get(key), now.get(key), f"{above}{dot}{key}")
    elif was != now:
        yield f"{above}: {_said(was)} -> {_said(now)}"


def _said(value: Any) -> str:
    text = _ABSENT if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _short(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return lines if more <= 0 else [*lines[:_SHOWN], f"and {more} more"]
