# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.warren.load.plugins.callback import junit
from ansible_collections.warren.load.plugins.module_utils.scenarios import PHASES


def result(action, data=None, *, name="a task", host="gen", uuid="1"):
    task = SimpleNamespace(action=action, resolved_action=action, _uuid=uuid, get_name=lambda: name)
    return SimpleNamespace(task=task, host=host_named(host), result=data or {})


def host_named(name):
    return SimpleNamespace(get_name=lambda: name, name=name)


class Play:
    """A play as far as the callback looks at one: its tasks, and its hosts' variables."""

    def __init__(self, variables=None, actions=("warren.load.plan",)):
        self.tasks = [SimpleNamespace(block=[SimpleNamespace(action=name) for name in actions], rescue=[], always=[])]
        self.roles = []
        self._variables = variables or {}

    def get_variable_manager(self):
        return SimpleNamespace(get_vars=lambda play, host: self._variables)

    def get_loader(self):
        return None


JUDGED = {
    "verdict": "fail",
    "green": False,
    "judgements": [
        {"id": "a", "sentence": "A holds.", "verdict": "pass", "value": 1.0, "unit": "ms", "limit": 2.0},
        {
            "id": "b",
            "sentence": "B holds.",
            "verdict": "fail",
            "value": 3.0,
            "unit": "ms",
            "limit": 2.0,
            "level": "missed",
        },
    ],
}


COLLECTION = Path(__file__).parents[4]


class Run:
    """The callback, and what its file says."""

    def __init__(self, monkeypatch, path, **options):
        monkeypatch.setattr("ansible.context.CLIARGS", {"check": options.pop("check", False)})
        self.callback = junit.CallbackModule()
        self.warnings: list[str] = []
        self.callback._display = SimpleNamespace(warning=self.warnings.append)
        given = {"path": str(path) if path else None, "case_properties": False, **options}
        self.callback.get_option = given.get
        self.path = path
        plays = options.get("plays", [])
        self.callback.v2_playbook_on_start(SimpleNamespace(_file_name="/x/load_small.yml", get_plays=lambda: plays))
        for play in plays:
            self.callback.v2_playbook_on_play_start(play)
            self.callback.v2_runner_on_start(host_named("gen"), result("ansible.builtin.ping").task)

    def cases(self, path=None):
        root = ET.parse(path or self.path).getroot()
        found = {}
        for case in root.iter("testcase"):
            kinds = [child.tag for child in case if child.tag != "system-out"]
            key = (case.get("classname").removeprefix("warren.load."), case.get("name"))
            assert key not in found
            found[key] = kinds[0] if kinds else "passed"
        return found

    def end(self, **counts):
        summary = {"failures": 0, "unreachable": 0, **counts}
        self.callback.v2_playbook_on_stats(SimpleNamespace(processed={"gen": 1}, summarize=lambda host: summary))


@pytest.fixture
def playing(monkeypatch, tmp_path):
    return Run(monkeypatch, tmp_path / "out" / "junit.xml")


PLAYBOOK = ("playbook", "load-small runs to its end")


def test_an_interrupted_run_has_a_file_that_says_so(playing):
    assert playing.cases() == {PLAYBOOK: "error"}
    playing.callback.v2_runner_on_ok(result("warren.load.create"))
    assert playing.cases() == {PLAYBOOK: "error", ("phases", "create"): "passed"}
    playing.end()
    assert playing.cases()[PLAYBOOK] == "passed"


NO_PHASE = {
    "compare",
    "diagnose",
    "evidence",
    "fault",
    "footprint",
    "host_info",
    "lima_vms",
    "netns",
    "process",
    "profile",
    "profile_report",
    "profile_view",
    "program",
    "program_source",
    "render",
    "simulator_archive",
}


def test_every_module_is_of_a_phase_or_known_to_be_of_none():
    """A phase whose module is not listed would have no case, however it ended."""
    sources = {path.stem: path.read_text() for path in (COLLECTION / "plugins/modules").glob("*.py")}
    assert set(sources) == set(junit.PHASE_OF) | NO_PHASE
    assert set(itertools.chain(*PHASES.values())) <= set(junit.PHASE_OF.values())
    assert not {name for name in NO_PHASE if re.search(r"\brun_(phase|query)\(", sources[name])}


@pytest.mark.parametrize(
    ("delegate_to", "name"),
    [(None, "gen"), ("gen", "gen"), ("manager-1", "gen -> manager-1"), ("{{ item.host }}", "gen")],
)
def test_a_failed_task_is_named_by_where_it_ran(playing, delegate_to, name):
    broken = result("ansible.builtin.command", {"msg": "no"}, name="Look")
    broken.task.delegate_to = delegate_to
    playing.callback.v2_runner_on_failed(broken)
    assert playing.cases()["tasks", f"[{name}] Look"] == "error"


