# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide's Test Scheduler Performance, smaller and by a faster clock, on a sound cluster and on one that is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .conftest import Sandbox

FEW: dict[str, Any] = {
    "services": 10,
    "replicas": 3,
    "warren_load_clock_factor": 5,
    "warren_load_managers": 1,
    "warren_load_workers": 3,
    "warren_load_objectives_file": str(Path(__file__).with_name("counts.yml")),
}


def results_of(sandbox: Sandbox) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    return results


def test_a_burst_is_told_tick_by_tick(sandbox: Sandbox) -> None:
    run = sandbox.play("scheduler-burst", **FEW)
    assert run.rc == 0
    assert sandbox.processes() == {}

    results = results_of(sandbox)
    assert results["run"]["scenario"] == "scheduler-burst"
    assert results["measurements"]["create"]["concurrency"] == 100
    scheduler = results["measurements"]["await"]["scheduler"]
    assert sum(row["containers"] for row in scheduler["rows"]) == 30
    assert scheduler["ticks"] == len(scheduler["rows"])
    assert scheduler["largest"] == max(row["containers"] for row in scheduler["rows"])
    assert {name for row in scheduler["rows"] for name in row["nodes"]} == {"worker-1"}
    assert results["measurements"]["cleanup"]["containers_left"] == 0
    verdicts = {row["id"]: row["verdict"] for row in results["judgement"]["objectives"]}
    assert [verdicts[row] for row in ("schedule-p95", "schedule-rate", "start-p99")] == ["pass"] * 3
    assert "api-latency-p99" not in verdicts
    phases = {phase["name"]: phase["status"] for phase in results["run"]["phases"]}
    assert "latency" not in phases
    assert set(phases.values()) == {"ok"}
    for name in ("report.txt", "report.md"):
        assert "Scheduler Burst:" in (sandbox.results / "latest" / name).read_text(encoding="utf-8")
    assert any("gave each container a node" in " ".join(line.split()) for line in run.progress)


def test_a_scheduler_that_comes_too_late_is_found(sandbox: Sandbox) -> None:
    run = sandbox.play("scheduler-burst", **FEW, warren_load_defects="late-schedule=12")
    assert run.rc == 2
    assert sandbox.processes() == {}

    results = results_of(sandbox)
    missed = {row["id"] for row in results["judgement"]["objectives"] if row["verdict"] == "fail"}
    assert missed == {"schedule-p95", "schedule-rate"}
    assert results["measurements"]["await"]["settled"]
    assert any("more than one scheduler tick" in found["sentence"] for found in results["findings"])
