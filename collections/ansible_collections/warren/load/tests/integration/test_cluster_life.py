# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing the sandbox up and down: idempotent, honest in check mode, without a trace afterwards."""

from __future__ import annotations

from .conftest import Sandbox


def test_up_and_down_twice(sandbox: Sandbox) -> None:
    assert sandbox.play("cluster-up").rc == 0
    running = sandbox.processes()
    assert running

    again = sandbox.play("cluster-up")
    assert again.rc == 0
    assert again.changed_tasks == []
    assert sandbox.processes() == running

    status = sandbox.play("cluster-status")
    assert status.rc == 0
    assert status.changed == 0
    assert "simulator" in status.stdout

    assert sandbox.play("cluster-down", "--check").rc == 0
    assert sandbox.processes() == running

    assert sandbox.play("cluster-down").rc == 0
    assert sandbox.processes() == {}

    again = sandbox.play("cluster-down")
    assert again.rc == 0
    assert again.changed_tasks == []


def test_check_mode_starts_nothing(sandbox: Sandbox) -> None:
    for playbook in ("cluster-up", "load-small", "cleanup", "cluster-status"):
        assert sandbox.play(playbook, "--check").rc == 0, playbook
        assert sandbox.processes() == {}
    assert not list(sandbox.folder.glob("state/*/*/data"))
    assert not sandbox.results.exists()
