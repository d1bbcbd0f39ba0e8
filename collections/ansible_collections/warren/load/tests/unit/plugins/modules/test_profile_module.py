# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.warren.load.plugins.module_utils.node import process_table, profiler
from ansible_collections.warren.load.plugins.modules import profile

PROCESSES = [{"name": "worker-1", "kind": "worker", "pprof_url": "http://127.0.0.1:1/debug/pprof/goroutine?debug=1"}]


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the module on a folder of its own; returns what it exits with."""
    folder = str(tmp_path / "profiles")

    def run(**options):
        with patch_module_args({"dir": folder, "cpu_seconds": 1, **options}), pytest.raises(SystemExit):
            profile.main()
        return json.loads(capsys.readouterr().out)

    yield run
    profiler.stop(folder)


def test_a_worker_without_profiles_is_no_failure(run):
    told = run(processes=PROCESSES)
    assert told["changed"] is False
    assert told["rows"] == []
    assert "--enable-pprof" in told["unavailable"][0]


def test_started_told_of_the_load_and_stopped(run, tmp_path):
    started = run(state="started", run_id="run-1", processes=PROCESSES)
    assert started["changed"] is True
    assert process_table.start_time(started["pid"])
    assert run(state="load")["changed"] is True
    told = run(state="stopped", run_id="run-1")
    assert told["ended"] == "run-1"
    assert len(told["unavailable"]) == 1  # once, however often it was tried
    assert process_table.start_time(started["pid"]) is None
    assert run(state="load")["changed"] is False
    assert run(state="stopped")["changed"] is False
    assert not (tmp_path / "profiles").exists()


def test_an_orphan_is_ended(run):
    pid = run(state="started", run_id="run-1", processes=PROCESSES)["pid"]
    assert run(state="stopped")["ended"] == "run-1"
    assert process_table.start_time(pid) is None


def test_check_mode_takes_nothing(run, tmp_path):
    assert run(state="started", run_id="r", processes=PROCESSES, _ansible_check_mode=True)["changed"] is True
    assert not (tmp_path / "profiles").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"cpu_seconds": -1}, "cpu_seconds is -1: say 0 or more."),
        ({"processes": [{"nam": "worker-1"}]}, "processes: "),
        ({"dir": "/proc/no/such"}, "Profiles cannot be kept in /proc/no"),
    ],
)
def test_what_cannot_be_is_one_sentence(run, options, sentence):
    told = run(**options)
    assert told["failed"] is True
    assert told["msg"].startswith(sentence)
    assert not Path("/proc/no").exists()
