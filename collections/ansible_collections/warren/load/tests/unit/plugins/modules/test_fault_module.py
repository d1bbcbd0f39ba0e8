# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.warren.load.plugins.module_utils.node import faults, process_table, supervision
from ansible_collections.warren.load.plugins.modules import fault

pytestmark = pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")

RUN = "20261124-000000-aaaa"


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the module on a process of the test's; returns what it exits with."""
    pid_file, folder = str(tmp_path / "node/pid.json"), str(tmp_path / "faults")
    argv = [sys.executable, "-c", "import time; time.sleep(300)"]
    supervision.start(supervision.Program("worker-1", argv, pid_file, str(tmp_path / "node/log")))

    def run(**options):
        given = {"dir": folder, "target": "worker-1", "pid_file": pid_file, **options}
        with patch_module_args(given), pytest.raises(SystemExit):
            fault.main()
        return json.loads(capsys.readouterr().out)

    yield run
    faults.undo(folder)
    supervision.stop(pid_file, 0.1)


def test_armed_renewed_queried_and_undone(run):
    armed = run(kind="pause", run_id=RUN)
    assert armed["changed"] is True
    assert [(row["id"], row["state"], row["target"], row["watched"]) for row in armed["faults"]] == [
        ("pause", "active", "worker-1", True)
    ]
    assert "plan" not in armed["faults"][0]
    assert run(kind="pause", run_id=RUN)["changed"] is False
    assert run(state="renewed", run_id=RUN)["changed"] is True
    assert run(state="renewed", run_id="20261124-000000-bbbb")["faults"] == []
    assert run(state="queried")["faults"][0]["state"] == "active"
    assert run(state="undone", _ansible_check_mode=True)["changed"] is True
    undone = run(state="undone")
    assert undone["changed"] is True
    assert undone["faults"][0]["undone_by"] == "told"
    assert run(state="undone") == {**undone, "changed": False, "faults": []}
    assert run(state="queried")["faults"][0]["watched"] is False


def test_what_the_host_cannot_do_is_told_beforehand(run):
    asked = run(state="queried", kind="cut", addresses=["127.0.0.1:8080"])
    assert asked["possible"] is False
    assert asked["reason"].startswith("Fault cut needs hosts of their own: ")
    refused = run(kind="cut", run_id=RUN, addresses=["127.0.0.1:8080"])
    assert refused["failed"] is True
    assert refused["msg"] == asked["reason"]
    assert run(state="queried", kind="pause")["possible"] is True
    assert run(state="queried", kind="pause", pid=1)["reason"].startswith("The pid changed: ")


def test_a_fault_that_is_too_long_is_told_beforehand(run, tmp_path):
    long = {"kind": "pause", "seconds": faults.LONGEST + 1}
    asked = run(state="queried", **long)
    assert asked["possible"] is False
    assert asked["reason"].startswith("seconds is 3601: a fault lasts more than 0 and at most 3600 s")
    assert run(run_id=RUN, _ansible_check_mode=True, **long)["msg"] == asked["reason"]
    assert run(run_id=RUN, **long)["msg"] == asked["reason"]
    assert run(state="queried", kind="pause", seconds=faults.LONGEST)["possible"] is True


def test_check_mode_does_nothing(run, tmp_path):
    assert run(kind="kill", run_id=RUN, _ansible_check_mode=True)["changed"] is True
    assert run(kind="kill", run_id=RUN, pid=1, _ansible_check_mode=True)["msg"].startswith("The pid changed: ")
    assert supervision.running_record(str(tmp_path / "node/pid.json"))
    assert not (tmp_path / "faults").exists()


def test_two_at_once_are_a_sentence(run):
    run(kind="pause", run_id=RUN)
    refused = run(kind="kill", run_id="20261124-000000-bbbb")
    assert refused["msg"].startswith("Two fault runs at once: ")


def test_a_host_that_has_a_fault_says_so_beforehand_and_whom_it_means(run, tmp_path):
    record = supervision.running_record(str(tmp_path / "node/pid.json"))
    assert record
    asked = run(state="queried", kind="pause")
    assert (asked["possible"], asked["pid"]) == (True, record.pid)
    run(kind="pause", run_id=RUN)
    asked = run(state="queried", kind="pause")
    assert asked["possible"] is False
    assert asked["reason"].startswith("Two fault runs at once: fault pause of worker-1 ")
    assert run(state="queried", kind="pause", together=True)["possible"] is True
