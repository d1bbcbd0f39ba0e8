# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.warren.load.plugins.module_utils.node import supervision
from ansible_collections.warren.load.plugins.modules import process

CODE = "import time; print('ready', flush=True); time.sleep(60)"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs the module on one program in a folder of its own; returns what it exits with."""
    own: dict[str, Any] = {
        "name": "node",
        "argv": [sys.executable, "-c", CODE],
        "pid_file": str(tmp_path / "node/pid.json"),
        "log_file": str(tmp_path / "node/log"),
        "ready_pattern": "ready",
    }

    def run(**options: Any) -> dict[str, Any]:
        with patch_module_args({**own, **options}), pytest.raises(SystemExit):
            process.main()
        return json.loads(capsys.readouterr().out)

    yield run
    supervision.stop(own["pid_file"], 0.1)


def test_a_second_time_changes_nothing(run: Run) -> None:
    first = run(labels={"dialect": "tasks"})
    assert [first["changed"], first["started"], first["running"]] == [True, True, True]
    second = run()
    assert [second["changed"], second["pid"], second["labels"]] == [False, first["pid"], {"dialect": "tasks"}]
    stopped = run(state="stopped")
    assert [stopped["changed"], stopped["stopped"], stopped["running"]] == [True, True, False]
    assert run(state="stopped")["changed"] is False


def test_check_mode_starts_and_stops_nothing(run: Run, tmp_path: Path) -> None:
    assert run(_ansible_check_mode=True)["changed"] is True
    assert not (tmp_path / "node").exists()
    pid = run()["pid"]
    assert run(state="stopped", _ansible_check_mode=True)["changed"] is True
    assert run(state="queried")["pid"] == pid


def test_other_arguments_are_refused_kept_or_applied(run: Run) -> None:
    pid = run()["pid"]
    other = [sys.executable, "-c", CODE + "  # other"]
    refused = run(argv=other)
    assert refused["failed"] is True
    assert refused["msg"].startswith("node runs already, but with other settings than asked for")
    assert run(argv=other, on_change="keep")["pid"] == pid
    restarted = run(argv=other, on_change="restart")
    assert [restarted["started"], restarted["stopped"]] == [True, True]
    assert restarted["pid"] != pid


def test_who_was_there_before_a_run_is_no_ones_of_it_for_being_restarted(run: Run) -> None:
    run(labels={"run": "", "manager": "one"})
    other = {"argv": [sys.executable, "-c", CODE + "  # other"], "on_change": "restart"}
    kept = run(**other, labels={"run": "yes", "manager": "two"}, kept_labels=["run", "nothing"])
    assert (kept["started"], kept["labels"]) == (True, {"run": "", "manager": "two"})


def test_secrets_are_in_no_output(run: Run) -> None:
    failed = run(argv=[sys.executable, "-c", "exit('open sesame')"], secrets=["open sesame"])
    assert failed["failed"] is True
    assert "open sesame" not in json.dumps(failed)


def test_a_slip_in_wipe_costs_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    failed = run(state="stopped", wipe=[str(tmp_path)])
    assert "does not lie in" in failed["msg"]
    assert (tmp_path / "precious").exists()


def test_a_signal_needs_a_name_that_exists(run: Run) -> None:
    run()
    assert "there is no signal NOPE" in run(state="signalled", signal="NOPE")["msg"]
    assert run(state="signalled", signal="CONT")["running"] is True


def test_only_what_has_the_labels_is_stopped(run: Run, tmp_path: Path) -> None:
    wipe = [str(tmp_path / "node/data")]
    pid = run(labels={"run": "", "role": "manager"})["pid"]
    Path(wipe[0]).mkdir()
    left = run(state="stopped", only_labels={"run": "yes"}, wipe=wipe)
    assert [left["changed"], left["running"], left["pid"]] == [False, True, pid]
    assert run(state="stopped", only_labels={"role": "manager"}, wipe=wipe)["stopped"] is True
    assert not Path(wipe[0]).exists()


def test_what_has_the_labels_and_died_is_removed(run: Run, tmp_path: Path) -> None:
    pid = run(labels={"run": "yes"})["pid"]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    gone = run(state="stopped", only_labels={"run": "yes"}, wipe=[str(tmp_path / "node/log")])
    assert [gone["changed"], gone["stopped"]] == [True, False]
    assert list((tmp_path / "node").iterdir()) == []
