# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import socket
import threading

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import metrics_page

PAGE = b"""# TYPE go_goroutines gauge
go_goroutines 57
go_gc_duration_seconds{quantile="0.5"} 3e-05
process_resident_memory_bytes 3.145728e+07
process_start_time_seconds 1.79e+09
warren_nodes_total{role="worker",status="ready"} 2
warren_scheduling_latency_seconds_bucket{le="5"} 3
warren_scheduling_latency_seconds_sum 0.25
warren_broken NaN
"""
PAGES = {
    "/metrics": PAGE,
    "/prometheus": b"process_resident_memory_bytes 1\n# no warren_services_total 0\nprometheus_ready 1\n",
    "/goroutine?debug=1": b"goroutine profile: total 33\n" + b"1 @ 0x1\n" * 100_000,
}


@pytest.fixture
def page():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in PAGES else 404)
            self.end_headers()
            try:
                self.wfile.write(PAGES.get(self.path, b""))
            except OSError:
                pass  # who wants the first line does not wait for the others

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_a_manager_tells(page):
    assert metrics_page.values(metrics_page.get(page + "/metrics", 5)) == {
        "go_goroutines": 57,
        "process_resident_memory_bytes": 31457280,
        "process_start_time_seconds": 1.79e9,
        'warren_nodes_total{role="worker",status="ready"}': 2,
        "warren_scheduling_latency_seconds_sum": 0.25,
    }


def test_only_a_page_of_warren_counts(page):
    with pytest.raises(ValueError, match="not the metrics page of a Warren manager"):
        metrics_page.values(metrics_page.get(page + "/prometheus", 5))


def test_goroutines_of_a_worker(page):
    text = metrics_page.get(page + "/goroutine?debug=1", 5, first_line=True)
    assert metrics_page.goroutines(text) == 33
    assert len(text) < len(PAGES["/goroutine?debug=1"])
    with pytest.raises(ValueError, match="not a goroutine profile"):
        metrics_page.goroutines("<html>")


@pytest.mark.parametrize(
    ("url", "error"), [("/nothing", OSError), ("https://127.0.0.1:1/metrics", ValueError), ("http://:1/x", ValueError)]
)
def test_what_is_no_page(page, url, error):
    with pytest.raises(error):
        metrics_page.get(url if "://" in url else page + url, 5)


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b""])
def test_a_program_that_is_no_web_server(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reply():
            client, _address = server.accept()
            with client:
                client.recv(1000)
                client.sendall(answer)

        threading.Thread(target=reply, daemon=True).start()
        with pytest.raises(OSError, match="it answers"):
            metrics_page.get(f"http://127.0.0.1:{server.getsockname()[1]}/metrics", 5)


def test_a_page_that_hangs_is_left():
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(OSError):  # noqa: PT011 - any kind
        metrics_page.get(f"http://127.0.0.1:{server.getsockname()[1]}/metrics", 0.05)
