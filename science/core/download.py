"""A download that continues where it broke off, checked, and only from the hosts it may talk to."""

from __future__ import annotations

import errno
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import filelock
import pooch
import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from science.core.errors import UserError
from science.core.files import TEMPORARY, sha256

CHUNK = 1 << 14  # what a broken connection may lose
REDIRECTS = 5
_OFFLINE = "check the connection, or set FIFTH_MIRROR to a folder that holds the data"
_GONE = "look for a newer card, or set FIFTH_MIRROR to a folder that holds the data"


class NotThereError(UserError):
    """The server says that it has no such file (404 or 410)."""


class _BrokeOffError(Exception):
    """The connection ended early or the server is busy; trying again may help."""


def host(url: str) -> str:
    """Host name of an http(s) URL; any other scheme is refused."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{url}: not a http or https address", "correct the URL in the card")
    return parts.hostname.lower()


@dataclass(frozen=True)
class Resumable:
    """A pooch downloader that keeps what has arrived and asks only for the rest (HTTP Range).

    Attributes:
        partial: file that holds what has arrived; it outlives a broken connection or a kill.
        hosts: host names that may be contacted, redirects included.
        size: bytes the whole file has, where known.
        attempts: connections tried without a single new byte before giving up.
        timeout: seconds to wait for a connection and for the next bytes.
        wait: called with the seconds to pause before the next attempt.
    """

    partial: Path
    hosts: frozenset[str]
    size: int | None = None
    attempts: int = 4
    timeout: tuple[float, float] = (10.0, 30.0)
    wait: Callable[[float], None] = time.sleep

    def __call__(self, url: str, output_file: str | Path, _pooch: Any = None) -> None:
        """Bring ``url`` to ``output_file``, whole."""
        failures, have = 0, self._have()
        with requests.Session() as session, _bar(Path(url).name, self.size) as show:
            while True:
                try:
                    self._receive(session, url, show)
                    break
                except (_BrokeOffError, requests.ConnectionError, requests.Timeout) as problem:
                    failures = 0 if self._have() > have else failures + 1
                    have = self._have()
                    if failures >= self.attempts:
                        reason = f"{url}: no connection ({_short(problem)})"
                        raise UserError(reason, _OFFLINE) from None
                    self.wait(0.5 * 2.0**failures)
        self.partial.replace(output_file)

    def _have(self) -> int:
        return self.partial.stat().st_size if self.partial.exists() else 0

    def _receive(self, session: requests.Session, url: str, show: Callable[[int], None]) -> None:
        start = self._have()
        if self.size is not None and start == self.size:
            return
        with self._open(session, url, start) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self.partial.unlink(missing_ok=True)
                raise _BrokeOffError("what had arrived does not fit the file there")
            _refuse(url, answer.status_code)
            start = _first_byte(answer, start)
            total = _total(answer, start)
            if self.size is not None and total not in (None, self.size):
                problem = f"{url}: {total} bytes there, {self.size} expected"
                raise UserError(problem, "the file there has changed; look for a newer card")
            self._room(url, (self.size or total or 0) - start)
            have = self._append(answer, start, self.size or total, show)
        if (self.size or total) not in (None, have):
            raise _BrokeOffError(f"{have} of {self.size or total} bytes arrived")

    def _open(self, session: requests.Session, url: str, start: int) -> requests.Response:
        # Compressed transfer would change the bytes that Range counts and that the hash is of.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        for _ in range(REDIRECTS + 1):
            self._allow(url)
            answer = session.get(
                url, headers=headers, stream=True, timeout=self.timeout, allow_redirects=False
            )
            if not answer.is_redirect:
                return answer
            onward = urljoin(url, answer.headers["Location"])
            answer.close()
            if urlsplit(url).scheme == "https" and urlsplit(onward).scheme == "http":
                raise UserError(f"{url}: redirects to unencrypted {onward}", "correct the card")
            url = onward
        raise UserError(f"{url}: redirected more than {REDIRECTS} times", "correct the card")

    def _allow(self, url: str) -> None:
        if host(url) not in self.hosts:
            allowed = ", ".join(sorted(self.hosts))
            problem = f"{url}: leads away from the card's hosts ({allowed})"
            raise UserError(problem, "if you trust it, add it to `hosts` in the card")

    def _room(self, url: str, needed: int) -> None:
        free = shutil.disk_usage(self.partial.parent).free
        if needed > free:
            problem = f"{url}: needs {needed} bytes, {self.partial.parent} has {free} free"
            raise UserError(problem, "free some space or set FIFTH_CACHE to a larger disk")

    def _append(
        self, answer: requests.Response, have: int, limit: int | None, show: Callable[[int], None]
    ) -> int:
        try:
            with self.partial.open("ab" if have else "wb") as file:
                for chunk in _chunks(answer):
                    file.write(chunk)
                    have += len(chunk)
                    show(have)
                    if limit is not None and have > limit:
                        break
        except OSError as problem:
            if isinstance(problem, requests.RequestException):
                raise
            full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
            what = "the disk is full" if full else f"cannot be written ({problem.strerror})"
            cure = "free some space, then call again: it continues; or set FIFTH_CACHE"
            raise UserError(f"{self.partial.parent}: {what}", cure) from None
        if limit is not None and have > limit:
            self.partial.unlink(missing_ok=True)
            raise UserError(f"{answer.url}: sends more than {limit} bytes", "correct the card")
        return have


def download(
    urls: Iterable[str],
    target: str | Path,
    *,
    digest: str | None = None,
    size: int | None = None,
    hosts: Iterable[str] = (),
    **how: Any,
) -> Path:
    """Bring the first of ``urls`` that works to ``target`` and return ``target``.

    ``target`` appears only when whole and, where ``digest`` (SHA-256) is given, when it matches.
    Until then the bytes lie beside it under a name that begins with ``.partial-``. The folder is
    locked meanwhile, so that two processes do not write the same file. ``hosts`` may be contacted
    besides those of ``urls``; ``how`` goes to `Resumable`.
    """
    target, urls = Path(target), list(urls)
    allowed = frozenset({host(url) for url in urls} | {name.lower() for name in hosts})
    with locked(target.parent):
        if target.exists() and (digest is None or sha256(target) == digest):
            return target
        _forget_strays(target.parent)
        failures: list[UserError] = []
        for url in urls:
            partial = target.with_name(f"{TEMPORARY}{(digest or 'unchecked')[:12]}-{target.name}")
            try:
                return _retrieve(url, target, digest, Resumable(partial, allowed, size, **how))
            except UserError as problem:
                failures.append(problem)
    if not failures:
        raise UserError(f"{target.name}: no address to download from", _OFFLINE)
    if len(failures) == 1 or all(isinstance(failure, NotThereError) for failure in failures):
        raise failures[0]
    raise UserError("; ".join(failure.problem for failure in failures), failures[-1].cure)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time work in ``folder``, which is made if it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / ".lock")
        lock.acquire()
    except OSError as problem:
        raise UserError(
            f"{folder}: cannot be written ({problem.strerror or problem})",
            "set FIFTH_CACHE to a folder that you may write",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _retrieve(url: str, target: Path, digest: str | None, how: Resumable) -> Path:
    if digest is None:
        # Nothing could tell whether an old beginning and a new end belong together.
        how.partial.unlink(missing_ok=True)
    resumed = how.partial.exists()
    known = f"sha256:{digest}" if digest else None
    pooch.get_logger().setLevel(logging.WARNING)
    target.unlink(missing_ok=True)
    try:
        pooch.retrieve(url, known, fname=target.name, path=target.parent, downloader=how)
    except ValueError:
        how.partial.unlink(missing_ok=True)
        if resumed:
            # What an earlier call left may be of another file; judge the server by a whole one.
            return _retrieve(url, target, digest, how)
        problem = f"{url}: what arrived is not the file on the card (SHA-256 differs)"
        raise UserError(problem, "the file there has changed; look for a newer card") from None
    return target


def _forget_strays(folder: Path) -> None:
    # pooch makes an empty file under a random name first; a kill would leave it behind.
    for stray in folder.glob("tmp????????"):
        stray.unlink(missing_ok=True)


def _refuse(url: str, status: int) -> None:
    if status in (404, 410):
        raise NotThereError(f"{url}: not there (HTTP {status})", _GONE)
    if status == 429 or status >= 500:
        raise _BrokeOffError(f"HTTP {status}")
    if status not in (200, 206):
        raise UserError(f"{url}: refused (HTTP {status})", _GONE)


def _first_byte(answer: requests.Response, asked: int) -> int:
    if answer.status_code != requests.codes.partial_content:
        return 0
    says = answer.headers.get("Content-Range", "").removeprefix("bytes ").split("-")[0]
    if says != str(asked):
        raise UserError(f"{answer.url}: sends bytes from {says}, not {asked}", "delete the partial")
    return asked


def _total(answer: requests.Response, start: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    try:
        yield from answer.iter_content(CHUNK)
    except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError) as problem:
        raise _BrokeOffError(_short(problem)) from None


def _short(problem: Exception) -> str:
    text = str(problem).split("\n")[0]
    return text if len(text) < 80 else type(problem).__name__


@contextmanager
def _bar(name: str, size: int | None) -> Iterator[Callable[[int], None]]:
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(name, total=size)
        yield lambda have: progress.update(task, completed=have)
