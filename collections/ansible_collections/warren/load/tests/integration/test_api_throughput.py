# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API Throughput Test, as a person starts it, on the sandbox."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from .conftest import Sandbox

FEW: dict[str, Any] = {
    "services": 5,
    "replicas": 2,
    "warren_load_latency_calls": 200,
    "warren_load_clock_factor": 10,
    "warren_load_latency_methods": "ListServices:8,UpdateService:2",
    "warren_load_objectives_file": str(Path(__file__).with_name("counts.yml")),
}


def test_throughput_is_reported_and_its_planned_part_is_judged(sandbox: Sandbox) -> None:
    run = sandbox.play("api-throughput", **FEW)
    assert run.rc == 0
    assert sandbox.processes() == {}

    results = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    assert results["run"]["scenario"] == "api-throughput"
    measured = results["measurements"]["throughput"]
    assert [measured[part]["ok"] for part in ("ab", "parallel", "planned")] == [1000, 1000, 200]
    assert results["measurements"]["latency"] == measured["planned"]
    assert [row["method"] for row in measured["planned"]["methods"]] == ["ListServices", "UpdateService"]
    assert results["measurements"]["cleanup"]["containers_left"] == 0
    phases = {phase["name"]: phase["status"] for phase in results["run"]["phases"]}
    assert phases["throughput"] == "ok"
    assert "latency" not in phases
    assert {row["id"]: row["verdict"] for row in results["judgement"]["objectives"]}["calls-answered"] == "pass"

    report = (sandbox.results / "latest/report.txt").read_text(encoding="utf-8")
    assert "API Throughput:" in report
    assert "coordinated omission" in report
    cases = ET.parse(sandbox.results / "latest/junit.xml").getroot().findall(".//testcase")
    assert not [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    assert any("planned at" in line for line in run.progress)


@pytest.mark.long
def test_a_call_that_is_refused_is_found(sandbox: Sandbox) -> None:
    """How slow calls are found is molecule/verdict-flips': on a busy machine the audit voids such a row."""
    # Updates are 1 to warm up and 200 in the first loop, 10 and 200 in the second, 1 and 40 as planned.
    run = sandbox.play("api-throughput", **FEW, warren_load_defects="refused-update=430")
    assert run.rc == 2
    assert sandbox.processes() == {}
    results = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    rows = results["judgement"]["objectives"]
    assert [row["id"] for row in rows if row["verdict"] == "fail"] == ["calls-answered"]
    measured = results["measurements"]["throughput"]
    assert [measured[part]["ok"] for part in ("ab", "parallel", "planned")] == [1000, 1000, 199]
    assert [(row["method"], row["ok"]) for row in measured["planned"]["methods"]] == [
        ("ListServices", 160),
        ("UpdateService", 39),
    ]
