# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
from unittest.mock import Mock

import pytest
import yaml

from ansible_collections.warren.load.plugins.action import compare, render
from ansible_collections.warren.load.plugins.modules import compare as compare_docs
from ansible_collections.warren.load.plugins.modules import render as render_docs
from ansible_collections.warren.load.plugins.plugin_utils import reports, screen
from ansible_collections.warren.load.plugins.plugin_utils.results import assemble, encode, point_latest

RUN = {"scale": "small", "services": 50, "replicas": 3}
OPTIONS = {
    "measurements": {"create": {"services": 50, "created": 50, "failed": 0}},
    "audit": {},
    "judgement": {},
    "environment": {"program": {"name": "warren", "sha256": "ab" * 32, "version": "v1.6.0", "simulator": False}},
    "marks": [],
    "phases": [{"name": "create", "status": "ok", "duration": 1.0, "error": ""}],
    "plan": {},
    "findings": [],
}


@pytest.fixture
def shown(monkeypatch):
    lines = []
    display = Mock(display=lambda text, **how: lines.append((text, how)))
    monkeypatch.setattr(screen, "Display", lambda: display)
    monkeypatch.setattr(screen, "ANSIBLE_COLOR", False)
    return lines


@pytest.fixture
def home(tmp_path):
    for run_id in ("20261123-120102-4f1a", "20261124-120102-77c0"):
        folder = tmp_path / run_id
        folder.mkdir()
        (folder / "results.json").write_bytes(encode(assemble({**OPTIONS, "run": {**RUN, "id": run_id}})))
    point_latest(folder)
    return tmp_path


def run(module, home, *, check=False, **args):
    task = Mock(args={"results_dir": str(home), **args}, check_mode=check, async_val=0, no_log=False)
    return module.ActionModule(task, Mock(), Mock(), Mock(), Mock(), Mock()).run(task_vars={})


@pytest.mark.parametrize(("action", "docs"), [(render, render_docs), (compare, compare_docs)])
def test_the_documentation_says_what_is_taken(action, docs):
    documented = yaml.safe_load(docs.DOCUMENTATION)["options"]
    kept = ("type", "required", "default", "choices", "elements")
    assert {
        name: {key: option[key] for key in kept if key in option} for name, option in documented.items()
    } == action.SPEC


def test_reports_are_made_anew(shown, home):
    result = run(render, home)
    folder = home / "20261124-120102-77c0"
    assert result["results_path"] == str(folder)
    assert sorted(os.listdir(folder)) == ["junit.xml", "report.md", "report.txt", "results.json"]
    assert shown[0][0] + "\n" == (folder / "report.txt").read_text()
    assert (result["verdict"], result["green"]) == ("not judged", False)
    before = {name: (folder / name).read_bytes() for name in result["files"]}
    run(render, home, run=str(folder / "results.json"))
    assert {name: (folder / name).read_bytes() for name in result["files"]} == before


def test_without_junit_xml_all_but_its_report_is_made(shown, home, monkeypatch):
    monkeypatch.setattr(reports, "MISSING", "No junit.xml is written.")
    monkeypatch.setattr(render, "MISSING", "No junit.xml is written.")
    result = run(render, home)
    assert result["warnings"] == ["No junit.xml is written."]
    assert sorted(os.listdir(home / "20261124-120102-77c0")) == ["report.md", "report.txt", "results.json"]


def test_what_only_the_playbook_of_the_run_knew_is_kept(shown, home):
    path = home / "20261124-120102-77c0" / "junit.xml"
    path.write_text(
        '<testsuites><testsuite name="x"><testcase classname="warren.load.hosts" name="[dead] is reachable" time="3">'
        '<error type="unreachable" message="refused">why</error></testcase>'
        '<testcase classname="warren.load.objectives" name="old: gone" time="0"/></testsuite></testsuites>'
    )
    run(render, home)
    text = path.read_text()
    assert '<error type="unreachable" message="refused">why</error>' in text
    assert "old: gone" not in text
    path.write_text("<broken")
    assert "failed" not in run(render, home)
    assert "refused" not in path.read_text()


def test_check_mode_prints_and_writes_nothing(shown, home):
    before = sorted(str(path) for path in home.rglob("*"))
    run(render, home, check=True)
    run(compare, home, check=True)
    assert len(shown) == 2
    assert sorted(str(path) for path in home.rglob("*")) == before


def test_the_latest_is_compared_with_the_one_before(shown, home):
    result = run(compare, home)
    assert (result["comparable"], result["differences"]) == (True, [])
    path = home / "20261124-120102-77c0/compare-20261123-120102-4f1a.md"
    assert result["path"] == str(path)
    assert "Warren Load Test Comparison" in shown[0][0]
    assert path.read_text().startswith("### Warren load test: 20261123")
    json.dumps(result)


@pytest.mark.parametrize(
    ("action", "args", "said"),
    [
        (render, {"run": "nope"}, "no results of the run 'nope'"),
        (compare, {"base": "nope"}, "no results of the run 'nope'"),
        (compare, {"base": "latest"}, "base and new are the same run, 20261124-120102-77c0"),
    ],
)
def test_runs_that_are_not_there_are_one_sentence(shown, home, action, args, said):
    result = run(action, home, **args)
    assert result["failed"]
    assert said in result["msg"]
    assert shown == []


@pytest.mark.parametrize("action", [render, compare])
def test_a_damaged_document_is_one_sentence(shown, home, action):
    path = home / "20261124-120102-77c0" / "results.json"
    document = json.loads(path.read_text())
    document["judgement"]["objectives"] = [{"id": "x"}]
    path.write_text(json.dumps(document))
    result = run(action, home)
    assert result["failed"]
    assert "is damaged (KeyError" in result["msg"]
    assert shown == []
