# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manager's plain HTTP port: /metrics, /health, /ready, /live and /debug/pprof/ (facts/warren.md 5)."""

from __future__ import annotations

import datetime
import gc
import json
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from ansible_collections.warren.load.plugins.module_utils.api.channel import split_address

from . import profiles

if t.TYPE_CHECKING:
    import asyncio

    from .metrics import Metrics

VERSION = "1.1.0"  # what every tag of Warren says
COMPONENTS = ("api", "containerd", "raft")
LONGEST_PROFILE = 300.0  # seconds
_PPROF = "/debug/pprof/"
_PROFILES = ("allocs", "block", "cmdline", "goroutine", "heap", "mutex", "profile", "threadcreate")


class Health:
    """Component states: set once at start-up and never again, as in Warren."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._waiting: dict[str, str] = {}

    def register(self, component: str, healthy: bool, text: str) -> None:
        """Set a component's state; ``text`` says what an unhealthy one waits for."""
        self._waiting[component] = "" if healthy else text

    @property
    def _uptime(self) -> str:
        return f"{time.monotonic() - self._started:.9f}s"

    def _body(self, status: str, components: dict[str, str], text: str = "") -> dict[str, t.Any]:
        body: dict[str, t.Any] = {
            "status": status,
            "timestamp": datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z"),
            "components": components,
        }
        if text:
            body["message"] = text
        return {**body, "version": VERSION, "uptime": self._uptime}

    def health(self) -> tuple[int, dict[str, t.Any]]:
        """Status code and body of /health."""
        states = {
            name: f"unhealthy: {waiting}" if waiting else "healthy" for name, waiting in sorted(self._waiting.items())
        }
        bad = any(self._waiting.values())
        return (503 if bad else 200), self._body("unhealthy" if bad else "healthy", states)

    def ready(self) -> tuple[int, dict[str, t.Any]]:
        """Status code and body of /ready."""
        states, text = {}, ""
        for name in COMPONENTS:
            waiting = self._waiting.get(name)
            if waiting is None:
                states[name], text = "not registered", f"waiting for {name} initialization"
            elif waiting:
                states[name], text = f"not ready: {waiting}", f"waiting for {name}"
            else:
                states[name] = "ready"
        return (503 if text else 200), self._body("not_ready" if text else "ready", states, text)

    def live(self) -> tuple[int, dict[str, t.Any]]:
        """Status code and body of /live."""
        return 200, {"status": "alive", "uptime": self._uptime}


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        answer = self._profile(url.path, parse_qs(url.query)) if url.path.startswith(_PPROF) else self._page(url.path)
        if answer is None:
            answer = 404, "text/plain; charset=utf-8", b"404 page not found\n"
        status, kind, body = answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_HEAD = do_GET  # any method will do  # noqa: N815

    def _page(self, path: str) -> tuple[int, str, bytes] | None:
        if path == "/metrics":
            return 200, "text/plain; version=0.0.4; charset=utf-8", self.server.metrics.render().encode()
        health = self.server.health
        pages = {"/health": health.health, "/ready": health.ready, "/live": health.live} if health else {}
        if path not in pages:
            return None
        status, body = pages[path]()
        return status, "application/json", json.dumps(body).encode() + b"\n"

    def _profile(self, path: str, query: dict[str, list[str]]) -> tuple[int, str, bytes] | None:
        name = path.removeprefix(_PPROF)
        if name == "":
            links = "".join(f"<li><a href='{each}'>{each}</a></li>" for each in _PROFILES)
            return 200, "text/html; charset=utf-8", f"<h1>Warren simulator: profiles</h1><ul>{links}</ul>".encode()
        if name == "profile":
            try:
                seconds = float(query.get("seconds", ["30"])[0])
            except ValueError:
                seconds = 30.0
            return self._binary(name, profiles.cpu(min(max(seconds, 0.0), LONGEST_PROFILE)))
        as_text = query.get("debug", ["0"])[0] not in {"", "0"}
        if name in {"heap", "allocs"}:
            if query.get("gc", ["0"])[0] not in {"", "0"}:
                gc.collect()
            return self._text(profiles.heap_text()) if as_text else self._binary(name, profiles.heap())
        if name in {"goroutine", "threadcreate"}:
            body = profiles.goroutines(self.server.loop, as_text=as_text)
            return self._text(body) if as_text else self._binary(name, body)
        if name in {"block", "mutex"}:
            return self._binary(name, profiles.empty(name))
        if name == "cmdline":
            return self._text(b"warren-simulator")
        return None

    def _text(self, body: bytes) -> tuple[int, str, bytes]:
        return 200, "text/plain; charset=utf-8", body

    def _binary(self, _name: str, body: bytes) -> tuple[int, str, bytes]:
        return 200, "application/octet-stream", body

    def log_message(self, *_arguments: t.Any) -> None:
        """Warren does not log requests either."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    metrics: Metrics
    health: Health | None
    loop: asyncio.AbstractEventLoop


def serve(address: str, metrics: Metrics, health: Health | None, loop: asyncio.AbstractEventLoop) -> _Server | None:
    """Serve in a thread of its own; ``health`` None: the dialect has no health pages. None if the port is taken,
    which is said and no more: the manager goes on, as Warren does."""
    try:
        server = _Server(split_address(address), _Handler)
    except OSError as error:
        text = (error.strerror or str(error)).lower()
        print(f"Metrics server error: listen tcp {address}: bind: {text}", flush=True)
        return None
    server.metrics, server.health, server.loop = metrics, health, loop
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
