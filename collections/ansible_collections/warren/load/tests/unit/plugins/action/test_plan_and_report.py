# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.warren.load.plugins.action import plan, report
from ansible_collections.warren.load.plugins.modules import plan as plan_docs
from ansible_collections.warren.load.plugins.modules import report as report_docs
from ansible_collections.warren.load.plugins.plugin_utils import reports, screen
from ansible_collections.warren.load.plugins.plugin_utils.results import ResultsError

PLAN = {"run_id": "20261123-120102-4f1a", "results_dir": "results", "services": "50", "replicas": 3}
RUN = {"id": "20261123-120102-4f1a", "scale": "small", "services": 50, "replicas": 3}


class Host:
    """A connection to this very machine, as far as the plugins use one."""

    def __init__(self):
        self._shell = Mock(quote=shlex.quote, join_path=os.path.join, tmpdir=None)
        self.broken = False

    def fetch_file(self, there, here):
        if self.broken:
            raise AnsibleConnectionFailure("connection lost")
        shutil.copy(there, here)


@pytest.fixture
def shown(monkeypatch):
    lines = []
    display = Mock(display=lambda text, **how: lines.append((text, how)))
    monkeypatch.setattr(screen, "Display", lambda: display)
    monkeypatch.setattr(screen, "ANSIBLE_COLOR", False)
    return lines


def run(module, args, *, check=False, host=None, variables=None):
    task = Mock(args=args, check_mode=check, async_val=0, no_log=False)
    made = module.ActionModule(task, host or Host(), Mock(), Mock(), Mock(), Mock())

    def shell(command):
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout}

    made._low_level_execute_command = shell
    made._templar.template = lambda value: value
    return made.run(task_vars=variables or {})


@pytest.mark.parametrize(("action", "docs"), [(plan, plan_docs), (report, report_docs)])
def test_the_documentation_says_what_is_taken(action, docs):
    documented = yaml.safe_load(docs.DOCUMENTATION)["options"]
    kept = ("type", "required", "default", "choices", "elements")
    assert {
        name: {key: option[key] for key in kept if key in option} for name, option in documented.items()
    } == action.SPEC


@pytest.mark.parametrize("check", [False, True])
def test_plan_is_printed_and_returned(shown, check, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(plan, PLAN, check=check)
    assert result["plan"]["containers"] == 150
    assert result["results_path"] == str(tmp_path / "results/20261123-120102-4f1a")
    assert shown[0][0].splitlines() == result["lines"]
    assert os.listdir(tmp_path) == []
    json.dumps(result)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"services": 0}, "services is 0: it must be greater than 0"),
        ({"replicas": -1}, "replicas is -1"),
        ({"latency_rate": 0}, "latency_rate is 0"),
    ],
)
def test_a_plan_of_nothing_is_refused(shown, wrong, said):
    result = run(plan, {**PLAN, **wrong})
    assert result["failed"]
    assert said in result["msg"]
    assert shown == []


def test_a_plan_that_is_no_number_is_refused(shown):
    with pytest.raises(AnsibleError, match="services"):
        run(plan, {**PLAN, "services": "many"})


def args(tmp_path, **changes):
    return {"run": RUN, "results_dir": str(tmp_path / "results"), **changes}


