# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load that is held, and what deleted services leave behind: as a person starts them, shortened, on the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .conftest import Sandbox

SHORT: dict[str, Any] = {
    "services": 10,
    "replicas": 2,
    "warren_load_clock_factor": 5,
    "warren_load_latency_calls": 200,
    "warren_load_objectives_file": str(Path(__file__).with_name("counts.yml")),
}


def judged(sandbox: Sandbox) -> tuple[dict[str, Any], dict[str, str]]:
    """The results, and the verdict of each objective."""
    results = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    return results, {row["id"]: row["verdict"] for row in results["judgement"]["objectives"]}


def test_a_load_is_held_and_replaced(sandbox: Sandbox) -> None:
    """With keep, as the guide has it: the load stays when the run is over, and with it the sandbox."""
    run = sandbox.play("soak", hold="10s", churn=20, warren_load_churn_interval=4, keep=True, **SHORT)
    assert run.rc == 0
    assert any("cluster init" in command for command in sandbox.processes().values())
    results, verdicts = judged(sandbox)
    held = results["measurements"]["hold"]
    assert held["duration"] >= 10
    assert (held["services"], held["containers"], held["failed_looks"]) == (10, 20, 0)
    churn = held["churn"]
    assert churn["cycles"] == 2
    assert (churn["deleted"], churn["created"], churn["failed"]) == (4, 4, 0)
    assert churn["records_left"] == churn["records_purged"] == 8
    assert verdicts["load-held"] == verdicts["churn-failures"] == "pass"
    # Honest about what so short a time cannot tell.
    assert verdicts["memory-plateau"] == verdicts["files-plateau"] == "not judged"
    assert {phase["name"]: phase["status"] for phase in results["run"]["phases"]}["hold"] == "ok"
    assert "replacing 2 services each 4 s, 4 in all" in " ".join(run.stdout.split())
    assert any("services replaced" in line for line in run.progress)

    cleaned = sandbox.play("cleanup")
    assert cleaned.rc == 0
    assert "10 of 10 services deleted, 20 of 20 records purged" in cleaned.stdout
    assert sandbox.play("cluster-down").rc == 0
    assert sandbox.processes() == {}


def test_memory_that_keeps_growing_is_no_plateau(sandbox: Sandbox) -> None:
    changed = {"load_shortest_trend": 10, "services": 5, "warren_load_defects": "leak=8"}
    run = sandbox.play("soak", hold=12, **SHORT | changed)
    assert run.rc == 2
    assert sandbox.processes() == {}
    results, verdicts = judged(sandbox)
    assert [name for name, verdict in verdicts.items() if verdict == "fail"] == ["memory-plateau"]
    growth = results["measurements"]["resources"]["memory_growth"]
    assert growth["low"] > 100  # of 480 MB a minute
    assert any("The memory of manager-1 grew by" in finding["sentence"] for finding in results["findings"])


def test_what_deleted_services_leave_is_found_and_named(sandbox: Sandbox) -> None:
    run = sandbox.play("leak-detection", settle=2, rounds=2, **SHORT)
    assert run.rc == 2
    assert sandbox.processes() == {}
    results, verdicts = judged(sandbox)
    leaks = results["measurements"]["leaks"]
    assert (leaks["rounds"], leaks["churned"]) == (2, 20)
    assert leaks["container_records"] == {"value": 2.0, "unit": "records", "low": 2.0, "high": 2.0, "n": 20}
    assert leaks["service_records"]["value"] == 0
    assert [name for name, verdict in verdicts.items() if verdict == "fail"] == ["leaked-records"]
    (sentence,) = [one["sentence"] for one in results["findings"] if one["id"] == "leaked-records"]
    assert sentence.startswith(
        "Warren leaks container records: 20 services were deleted and 40 records of theirs stayed, 2 for each"
    )
    # Our own cleanup comes after that.
    assert results["measurements"]["cleanup"]["containers_purged"] == 40
    assert verdicts["no-leftover"] == "pass"


def test_where_nothing_is_left_nothing_is_found(sandbox: Sandbox) -> None:
    run = sandbox.play("leak-detection", settle=6, rounds=1, warren_load_repairs="orphans", **SHORT | {"services": 5})
    assert run.rc == 0
    results, verdicts = judged(sandbox)
    assert results["measurements"]["leaks"]["container_records"]["value"] == 0
    assert verdicts["leaked-records"] == verdicts["leaked-services"] == "pass"


def test_a_soak_longer_than_the_disk_lasts(sandbox: Sandbox) -> None:
    run = sandbox.play("soak", hold="9999d", churn=100, warren_load_churn_interval=1, **SHORT)
    assert run.rc == 2
    assert "hold it for less (warren_load_hold)" in " ".join(run.stdout.split())
    assert "Traceback" not in run.stdout
    assert not (sandbox.results / "latest").exists()
    assert sandbox.processes() == {}
