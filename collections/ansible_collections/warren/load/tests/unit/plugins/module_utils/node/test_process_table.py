# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import process_table


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


def test_a_process_is_told_from_the_next_one_with_its_number() -> None:
    own = process_table.usage(os.getpid())
    assert own.start == process_table.start_time(os.getpid())
    assert own.rss > own.private > 0
    assert own.cpu > 0
    assert own.threads >= 1
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child_pid = child.pid
    os.waitid(os.P_PID, child_pid, os.WEXITED | os.WNOWAIT)
    assert process_table.usage(child_pid) is None  # a zombie
    child.wait()
    assert process_table.usage(child_pid) is None


@pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")
def test_open_files_are_counted() -> None:
    before = process_table.open_files(os.getpid())
    with open(os.devnull), open(os.devnull):
        assert process_table.open_files(os.getpid()) == before + 2


@pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")
def test_who_listens_on_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert process_table.listens(os.getpid(), port) is True
        child = subprocess.Popen(["sleep", "60"], close_fds=True)
        try:
            assert process_table.listens(child.pid, port) is False
        finally:
            child.kill()
            child.wait()
    assert process_table.listens(os.getpid(), port) is None  # nobody does


@pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")
def test_the_file_that_a_process_writes_to(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        logging = subprocess.Popen(["sleep", "60"], stdout=log)
    silent = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
    try:
        assert process_table.output_file(logging.pid) == str(tmp_path / "log")
        assert process_table.output_file(silent.pid) is None
    finally:
        for child in (logging, silent):
            child.kill()
            child.wait()
