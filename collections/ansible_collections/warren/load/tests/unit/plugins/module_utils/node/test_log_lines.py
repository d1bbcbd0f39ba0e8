# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import log_lines

TOKEN = "ba3cc149e9d64937c269aa09c59caea26da5f41ef4f588e5b36d4f2aec23c346"

LINES = {
    # zerolog: console with and without colours, and JSON
    "2026-11-23T15:12:05Z ERR failed to schedule component=scheduler": "error",
    "\x1b[90m2026-11-23T15:12:05Z\x1b[0m \x1b[31mERR\x1b[0m \x1b[1mfailed\x1b[0m": "error",
    "\x1b[90m2026-11-23T15:12:05Z\x1b[0m \x1b[33mWRN\x1b[0m slow": "warning",
    "2026-11-23T15:12:05Z INF ERR is a word here": None,
    '{"level":"error","component":"scheduler","message":"x"}': "error",
    '{"level":"warn","message":"x"}': "warning",
    '{"level":"info","message":"level: error"}': None,
    # the Raft library
    "2026-11-23T15:12:05.501Z [WARN]  raft: appendEntries rejected, sending older logs": "warning",
    "2026-11-23T15:12:05.501Z [ERROR] raft: failed to heartbeat to: peer=1": "error",
    "2026-11-23T15:12:05.501Z [DEBUG] raft: votes: needed=1": None,
    # Warren's own prints
    "Scheduler error: failed to list nodes": "error",
    "Metrics server error: listen tcp 127.0.0.1:9090: bind: address already in use": "error",
    "Failed to reconcile nodes: no such node": "error",
    "Task 1234 failed on node worker-1, marking for cleanup": None,
    # what every follower writes
    "Failed to schedule service x: failed to apply command: node is not the leader": "refused",
    "2026-11-23T15:12:05Z ERR not the leader": "refused",
    "Task 1234 failed to pull image: not found": "error",
    "  Warning: failed to shutdown task 7": "warning",
    "panic: runtime error: invalid memory address": "error",
    "fatal error: all goroutines are asleep": "error",
    # noise of the store, at every commit
    "2026/11/23 15:11:45 Rollback failed: tx closed": None,
    "✓ Cluster initialized successfully": None,
}


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_levels(line):
    counts = log_lines.Counts()
    counts.add(line.encode())
    wanted = LINES[line]
    assert counts.counts == {level: int(level == wanted) for level in log_lines.LEVELS}


def test_since_the_mark(tmp_path):
    log = tmp_path / "log"
    log.write_text("Scheduler error: before\n")
    begin = log_lines.mark(str(log))
    with log.open("a") as stream:
        stream.write("Scheduler error: one\nScheduler error: two\n2026 [WARN] raft: x\nErr")
    assert log_lines.since(begin).row() == {
        "error": 2,
        "warning": 1,
        "refused": 0,
        "first_error": "Scheduler error: one",
        "first_warning": "2026 [WARN] raft: x",
        "first_refused": None,
    }


def test_a_process_that_was_started_again_has_two_logs(tmp_path):
    log = tmp_path / "log"
    log.write_text("fine\n")
    begin = log_lines.mark(str(log))
    with log.open("a") as stream:
        stream.write("panic: first life\n")
    log.rename(tmp_path / "log.1")
    log.write_text("Failed to begin again\n")
    assert log_lines.since(begin).row()["error"] == 2


def test_a_log_that_came_later_or_was_cut_or_is_gone(tmp_path):
    log = tmp_path / "log"
    begin = log_lines.mark(str(log))
    assert log_lines.since(begin) is None
    log.write_text("Failed to a\n")
    assert log_lines.since(begin).counts["error"] == 1
    begin = log_lines.mark(str(log))
    log.write_text("Failed\n")
    assert log_lines.since(begin).counts["error"] == 0


def test_a_line_longer_than_what_is_read_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(log_lines, "CHUNK", 16)
    log = tmp_path / "log"
    begin = log_lines.mark(str(log))
    log.write_text("fine\n" * 3 + "Failed to do something that takes many words\nWarning: x\n")
    assert log_lines.since(begin).counts == {"error": 1, "warning": 1, "refused": 0}


@pytest.mark.parametrize(
    "line",
    [
        f"Failed to join with {TOKEN}",
        f"Failed to join: Token: {TOKEN.upper()[:40]}",
        "Failed to log in: password=hunter2-hunter2",
        json.dumps({"level": "error", "api_token": "hunter2-hunter2", "message": "x"}),
        "Failed: Authorization: Bearer hunter2-hunter2",
    ],
)
def test_secrets_are_not_shown(line):
    shown = log_lines.shown(line)
    assert "********" in shown
    assert "hunter2" not in shown
    assert TOKEN[:40] not in shown.lower()


def test_a_long_line_is_shortened():
    assert len(log_lines.shown("x " * 1000)) == log_lines.LONGEST
