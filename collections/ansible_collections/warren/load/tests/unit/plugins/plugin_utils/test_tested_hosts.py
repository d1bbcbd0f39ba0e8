# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.warren.load.plugins.plugin_utils import tested_hosts as joining

PROGRAM = {"path": "/usr/local/bin/warren", "sha256": "9f86d081", "version": "v1.6.0"}


def answer(name: str, machine: str, *processes: dict[str, Any]) -> dict[str, Any]:
    return {"host": {"name": name, "cores": 2, "machine": machine, "disk_path": "/"}, "processes": list(processes)}


def process(name: str, kind: str, program: dict[str, str] | None = None) -> dict[str, Any]:
    return {"name": name, "kind": kind, "program": program}


def test_who_shares_a_machine() -> None:
    found = joining.tested_hosts(
        {
            "manager-1": answer("manager-1", "a", process("manager-1", "manager", PROGRAM)),
            "worker-1": answer("worker-1", "b", process("worker-1", "worker")),
            "generator": answer("generator", "a", process("hollow-workers", "other")),
        }
    )
    assert found["hosts"] == [
        {"name": "manager-1", "cores": 2, "shared_with": ["generator", "hollow-workers"]},
        {"name": "worker-1", "cores": 2, "shared_with": []},
        {"name": "generator", "cores": 2, "shared_with": ["manager-1", "hollow-workers"]},
    ]


def test_the_program_is_the_first_that_a_manager_is_known_to_run() -> None:
    other = {**PROGRAM, "version": "v0"}
    first = answer(
        "h", "a", process("w", "worker", other), process("m-1", "manager"), process("m-2", "manager", PROGRAM)
    )
    assert joining.tested_hosts({"h": first})["program"] == PROGRAM
    assert joining.tested_hosts({"h": answer("h", "a")})["program"] == {}


def test_hosts_that_did_not_answer() -> None:
    found = joining.tested_hosts(
        {"never": {}, "check": {"skipped": True}, "gone": {"unreachable": True, "msg": "no route"}}
    )
    assert found == {
        "reports": [{"name": "gone", "unreachable": True, "msg": "no route"}],
        "hosts": [],
        "program": {},
    }
