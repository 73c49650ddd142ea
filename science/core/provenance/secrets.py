"""Keep secrets, and whose home this is, out of whatever leaves the machine."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WITHHELD = "[withheld]"
_NAMED = re.compile(r"token|secret|passw|passwd|credential|api_?key|private_?key|auth(?!or)", re.I)
_SHAPES = re.compile(
    r"""-----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
    |\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}
    |\bgithub_pat_[A-Za-z0-9_]{20,}
    |\bglpat-[A-Za-z0-9_-]{16,}
    |\bhf_[A-Za-z0-9]{20,}
    |\bsk-[A-Za-z0-9_-]{20,}
    |\bpypi-[A-Za-z0-9_-]{16,}
    |\bxox[abprs]-[A-Za-z0-9-]{10,}
    |\b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    |\bAIza[A-Za-z0-9_-]{30,}
    |\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}
    |\bBearer\s+[A-Za-z0-9._~+/-]{16,}""",
    re.X,
)
_ASSIGNED = re.compile(
    r"((?:token|secret|passw(?:or)?d|api_?key|private_?key|credential)\w*[\"']?\s*[=:](?!=)\s*[\"']?)"
    r"([^\s\"',;&}]{6,})",
    re.I,
)
_LOGIN = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_HOMES = re.compile(r"(?:/home/[^/\s\"':]+|/Users/[^/\s\"':]+|[A-Za-z]:\\+Users\\+[^\\\s\"':]+)")


def clean(value: Any) -> Any:
    """``value``, a text or a tree of them, with secrets and homes replaced in keys and texts.

    Replaced are values of environment variables whose name says that they are secret, texts of the
    shape of a well-known token, whatever is assigned to such a name, and logins in addresses.
    """
    return _clean(value, _environment())


def _clean(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {_text(str(k), secrets): _entry(str(k), v, secrets) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, secrets) for item in value]
    return _text(value, secrets) if isinstance(value, str) else value


def found(text: str) -> str:
    """What in ``text`` must not be passed on, in words; empty if nothing is."""
    if _SHAPES.search(text) or any(secret in text for secret in _environment()):
        return "it looks as if it held a secret"
    if _LOGIN.search(text):
        return "it holds an address with a login"
    home = str(Path.home())
    if (len(home) > 1 and home + "/" in text) or _HOMES.search(text):
        return "it names a home folder"
    return ""


def _entry(key: str, value: Any, secrets: Sequence[str]) -> Any:
    secret = isinstance(value, str) and _NAMED.search(key) and not _is_plain(value)
    return WITHHELD if secret and len(value) >= 6 else _clean(value, secrets)


def _is_plain(value: str) -> bool:
    """A digest, a version, or what is said of a package's file, whatever its name."""
    return bool(re.fullmatch(r"[0-9a-f]{64}|[0-9.]+[a-z0-9.+]*|edited|missing|planted", value))


def _text(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, WITHHELD)
    text = _SHAPES.sub(WITHHELD, text)
    text = _ASSIGNED.sub(rf"\1{WITHHELD}", text)
    text = _LOGIN.sub(WITHHELD, text)
    home = str(Path.home())
    if len(home) > 1:
        text = re.sub(re.escape(home) + r"(?=/|$|[\s\"':])", "~", text)
    return _HOMES.sub("~", text)


def _environment() -> list[str]:
    """Values of this process's variables that are secret by their names, longest first."""
    values = {v for k, v in os.environ.items() if _NAMED.search(k) and len(v) >= 8}
    return sorted((v for v in values if not Path(v).exists()), key=len, reverse=True)