def test_objectives_and_phases_become_cases(playing, tmp_path):
    folder = tmp_path / "results" / "run"
    learnt = {"results_path": str(folder), "run_id": "run", "scale": "small"}
    playing.callback.v2_runner_on_ok(result("warren.load.plan", learnt))
    assert playing.cases(folder / "junit.xml")[("phases", "plan")] == "passed"
    playing.callback.v2_runner_on_ok(result("warren.load.await_containers"))
    playing.callback.v2_runner_on_ok(result("warren.load.judge", JUDGED))
    reported = {**learnt, "verdict": "fail", "green": False, "summary": "fail: B"}
    playing.callback.v2_runner_on_ok(result("warren.load.report", reported))
    playing.callback.v2_runner_on_failed(result("ansible.builtin.fail", {"msg": "fail: B"}, name="Verdict"))
    playing.end(failures=1)
    expected = {
        PLAYBOOK: "passed",
        ("phases", "plan"): "passed",
        ("phases", "await"): "passed",
        ("phases", "judge"): "passed",
        ("phases", "report"): "passed",
        ("objectives", "a: A holds."): "passed",
        ("objectives", "b: B holds."): "failure",
    }
    assert playing.cases() == expected
    assert (folder / "junit.xml").read_bytes() == playing.path.read_bytes()
    text = playing.path.read_text()
    assert 'name="warren.load.small"' in text
    assert sorted(os.listdir(folder)) == ["junit.xml"]
    assert playing.warnings == []


def test_a_phase_that_failed_is_an_error_with_its_message(playing):
    playing.callback.v2_runner_on_failed(result("warren.load.create", {"msg": "no\nleader"}), ignore_errors=True)
    playing.callback.v2_runner_on_ok(result("warren.load.create"))
    playing.callback.v2_runner_on_skipped(result("warren.load.latency"))
    assert playing.cases()[("phases", "create")] == "error"
    assert playing.cases()[("phases", "latency")] == "skipped"
    assert 'message="no leader"' in playing.path.read_text()


def test_a_skipped_phase_that_ran_elsewhere_counts_as_run(playing):
    playing.callback.v2_runner_on_skipped(result("warren.load.sampler", host="a"))
    playing.callback.v2_runner_on_ok(result("warren.load.sampler", host="b"))
    playing.callback.v2_runner_on_skipped(result("warren.load.sampler", host="c"))
    assert playing.cases()[("phases", "resources")] == "passed"


def test_failed_tasks_and_unreachable_hosts_are_there(playing):
    playing.callback.v2_runner_on_failed(result("ansible.builtin.command", {"msg": "rc 1", "stderr": "why"}, name="Up"))
    playing.callback.v2_runner_on_failed(result("ansible.builtin.command", name="Never mind"), ignore_errors=True)
    playing.callback.v2_runner_on_unreachable(result("ansible.builtin.ping", {"msg": "refused"}, host="dead"))
    playing.end(failures=1)
    assert playing.cases() == {
        PLAYBOOK: "passed",
        ("tasks", "[gen] Up"): "error",
        ("hosts", "[dead] is reachable"): "error",
    }
    assert "why" in playing.path.read_text()


def test_a_host_that_may_be_unreachable_is_no_error(playing):
    away = result("warren.load.sampler", {"results": [{"unreachable": True, "msg": "refused"}]})
    away.task.ignore_unreachable = True
    playing.callback.v2_runner_on_unreachable(away)
    playing.end()
    assert playing.cases() == {PLAYBOOK: "passed", ("phases", "resources"): "skipped"}
    assert "refused" in playing.path.read_text()
    playing.callback.v2_runner_on_ok(result("warren.load.sampler"))
    assert playing.cases()[("phases", "resources")] == "passed"


def test_the_first_failed_item_of_a_loop_speaks(playing):
    items = [{"msg": "fine"}, {"failed": True, "msg": "the third is bad"}]
    playing.callback.v2_runner_on_failed(result("ansible.builtin.command", {"msg": "One or more", "results": items}))
    assert "the third is bad" in playing.path.read_text()


def test_a_refusal_is_one_error_not_two(playing):
    playing.callback.v2_runner_on_failed(result("warren.load.preflight", {"msg": "no leader"}))
    playing.callback.v2_runner_on_failed(result("ansible.builtin.fail", {"msg": "no leader"}, name="Verdict"))
    assert list(playing.cases().values()).count("error") == 2  # the phase, and the playbook that has not ended


def test_a_judge_that_could_not_judge_is_an_error(playing):
    playing.callback.v2_runner_on_ok(result("warren.load.judge", {"msg": "jmespath is missing", "failed": False}))
    assert playing.cases()[("phases", "judge")] == "error"


def test_a_failing_task_without_a_judgement_is_no_verdict(playing):
    playing.callback.v2_runner_on_failed(result("ansible.builtin.fail", {"msg": "no worker is ready"}, name="Refuse"))
    assert playing.cases()[("tasks", "[gen] Refuse")] == "error"


def test_a_run_that_failed_without_a_red_case_is_not_green(playing):
    playing.end(failures=1)
    assert playing.cases() == {PLAYBOOK: "error"}


def test_times_are_those_of_the_task(playing, monkeypatch):
    clock = iter([10.0, 13.5])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    started = result("warren.load.create")
    playing.callback.v2_runner_on_start(started.host, started.task)
    playing.callback.v2_runner_on_ok(started)
    case = next(case for case in ET.parse(playing.path).getroot().iter("testcase") if case.get("name") == "create")
    assert case.get("time") == "3.500"


