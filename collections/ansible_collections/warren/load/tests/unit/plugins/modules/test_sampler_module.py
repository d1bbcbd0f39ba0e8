# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.warren.load.plugins.module_utils.node import process_table
from ansible_collections.warren.load.plugins.module_utils.node import sampler as samplers
from ansible_collections.warren.load.plugins.modules import sampler


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the module on a folder of its own; returns what it exits with."""
    folder = str(tmp_path / "sampler")

    def run(**options):
        with patch_module_args({"dir": folder, **options}), pytest.raises(SystemExit):
            sampler.main()
        return json.loads(capsys.readouterr().out)

    yield run
    samplers.stop(folder)


def start(run, **process):
    return run(run_id="run-1", processes=[{"name": "manager-1", **process}])


def test_start_collect_and_stop(run, tmp_path):
    pid_file = tmp_path / "pid.json"
    pid_file.write_text(json.dumps({"pid": os.getpid()}))
    started = start(run, pid_file=str(pid_file))
    assert started["changed"] is True
    assert process_table.start_time(started["pid"])
    told = run(state="stopped", run_id="run-1", steady_from=1.0)
    assert [row["name"] for row in told["rows"]] == ["manager-1"]
    assert len(told["files"]) == 2
    assert process_table.start_time(started["pid"]) is None
    assert run(state="stopped")["changed"] is False
    assert not (tmp_path / "sampler").exists()


def test_an_orphan_is_ended(run, tmp_path):
    pid = start(run, pid_file="/nowhere")["pid"]
    assert run(state="stopped", _ansible_check_mode=True)["changed"] is True
    assert process_table.start_time(pid)
    assert run(state="stopped")["ended"] == "run-1"
    assert process_table.start_time(pid) is None


def test_check_mode_starts_nothing(run, tmp_path):
    assert run(run_id="r", processes=[], _ansible_check_mode=True)["changed"] is True
    assert not (tmp_path / "sampler").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"processes": [{"name": "m", "match": "("}]}, "match '(' is not a regular expression"),
        ({"processes": [], "interval": 0}, "interval is 0: say a number above 0"),
        ({"processes": [], "dir": "/proc/nowhere"}, "The sampler cannot use /proc/nowhere"),
    ],
)
def test_wrong_options_are_one_sentence(run, options, words):
    told = run(run_id="run-1", **options)
    assert told["failed"] is True
    assert words in told["msg"]
