# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole load test, as a person starts it, on the sandbox."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from .conftest import Sandbox

COUNTS = Path(__file__).with_name("counts.yml")
FEW: dict[str, Any] = {
    "services": 10,
    "replicas": 2,
    "warren_load_latency_calls": 200,
    "warren_load_objectives_file": str(COUNTS),
}


def test_a_run_on_a_running_cluster_leaves_the_cluster(sandbox: Sandbox) -> None:
    assert sandbox.play("cluster-up").rc == 0
    running = sandbox.processes()

    run = sandbox.play("load-small", **FEW)
    assert run.rc == 0
    assert sandbox.processes() == running

    results = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    assert results["measurements"]["create"]["created"] == 10
    assert results["measurements"]["await"]["running"] == 20
    assert results["measurements"]["cleanup"]["containers_left"] == 0

    cases = ET.parse(sandbox.results / "latest/junit.xml").getroot().findall(".//testcase")
    assert cases
    assert not [case for case in cases if case.find("failure") is not None or case.find("error") is not None]

    assert (sandbox.results / "latest/report.txt").read_text(encoding="utf-8").strip()
    assert any("services created" in line for line in run.progress)


def test_a_missed_objective_fails_the_run_after_cleaning_up(sandbox: Sandbox) -> None:
    """An objective that nothing can meet: exit code 2, with results written and nothing left running."""
    objectives = sandbox.folder / "objectives.yml"
    objectives.write_text(
        COUNTS.read_text(encoding="utf-8")
        + """
- id: impossible
  label: Impossible
  sentence: No service is created.
  source: this test
  statistic: count
  path: create.created
  unit: services
  direction: equal
  limits: {target: 0}
  timed: false
""",
        encoding="utf-8",
    )
    run = sandbox.play("load-small", **FEW | {"warren_load_objectives_file": str(objectives)})
    assert run.rc == 2
    assert sandbox.processes() == {}

    results = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    assert [row["verdict"] for row in results["judgement"]["objectives"] if row["id"] == "impossible"] == ["fail"]
    assert results["measurements"]["cleanup"]["services_left"] == 0
    cases = ET.parse(sandbox.results / "latest/junit.xml").getroot().findall(".//testcase")
    assert [case.get("name") for case in cases if case.find("failure") is not None] == [
        "impossible: No service is created."
    ]


def test_bad_input_is_one_sentence(sandbox: Sandbox) -> None:
    run = sandbox.play("load-small", services=0)
    assert run.rc == 2
    assert "Traceback" not in run.stdout
    assert re.search(r"services", run.stdout)
    assert sandbox.processes() == {}