def test_without_junit_xml_one_sentence_is_said(monkeypatch):
    monkeypatch.setattr(junit, "MISSING", "No junit.xml is written.")
    said: list[str] = []
    callback = junit.CallbackModule()
    monkeypatch.setattr(callback, "_display", SimpleNamespace(warning=said.append))
    callback.v2_playbook_on_start(SimpleNamespace())
    assert (said, callback.disabled) == (["No junit.xml is written."], True)


def test_nothing_is_written_without_a_place_or_in_check_mode(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Run(monkeypatch, None).end()
    checked = Run(monkeypatch, tmp_path / "junit.xml", check=True)
    assert checked.callback.disabled
    assert os.listdir(tmp_path) == []


def test_of_a_load_test_there_is_a_report_from_the_first_task_on(monkeypatch, tmp_path):
    """Whatever happens, and before there is a plan."""
    folder = tmp_path / "results"
    refused = Run(monkeypatch, None, plays=[Play({"warren_load_results_dir": str(folder)})])
    assert refused.cases(folder / "junit.xml") == {PLAYBOOK: "error"}
    said = {"msg": "warren_load_services is '0': it must be a whole number, 1 or more."}
    refused.callback.v2_runner_on_failed(result("ansible.builtin.fail", said, name="The settings make sense"))
    refused.end(failures=1)
    assert refused.cases(folder / "junit.xml") == {
        PLAYBOOK: "passed",
        ("tasks", "[gen] The settings make sense"): "error",
    }
    assert os.listdir(folder) == ["junit.xml"]


def test_another_playbook_leaves_the_report_of_the_load_test_alone(monkeypatch, tmp_path):
    Run(monkeypatch, None, plays=[Play({"warren_load_results_dir": str(tmp_path)}, ["warren.load.process"])]).end()
    assert os.listdir(tmp_path) == []


def test_the_option_comes_before_the_results_folder(monkeypatch, tmp_path):
    Run(monkeypatch, tmp_path / "mine.xml", plays=[Play({"warren_load_results_dir": str(tmp_path / "results")})]).end()
    assert os.listdir(tmp_path) == ["mine.xml"]


def test_secrets_are_taken_out(monkeypatch, tmp_path):
    variables = {"ansible_password": "hunter2 hunter2", "warren_load_results_dir": str(tmp_path)}
    run = Run(monkeypatch, None, plays=[Play(variables)])
    told = {"msg": f"login with hunter2 hunter2 failed, join --token {'0f' * 32}", "stderr": "token=abcdefgh"}
    run.callback.v2_runner_on_failed(result("ansible.builtin.command", told, name="Up"))
    run.callback.v2_runner_on_failed(result("warren.load.create", told))
    text = (tmp_path / "junit.xml").read_text()
    assert text.count("login with (removed) failed") >= 2
    for secret in ("hunter2", "0f0f0f", "abcdefgh"):
        assert secret not in text


def test_what_the_results_say_is_in_the_report(monkeypatch, tmp_path, playing):
    """A phase that stopped early is no failed task, but it failed."""
    document = {
        "run": {"id": "x", "scale": "large", "phases": [{"name": "await", "status": "failed", "error": "too late"}]},
        "environment": {"program": {"name": "warren", "sha256": "ab" * 32, "version": "v1.6.0"}},
        "findings": [{"sentence": "Nothing ran."}],
        "judgement": {"verdict": "fail", "green": False, "summary": "fail: A", "objectives": JUDGED["judgements"]},
    }
    (tmp_path / "results.json").write_text(json.dumps(document))
    playing.callback.v2_runner_on_ok(result("warren.load.await_containers"))
    playing.callback.v2_runner_on_skipped(result("warren.load.throughput"))
    playing.callback.v2_runner_on_ok(result("warren.load.report", {"results_path": str(tmp_path), "green": False}))
    cases = playing.cases()
    assert ("phases", "throughput") not in cases
    assert cases["phases", "await"] == "error"
    assert cases["objectives", "b: B holds."] == "failure"
    root = ET.parse(playing.path).getroot()
    assert root[0].get("name") == "warren.load.large"
    told = {entry.get("name"): entry.get("value") for entry in root.iter("property")}
    assert (told["program_sha256"], told["program_version"]) == ("ab" * 32, "v1.6.0")
    assert "Nothing ran." in playing.path.read_text()
    assert f"[[ATTACHMENT|{tmp_path}/report.md]]" in playing.path.read_text()


def test_it_never_raises(playing, tmp_path):
    (tmp_path / "file").write_text("")
    playing.callback._path = str(tmp_path / "file" / "junit.xml")
    playing.callback.v2_runner_on_ok(result("warren.load.create"))
    assert playing.callback.disabled
    assert len(playing.warnings) == 1
    for odd in (None, object()):
        playing.callback.v2_runner_on_ok(odd)
        playing.callback.v2_playbook_on_stats(odd)
