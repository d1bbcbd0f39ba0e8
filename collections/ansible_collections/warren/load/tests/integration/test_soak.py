# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load that is held, and what deleted services leave behind: as a person starts them, shortened, on the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Sandbox

COUNTS = Path(__file__).with_name("counts.yml")
SHORT: dict[str, Any] = {
    "services": 10,
    "replicas": 2,
    "warren_load_clock_factor": 10,
    "warren_load_latency_calls": 200,
    "warren_load_objectives_file": str(COUNTS),
}

HELD = ["memory-plateau", "goroutines-plateau", "files-plateau", "load-held", "churn-failures"]
LEAKS = ["leaked-services", "leaked-heap", "leaked-goroutines", "leaked-files"]
# So many that what is there by chance, such as one connection more, is little for each; a heap takes three rounds.
MANY = {"services": 100, "replicas": 1, "rounds": 3, "warren_load_repairs": "orphans"}


def judged(sandbox: Sandbox) -> tuple[dict[str, Any], dict[str, str]]:
    """The results, and the verdict of each objective."""
    results = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    return results, {row["id"]: row["verdict"] for row in results["judgement"]["objectives"]}


def failed(verdicts: dict[str, str]) -> list[str]:
    return [name for name, verdict in verdicts.items() if verdict == "fail"]


@pytest.fixture
def briefly(tmp_path: Path) -> dict[str, Any]:
    """A soak so short that all rows tell something: samples are denser, and one connection more is no growth."""
    limits = {"memory-plateau": 20, "goroutines-plateau": 60, "files-plateau": 60}  # MB/min, 1/min
    rows = [f"- {{id: {name}, limits: {{target: {limit}}}}}\n" for name, limit in limits.items()]
    objectives = tmp_path / "briefly.yml"
    objectives.write_text(COUNTS.read_text(encoding="utf-8") + "".join(rows), encoding="utf-8")
    times = {"hold": 25, "churn": 20, "warren_load_churn_interval": 10}
    sampling = {"load_shortest_trend": 10, "load_sample_interval": 0.25}
    return {**SHORT, **times, **sampling, "warren_load_objectives_file": str(objectives)}


def test_a_load_is_held_and_replaced(sandbox: Sandbox, briefly: dict[str, Any]) -> None:
    """With keep, as the guide has it: the load stays when the run is over, and with it the sandbox."""
    run = sandbox.play("soak", **briefly, keep=True)
    assert run.rc == 0
    assert any("cluster init" in command for command in sandbox.processes().values())
    results, verdicts = judged(sandbox)
    held = results["measurements"]["hold"]
    assert held["duration"] >= 25
    assert (held["services"], held["containers"], held["failed_looks"]) == (10, 20, 0)
    churn = held["churn"]
    assert churn["cycles"] == 2
    assert (churn["deleted"], churn["created"], churn["failed"]) == (4, 4, 0)
    assert churn["records_left"] == churn["records_purged"] == 8
    assert {name: verdicts[name] for name in HELD} == dict.fromkeys(HELD, "pass")
    assert {phase["name"]: phase["status"] for phase in results["run"]["phases"]}["hold"] == "ok"
    assert "replacing 2 services each 10 s, 4 in all" in " ".join(run.stdout.split())
    assert any("services replaced" in line for line in run.progress)

    cleaned = sandbox.play("cleanup")
    assert cleaned.rc == 0
    assert "10 of 10 services deleted, 20 of 20 records purged" in cleaned.stdout
    assert sandbox.play("cluster-down").rc == 0
    assert sandbox.processes() == {}


def test_what_grows_or_ends_while_a_load_is_held_is_found(sandbox: Sandbox, briefly: dict[str, Any]) -> None:
    """A defect for each row: the same soak without them passes all, above."""
    defects = "leak=2,leak-threads=4,leak-files=4,short-handed=12,refused-create=13"
    run = sandbox.play("soak", **briefly, warren_load_defects=defects)
    assert run.rc == 2
    assert sandbox.processes() == {}
    results, verdicts = judged(sandbox)
    assert failed(verdicts) == HELD
    resources, held = results["measurements"]["resources"], results["measurements"]["hold"]
    assert resources["memory_growth"]["low"] > 60  # of 120 MB a minute
    assert resources["goroutines_growth"]["low"] > 100  # of 240 a minute
    assert resources["open_files_growth"]["low"] > 100
    assert held["running_least"]["value"] >= 50  # one of two containers
    assert held["churn"]["failed"] == 1
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
    assert failed(verdicts) == ["leaked-records"]
    (sentence,) = [one["sentence"] for one in results["findings"] if one["id"] == "leaked-records"]
    assert sentence.startswith(
        "Warren leaks container records: 20 services were deleted and 40 records of theirs stayed, 2 for each"
    )
    # Our own cleanup comes after that.
    assert results["measurements"]["cleanup"]["containers_purged"] == 40
    assert verdicts["no-leftover"] == "pass"


def test_where_nothing_is_left_nothing_is_found(sandbox: Sandbox) -> None:
    run = sandbox.play("leak-detection", **SHORT | MANY, settle=9)
    assert run.rc == 0
    results, verdicts = judged(sandbox)
    assert results["measurements"]["leaks"]["container_records"]["value"] == 0
    assert verdicts["leaked-records"] == "pass"
    assert {name: verdicts[name] for name in LEAKS} == dict.fromkeys(LEAKS, "pass")


def test_what_each_deleted_service_leaves_in_a_manager_is_found(sandbox: Sandbox) -> None:
    """The same with a defect for each row. It settles for longer than the 5 s that lie between two looks."""
    defects = "undead=50,kept-memory=64,kept-threads=1,kept-files=2"
    run = sandbox.play("leak-detection", **SHORT | MANY, settle=17, warren_load_defects=defects)
    assert run.rc == 2
    assert sandbox.processes() == {}
    results, verdicts = judged(sandbox)
    assert failed(verdicts) == LEAKS
    leaks = results["measurements"]["leaks"]
    assert 60 < leaks["heap"]["low"] < leaks["heap"]["high"] < 80  # KB: of 64, and what a thread takes
    assert leaks["goroutines"]["value"] == pytest.approx(1, abs=0.1)
    assert leaks["open_files"]["value"] == pytest.approx(2, abs=0.1)
    assert verdicts["no-leftover"] == "pass"  # to delete again helps


def test_a_soak_longer_than_the_disk_lasts(sandbox: Sandbox) -> None:
    run = sandbox.play("soak", hold="9999d", churn=100, warren_load_churn_interval=1, **SHORT)
    assert run.rc == 2
    assert "hold it for less (warren_load_hold)" in " ".join(run.stdout.split())
    assert "Traceback" not in run.stdout
    assert not (sandbox.results / "latest").exists()
    assert sandbox.processes() == {}
