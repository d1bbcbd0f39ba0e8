# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.warren.load.plugins.plugin_utils.outcome import outcome

CREATED = {"measurements": {"created": 50, "duration": 1.5}, "audit": {}, "stopped": None, "problems": []}
NOTHING: dict[str, dict[str, Any]] = {name: {} for name in ("create", "await", "latency", "throughput", "cleanup")}


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {phase["name"]: phase["status"] for phase in found["phases"]}


def test_a_run_that_went_well() -> None:
    audit = {"generator": {"valid": True}}
    latency = {"measurements": {"calls": 9}, "audit": audit, "stopped": None, "problems": ["Two calls were late"]}
    found = outcome(NOTHING | {"create": CREATED, "latency": latency}, resources={"ended": 0}, hollow={"sent": 3})
    assert found["measurements"] == {
        "create": CREATED["measurements"],
        "latency": {"calls": 9},
        "resources": {"ended": 0},
        "hollow": {"sent": 3},
    }
    assert found["audit"] == audit
    assert found["problems"] == ["Two calls were late"]
    assert found["phases"][3] == {"name": "create", "status": "ok", "duration": 1.5, "error": ""}
    assert statuses(found) == {
        "preflight": "ok",
        "lock": "ok",
        "plan": "ok",
        "create": "ok",
        "await": "skipped",
        "latency": "ok",
        "cleanup": "skipped",
        "resources": "ok",
    }


def test_a_phase_that_broke_or_stopped_early_has_failed() -> None:
    stopped = CREATED | {"stopped": "the deadline of 9 s has passed"}
    found = outcome(NOTHING | {"create": stopped}, broken={"preflight": "No leader.", "await": ""})
    assert found["phases"][0] == {"name": "preflight", "status": "failed", "duration": None, "error": "No leader."}
    assert found["phases"][3]["error"] == "the deadline of 9 s has passed"
    assert statuses(found)["create"] == "failed"
    assert statuses(found)["await"] == "skipped"
    assert statuses(found)["lock"] == "ok"
    assert statuses(found)["plan"] == "skipped"


def test_a_run_whose_cluster_did_not_come_up() -> None:
    found = outcome(NOTHING, broken={"bring-up": "manager-1 cannot start."})
    assert found["phases"][0] == {
        "name": "bring-up",
        "status": "failed",
        "duration": None,
        "error": "manager-1 cannot start.",
    }
    reached = [name for name, status in statuses(found).items() if status == "ok"]
    assert reached == ["lock"]


def test_a_task_of_no_phase_that_failed_is_told_too() -> None:
    found = outcome(NOTHING | {"create": CREATED}, broken={"Some task": "It broke."})
    assert statuses(found)["Some task"] == "failed"
    assert statuses(found)["plan"] == "ok"


def test_of_a_throughput_test_the_planned_calls_are_judged() -> None:
    planned = {"calls": 100}
    found = outcome(
        NOTHING | {"throughput": {"measurements": {"planned": planned, "duration": 2.0}}}, scenario="api-throughput"
    )
    assert found["measurements"] == {"throughput": {"planned": planned, "duration": 2.0}, "latency": planned}
    assert "latency" not in statuses(found)
    assert statuses(found)["throughput"] == "ok"
    assert "latency" not in outcome({"throughput": {"measurements": {"planned": None}}})["measurements"]
