# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import process_table

PROCESS = b"""# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 3.145728e+07
process_cpu_seconds_total 12.5
process_open_fds 21
"""
PAGES = {
    "/metrics": PROCESS + b"warren_services_total 0\n",
    "/prometheus": PROCESS + b"# no warren_services_total 0\nprometheus_ready 1\n",
    "/nan": b"warren_services_total 0\nprocess_resident_memory_bytes NaN\n",
}


@pytest.fixture
def page() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PAGES[self.path])

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_process_is_measured_by_its_pid() -> None:
    row, why = measure(Target("manager-1", "manager", pid=os.getpid()))
    assert why is None
    assert row is not None
    assert row["rss"]["value"] > 1
    assert row["rss"]["unit"] == "MB"
    assert row["threads"] >= 1
    assert row["open_files"] >= 1


def test_a_process_is_found_by_its_command_line(tmp_path: Path) -> None:
    row, why = measure(Target("nobody", "manager", match="no such program [0-9]+ anywhere$"))
    assert row is None
    assert why is not None
    assert why.startswith("Memory of nobody is not known: 0 processes here")


def test_the_metrics_page_is_the_last_resort(page: str) -> None:
    row, why = measure(Target("manager-1", "manager", metrics_url=page + "/metrics"))
    assert why is None
    assert row is not None
    assert [row["rss"]["value"], row["cpu"]["value"], row["open_files"], row["source"], row["pid"]] == [
        30.0,
        12.5,
        21,
        "metrics",
        None,
    ]


def test_what_cannot_be_told_is_a_sentence(page: str, tmp_path: Path) -> None:
    row, why = measure(Target("manager-1", "manager", pid_file=str(tmp_path / "pid.json"), metrics_url=page + "/nan"))
    assert row is None
    assert why is not None
    assert "does not run" in why
    assert "has no process_resident_memory_bytes" in why


def test_another_program_s_metrics_are_not_the_manager_s(page: str) -> None:
    row, why = measure(Target("manager-1", "manager", metrics_url=page + "/prometheus"))
    assert row is None
    assert why is not None
    assert "is not the metrics page of a Warren manager" in why


def test_a_port_that_speaks_no_http_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _address = server.accept()
            with client:
                client.recv(1000)
                client.sendall(b"nonsense\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        row, why = measure(Target("m", "manager", metrics_url=f"http://127.0.0.1:{server.getsockname()[1]}/metrics"))
    assert row is None
    assert why is not None
    assert "does not answer" in why


def test_the_largest_manager_counts() -> None:
    rows = [
        measure(Target(name, kind, pid=os.getpid()))[0]
        for name, kind in (("m", "manager"), ("n", "manager"), ("h", "other"))
    ]
    rows[0]["rss"]["value"] = 10**6
    told = summarise([row for row in rows if row])
    assert [row["name"] for row in told["managers"]] == ["m", "n"]
    assert told["manager_rss_max"] == {"value": 10**6, "unit": "MB", "low": None, "high": None, "n": 2}
    assert told["worker_rss_max"] is None
    assert [row["name"] for row in told["others"]] == ["h"]


@pytest.mark.parametrize(
    ("clock", "seconds"), [("0:01.50", 1.5), ("01:02:03", 3723.0), ("2-00:00:01", 172801.0), ("?", None)]
)
def test_ps_times(clock: str, seconds: float | None) -> None:
    assert process_table._seconds(clock) == seconds


def test_ps_says_the_same_as_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    own = process_table.usage(os.getpid())
    monkeypatch.setattr(process_table, "has_proc", lambda: False)
    by_ps = process_table.usage(os.getpid())
    if by_ps is None:
        pytest.skip("there is no ps here")
    assert own is not None
    assert abs(by_ps.rss - own.rss) < own.rss
    assert process_table.start_time(os.getpid())
    assert process_table.parent(os.getpid()) == os.getppid()
    assert os.getpid() in process_table.pids()
