# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import containers, footprint, metrics_page, sampling
from ansible_collections.warren.load.plugins.module_utils.node.sampling import Target

PAGE = 4096


def meta(transaction, pages, freelist, magic=footprint.MAGIC):
    header = footprint.PAGE.pack(0, 4, 0, 0)
    return (header + footprint.META.pack(magic, 2, PAGE, 0, 3, 0, freelist, pages, transaction)).ljust(PAGE, b"\0")


def bolt(path, metas, free=None, pages=10, entries=()):
    """A bbolt file: two meta pages, and a free list at page 2."""
    count = len(entries) if free is None else free
    listed = footprint.PAGE.pack(2, footprint.FREELIST, count, 0) + struct.pack(f"<{len(entries)}Q", *entries)
    content = b"".join(metas) + listed.ljust(PAGE, b"\0")
    path.write_bytes(content.ljust(pages * PAGE, b"\0"))
    return str(path)


def test_free_pages_hold_nothing(tmp_path):
    path = bolt(tmp_path / "warren.db", [meta(6, 8, 2), meta(7, 9, 2)], entries=(4, 5, 6))
    assert footprint.database(path) == footprint.Database(10 * PAGE, 6 * PAGE, 7)


def test_the_later_transaction_holds_and_a_broken_page_does_not(tmp_path):
    assert footprint.database(bolt(tmp_path / "a", [meta(9, 8, 2), meta(8, 9, 2)])).used == 8 * PAGE
    assert footprint.database(bolt(tmp_path / "b", [meta(9, 8, 2, magic=1), meta(8, 7, 2)])).used == 7 * PAGE


def test_a_long_free_list_and_none(tmp_path):
    path = bolt(tmp_path / "a", [meta(1, 70000, 2), meta(2, 70000, 2)], free=footprint.MANY, entries=(66000, 4, 5))
    assert footprint.database(path).used == 4000 * PAGE
    kept_elsewhere = [meta(1, 9, footprint.NO_FREELIST), meta(2, 9, footprint.NO_FREELIST)]
    assert footprint.database(bolt(tmp_path / "b", kept_elsewhere)).used == 9 * PAGE


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\0" * 3 * PAGE])
def test_what_is_no_database(tmp_path, content):
    (tmp_path / "warren.db").write_bytes(content)
    assert footprint.database(str(tmp_path / "warren.db")) is None
    assert footprint.database(str(tmp_path / "nothing")) is None


def test_what_a_process_holds(tmp_path, monkeypatch):
    path = bolt(tmp_path / "warren.db", [meta(6, 8, 2), meta(7, 9, 2)])
    asked = []

    def page(url, patience, **_rest):
        asked.append(url)
        if "goroutine" in url:
            return "goroutine profile: total 29\n1 @ 0x1"
        return "heap profile: 0\n# runtime.MemStats\n# HeapAlloc = 4203704\n# HeapObjects = 9114\n"

    monkeypatch.setattr(metrics_page, "get", page)
    monkeypatch.setattr(sampling, "owns_page", lambda _target, _pid: True)
    program = [sys.executable, "-c", f"f = open({path!r}, 'rb'); print('ready', flush=True); input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            child.stdout.readline()
            target = Target("manager-1", metrics_url="http://127.0.0.1:9090/metrics", pid=child.pid)
            told = footprint.look([target, Target("manager-2", pid_file=str(tmp_path / "none"))])
        finally:
            child.kill()
    (row,) = told["rows"]
    assert (row["heap"], row["heap_objects"], row["goroutines"]) == (4203704, 9114, 29)
    assert (row["database"], row["database_file"], row["raft_log"]) == (9 * PAGE, 10 * PAGE, None)
    assert row["rss"] > 0
    assert row["open_files"] >= 4
    assert told["unavailable"] == [f"What manager-2 holds is not known: the process of {tmp_path}/none does not run."]
    # A collection comes before the heap is measured, and again: what is in pools goes with the second.
    assert [url.rpartition("/")[2] for url in asked].count("heap?gc=1") == 2


def test_without_pages_the_rest_is_told():
    row = footprint.look([Target("worker-1", kind="worker", pid=1)])["rows"][0]
    assert (row["heap"], row["goroutines"]) == (None, None)
    assert row["containers"] is not None


CTR = """#!/bin/sh
[ "$*" = "--address {socket} --namespace warren containers list" ] || exit 1
echo "CONTAINER    IMAGE                             RUNTIME"
echo "0f3c         docker.io/library/nginx:alpine    io.containerd.runc.v2"
echo "9a41         docker.io/library/nginx:alpine    io.containerd.runc.v2"
"""


@pytest.fixture
def containerd(tmp_path, monkeypatch):
    """Puts a ctr on the path that knows two containers, and a socket where Warren's containerd has it."""
    socket = tmp_path / "containerd.sock"
    socket.touch()
    program = tmp_path / "bin/ctr"
    program.parent.mkdir()
    program.write_text(CTR.format(socket=socket))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(footprint, "SOCKETS", (str(tmp_path / "none.sock"), str(socket)))
    return program


def worker():
    told = footprint.look([Target("worker-1", kind="worker", pid=1)])
    return told["rows"][0]["containers_known"], told["unavailable"]


def test_containers_that_containerd_knows_are_counted(containerd, monkeypatch):
    assert worker() == (2, [])
    containerd.write_text("#!/bin/sh\necho 'CONTAINER    IMAGE    RUNTIME'\n")
    assert worker() == (0, [])
    manager = footprint.look([Target("manager-1", pid=1)])["rows"][0]
    assert manager["containers_known"] is None


def test_where_ctr_does_not_say_nothing_is_known(containerd, monkeypatch):
    monkeypatch.setattr(containers, "look", lambda: containers.Containers(3, 1, 1))
    containerd.write_text("#!/bin/sh\nexit 1\n")
    assert worker() == (None, ["What containerd knows on the host of worker-1 is not known: ctr does not say."])
    monkeypatch.setattr(containers, "look", lambda: containers.Containers(0, 0, 0))
    monkeypatch.setattr(footprint, "SOCKETS", ())
    assert worker() == (None, [])
