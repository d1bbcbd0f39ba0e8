# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A double of the listener that a Go program has for its profiles: it serves recorded ones over HTTP."""

from __future__ import annotations

import http.server
import threading
import time

from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

RECORDED = {"heap": "heap-after", "allocs": "allocs", "goroutine": "goroutine", "profile": "cpu", "mutex": "mutex"}
PAGE = 'warren_services_total {}\nwarren_tasks_total{{state="running"}} 149\nwarren_tasks_total{{state="failed"}} 1\n'


class RecordedProfiles(http.server.ThreadingHTTPServer):
    """Serves recorded profiles; in place of one its path's of ``answers``: status, content, promised length.

    ``recorded``: the file of each profile, of which there may be another at a later time.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.recorded = dict(RECORDED)
        self.answers = {}
        self.asked = []
        self.slow = 0.0
        self.services = 50
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def page(self):
        return f"http://127.0.0.1:{self.server_port}/metrics"


class Handler(http.server.BaseHTTPRequestHandler):
    server: RecordedProfiles
    protocol_version = "HTTP/1.1"  # as Go's: the connection stays open

    def do_GET(self):
        self.server.asked.append(self.path)
        path = self.path.partition("?")[0]
        name = path.rpartition("/")[2]
        if path == "/metrics":
            status, content, length = 200, PAGE.format(self.server.services).encode(), None
        elif path in self.server.answers:
            status, content, length = self.server.answers[path]
        elif name in self.server.recorded:
            status, content, length = 200, (HERE / f"{self.server.recorded[name]}.pb.gz").read_bytes(), None
        else:
            status, content, length = 404, b"Unknown profile\n", None
        if name == "profile":
            time.sleep(self.server.slow)
        self.send_response(status)
        self.close_connection = self.close_connection or length is not None
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words):
        pass
