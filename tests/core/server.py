"""A small web server on this machine that can break off, forget ranges, redirect and refuse."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """What the server serves, how it misbehaves, and what it was asked."""

    def __init__(self):
        self.files = {}
        self.redirects = {}
        self.statuses = {}  # path -> list of HTTP statuses to give first
        self.break_after = []  # bytes after which each next answer breaks off
        self.ranges = True
        self.lengths = True  # announce how long an answer is
        self.stall = threading.Event()
        self.stall_after = None
        self.answers = []  # replies to POST
        self.asked = []  # (method, path, Range header)
        self.posted = []
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, *args):
        pass

    def do_GET(self):
        site, wanted = self.site, self.headers.get("Range")
        site.asked.append(("GET", self.path, wanted))
        if site.statuses.get(self.path):
            return self.reply(site.statuses[self.path].pop(0), b"")
        if self.path in site.redirects:
            return self.reply(302, b"", Location=site.redirects[self.path])
        if self.path not in site.files:
            return self.reply(404, b"no")
        return self.send_file(site.files[self.path], wanted)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.site.asked.append(("POST", self.path, None))
        self.site.posted.append(self.rfile.read(length).decode())
        self.reply(*self.site.answers.pop(0))

    def send_file(self, body, wanted):
        start = 0
        if wanted and self.site.ranges:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(body):
                return self.reply(416, b"")
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        if self.site.lengths:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        return self.send_some(body[start:])

    def send_some(self, rest):
        self.close_connection = True
        with contextlib.suppress(OSError):
            if self.site.break_after:
                self.wfile.write(rest[: self.site.break_after.pop(0)])
            elif self.site.stall_after is not None:
                self.wfile.write(rest[: self.site.stall_after])
                self.site.stall.wait(60)
            else:
                self.wfile.write(rest)

    def reply(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serve():
    site = Site()
    handler = type("Handler", (Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        how = {"poll_interval": 0.02}
        threading.Thread(target=server.serve_forever, kwargs=how, daemon=True).start()
        site.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield site
        finally:
            site.stall.set()
            server.shutdown()
