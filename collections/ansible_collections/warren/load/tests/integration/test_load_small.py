# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole load test, as a person starts it, on the sandbox."""

from __future__ import annotations

import json
import re
import shutil
import socket
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import ports

from .conftest import Sandbox

COUNTS = Path(__file__).with_name("counts.yml")
REPORTS = ("report.txt", "report.md", "junit.xml")
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

    assert any("services created" in line for line in run.progress)

    latest = (sandbox.results / "latest").resolve()
    assert {path.name for path in latest.iterdir()} == {"results.json", *REPORTS, "samples"}
    assert sorted(results["files"]) == sorted(f"samples/{path.name}" for path in (latest / "samples").iterdir())
    assert (sandbox.results / "junit.xml").read_bytes() == (latest / "junit.xml").read_bytes()
    shown = [line for line in run.progress if "Warren Load Test Results" in line]
    assert len(shown) == 1
    report = (latest / "report.txt").read_text(encoding="utf-8")
    assert report.strip() == re.sub(r"\x1b\[[0-9;]*m", "", shown[0]).replace("\r\n", "\n").strip()
    program = results["environment"]["program"]
    assert program["simulator"]
    assert len(program["sha256"]) == 64
    (host,) = results["environment"]["hosts"]
    assert host["cores"] > 0
    assert host["memory"] > 0

    # Everything anew from results.json alone, with the same outcome.
    before = {name: (latest / name).read_bytes() for name in REPORTS}
    for name in ("report.txt", "report.md"):
        (latest / name).unlink()
    made = sandbox.play("report", run=latest.name)
    assert made.rc == 0
    assert {name: (latest / name).read_bytes() for name in ("report.txt", "report.md")} == {
        name: before[name] for name in ("report.txt", "report.md")
    }
    anew = {case.get("name") for case in ET.parse(latest / "junit.xml").getroot().iter("testcase")}
    assert {case.get("name") for case in cases} <= anew

    # A second run, beside it.
    older = latest.parent / "20200101-000000-0000"
    shutil.copytree(latest, older)
    document = results | {"run": results["run"] | {"id": older.name, "scale": "large"}}
    (older / "results.json").write_text(json.dumps(document), encoding="utf-8")
    compared = sandbox.play("compare")
    assert compared.rc == 0
    assert "Not the same scale: large, now small." in compared.stdout
    assert (latest / f"compare-{older.name}.md").is_file()


def test_a_run_that_is_not_there_is_one_sentence(sandbox: Sandbox) -> None:
    for playbook in ("report", "compare"):
        run = sandbox.play(playbook)
        assert run.rc == 2
        assert "no run is there yet; name one of them, latest, previous, or a path." in run.stdout
        assert "Traceback" not in run.stdout


def test_a_cluster_that_does_not_come_up(sandbox: Sandbox) -> None:
    """The run breaks before its plan, and leaves a folder of its own all the same, which says why."""
    address = f"127.0.0.1:{sandbox.port_base}"
    with socket.create_server(("127.0.0.1", sandbox.port_base)):
        run = sandbox.play("load-small", **FEW)
        owner = ports.owner(address)
    assert run.rc == 2
    assert sandbox.processes() == {}
    sentence = (
        f"manager-1 cannot start: {owner} listens on {address} already; stop it, or choose other ports "
        "with warren_load_port_base."
    )
    assert re.fullmatch(r"\S+ \(process \d+\)", owner)
    latest = (sandbox.results / "latest").resolve()
    results = json.loads((latest / "results.json").read_text(encoding="utf-8"))
    assert results["judgement"]["verdict"] == "error"
    assert [finding["sentence"] for finding in results["findings"]] == [f"The phase bring-up failed: {sentence}"]
    assert results["measurements"] == {}
    assert [(phase["name"], phase["error"]) for phase in results["run"]["phases"] if phase["status"] == "failed"] == [
        ("bring-up", sentence)
    ]
    assert sentence in " ".join((latest / "report.txt").read_text(encoding="utf-8").split())
    cases = ET.parse(latest / "junit.xml").getroot().findall(".//testcase")
    assert "bring-up" in [case.get("name") for case in cases if case.find("error") is not None]


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
    assert 10 < len(run.executions) <= 40 + 4 * len(set(run.executions)), sorted(run.executions)

    results = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    assert [row["verdict"] for row in results["judgement"]["objectives"] if row["id"] == "impossible"] == ["fail"]
    assert results["measurements"]["cleanup"]["services_left"] == 0
    cases = ET.parse(sandbox.results / "latest/junit.xml").getroot().findall(".//testcase")
    assert [case.get("name") for case in cases if case.find("failure") is not None] == [
        "impossible: No service is created."
    ]
    anew = sandbox.play("report")
    assert anew.rc == 2
    assert "FAIL" in anew.stdout


def test_bad_input_is_one_sentence(sandbox: Sandbox) -> None:
    run = sandbox.play("load-small", services=0)
    assert run.rc == 2
    assert "Traceback" not in run.stdout
    assert re.search(r"services", run.stdout)
    assert sandbox.processes() == {}