def test_report_writes_fetches_and_prints(shown, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    for name in ("journal.jsonl", "status.json", "lease"):
        (work / name).write_text("x")
    (work / "latency-samples.csv.gz").write_bytes(gzip.compress(b"x"))
    # What another phase has fetched by then.
    (tmp_path / "results" / RUN["id"] / "samples").mkdir(parents=True)
    (tmp_path / "results" / RUN["id"] / "samples/resources-gen.csv.gz").write_bytes(gzip.compress(b"x"))
    result = run(report, args(tmp_path, work_dir=str(work), marks=["simulator"]))
    folder = Path(result["results_path"])
    assert result["files"] == [
        "results.json",
        "report.txt",
        "report.md",
        "junit.xml",
        "samples/journal.jsonl",
        "samples/latency-samples.csv.gz",
        "samples/resources-gen.csv.gz",
    ]
    assert all((folder / name).is_file() for name in result["files"])
    assert (tmp_path / "results/latest").resolve() == folder
    document = json.loads((folder / "results.json").read_text())
    assert document["files"] == result["files"][4:]
    assert document["environment"]["controller"]["cpus"]
    assert shown[0][0] + "\n" == (folder / "report.txt").read_text()
    assert (result["verdict"], result["green"]) == ("not judged", False)


def test_check_mode_prints_and_writes_nothing(shown, tmp_path):
    result = run(report, args(tmp_path), check=True)
    assert shown
    assert not result["changed"]
    assert "failed" not in result
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("how", ["missing", "broken"])
def test_samples_that_cannot_be_fetched_are_a_finding(shown, tmp_path, how):
    host = Host()
    work = tmp_path / "work"
    if how == "broken":
        host.broken = True
        work.mkdir()
        (work / "journal.jsonl").write_text("")
    result = run(report, args(tmp_path, work_dir=str(work)), host=host)
    assert "failed" not in result
    assert any("fetched" in finding for finding in result["findings"])


def test_a_damaged_sample_file_is_a_finding(shown, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / "create-samples.csv.gz").write_bytes(gzip.compress(b"x" * 1000)[:20])
    (work / "journal.jsonl").write_text("")
    result = run(report, args(tmp_path, work_dir=str(work)))
    assert "create-samples.csv.gz is damaged" in result["findings"][-1]
    assert os.listdir(Path(result["results_path"]) / "samples") == ["journal.jsonl"]


def test_no_file_of_the_results_holds_a_secret(shown, tmp_path):
    """Secrets in variables, errors, log lines, samples and names, and each file read to its end."""
    token, password = "0f" * 32, "correct horse"
    variables = {"ansible_password": password, "my_tokens": ["battery staple"], "warren_load_ca_file": "/ca.crt"}
    said = f"rc 1: warren worker start --token {token}: {password} refused, battery staple too, /ca.crt is fine"
    work = tmp_path / "work"
    work.mkdir()
    (work / "journal.jsonl").write_text(json.dumps({"t": 1, "error": said}) + "\n")
    (work / "create-samples.csv.gz").write_bytes(gzip.compress(f"service,error\nwl-1,{said}\n".encode()))
    log = {"error": 1, "warning": 0, "first_error": said, "first_warning": "-----BEGIN PRIVATE KEY-----\nMIIabc"}
    given = args(
        tmp_path,
        run={**RUN, "image": f"https://me:{password}@registry/pause", "join_token": token},
        work_dir=str(work),
        measurements={
            "create": {"services": 5, "failed": 5, "causes": {said: 5}},
            "resources": {"managers": [{"name": "manager-1", "log": log}], "unavailable": [said]},
        },
        judgement={"msg": said},
        environment={"hosts": [{"name": "manager-1", "os": said}], "api_key": "sesame"},
        phases=[{"name": "create", "status": "failed", "error": said}],
        findings=[said],
        plan={"notes": [said]},
    )
    result = run(report, given, variables=variables)
    folder = Path(result["results_path"])
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in written} >= {"results.json", "report.txt", "report.md", "junit.xml", "journal.jsonl"}
    texts = {str(path): path.read_bytes() for path in written}
    texts |= {name: gzip.decompress(text) for name, text in texts.items() if name.endswith(".gz")}
    texts["the screen"] = shown[0][0].encode()
    texts["the result"] = json.dumps(result).encode()
    for name, text in texts.items():
        for secret in (token, password, "correct", "battery", "MIIabc", "sesame"):
            assert secret.encode() not in text, f"{secret} is in {name}"
        assert b"/ca.crt is fine" in text or name.endswith((".gz", "report.md", "report.txt", "screen"))


def test_a_results_folder_that_cannot_be_made_is_one_sentence(shown, tmp_path):
    (tmp_path / "results").write_text("a file")
    result = run(report, args(tmp_path))
    assert result["failed"]
    assert "set warren_load_results_dir" in result["msg"]


def test_a_full_disk_does_not_cost_the_banner(shown, tmp_path, monkeypatch):
    def full(path, content):
        raise ResultsError(f"{path} cannot be written (No space left on device): free space.")

    monkeypatch.setattr(report, "write", full)
    result = run(report, args(tmp_path))
    assert result["failed"]
    assert "No space left" in result["msg"]
    assert "Warren Load Test Results" in shown[0][0]


def test_what_cannot_be_rendered_does_not_cost_the_results(shown, tmp_path, monkeypatch):
    def broken(document, folder):
        return document["missing"]

    monkeypatch.setattr(reports, "screen_lines", broken)
    result = run(report, args(tmp_path))
    assert result["failed"]
    assert "is damaged (KeyError: 'missing')" in result["msg"]
    assert (Path(result["results_path"]) / "results.json").is_file()


def test_colours_go_to_the_terminal_only(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(screen, "ANSIBLE_COLOR", True)
    monkeypatch.setattr("ansible.utils.color.ANSIBLE_COLOR", True)
    run(report, args(tmp_path, marks=["simulator"]))
    (coloured, on_screen), (plain, in_log) = shown
    assert "\x1b[" in coloured
    assert on_screen == {"screen_only": True}
    assert "\x1b[" not in plain
    assert in_log == {"log_only": True}
