# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import subprocess

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.warren.load.plugins.action import cleanup
from ansible_collections.warren.load.plugins.module_utils.node import lock
from ansible_collections.warren.load.plugins.plugin_utils import progress
from ansible_collections.warren.load.plugins.plugin_utils.progress import (
    Lines,
    ProgressAction,
    parse_poll,
    poll_command,
)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_lines_are_calm_and_aligned():
    shown: list[str] = []
    clock = Clock()
    lines = Lines("create", shown.append, clock)
    for second in range(10):
        clock.now = float(second)
        lines.update(f"{second} of 50 services created")
    lines.update("50 of 50 services created", last=True)
    lines.update("50 of 50 services created", last=True)
    assert shown == [f"create     {count} of 50 services created" for count in (0, 3, 6, 9, 50)]


def test_the_lines_of_a_long_phase_grow_further_apart():
    shown: list[float] = []
    clock = Clock()
    lines = Lines("await", lambda _line: shown.append(clock.now), clock)
    for second in range(1200):
        clock.now = float(second)
        lines.update(f"{second} of 3000 containers running")
    assert shown[:4] == [0, 3, 6, 9]
    assert len(shown) < 70
    assert max(later - earlier for earlier, later in itertools.pairwise(shown)) <= 1200 / 15


def test_nothing_new_is_said_seldom_but_said():
    shown: list[str] = []
    clock = Clock()
    lines = Lines("await", shown.append, clock)
    lines.update("")
    for second in range(100):
        clock.now = float(second)
        lines.update("120 of 150 containers run")
    assert shown == [
        "await      120 of 150 containers run",
        "await      120 of 150 containers run (unchanged for 30 s)",
        "await      120 of 150 containers run (unchanged for 60 s)",
        "await      120 of 150 containers run (unchanged for 90 s)",
    ]


def shell(command):
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def test_polls_are_rarer_the_longer_a_phase_lasts_and_never_far_apart():
    here = [progress.longest_pause(age, here=True) for age in range(0, 600, 5)]
    assert here == sorted(here)
    assert here[0] == progress.POLL_HERE
    assert here[-1] == progress.POLL == progress.longest_pause(0, here=False)


def test_a_poll_reads_both_files_and_renews_the_lease(tmp_path):
    work = tmp_path / "a folder; with 'quotes'"
    work.mkdir()
    result_file = tmp_path / "j1.2"
    command = poll_command(shlex.quote, str(work), str(result_file), None)
    first = parse_poll(shell(command)["stdout"])
    assert (first.status, first.result, first.raw, first.alive) == ({}, None, "", None)
    assert (work / "lease").exists()
    os.utime(work / "lease", (1, 1))
    (work / "status.json").write_text('{"text": "31 of 50", "pid": 4711}\n')
    result_file.write_text('{"started": true, "finished": false, "ansible_job_id": "j1.2"}')
    second = parse_poll(shell(command)["stdout"])
    assert second.status["text"] == "31 of 50"
    assert second.result is None
    assert (work / "lease").stat().st_mtime > 1
    result_file.write_text(json.dumps({"changed": True, "text": "--warren.load--\n--warren.load--"}))
    assert parse_poll(shell(command)["stdout"]).result["changed"]


def test_a_poll_tells_whether_the_process_is_there(tmp_path):
    assert parse_poll(shell(poll_command(shlex.quote, str(tmp_path), "/x", os.getpid()))["stdout"]).alive is True
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert parse_poll(shell(poll_command(shlex.quote, str(tmp_path), "/x", gone.pid))["stdout"]).alive is False


@pytest.mark.parametrize("text", ["", "Connection closed", "{}\n--warren.load--\n{}"])
def test_a_poll_that_was_cut_off_is_none(text):
    assert parse_poll(text) is None


class Action(ProgressAction):
    """The action with a host that is played: a list of what each poll sees, after ``prepare`` and the start."""

    phase = "create"

    def __init__(self, polls, *, check=False, args=None):
        quote = type("Shell", (), {"quote": staticmethod(shlex.quote)})()
        self._connection = type("Connection", (), {"_shell": quote})()
        self._task = type(
            "Task", (), {"check_mode": check, "args": args or {"work_dir": "/w", "deadline": "10"}, "async_val": 0}
        )()
        self.polls = list(polls)
        self.commands = []
        self.limits = []

    def _execute_module(self, task_vars=None, wrap_async=False):
        if wrap_async:
            self.limits.append(self._task.async_val)
            return {"ansible_job_id": "j1.2", "results_file": "/jobs/j1.2", "started": True, "finished": False}
        return {"changed": False, "ran": "directly"}

    def _low_level_execute_command(self, command):
        self.commands.append(command)
        if not command.startswith("touch"):
            return {"rc": 0, "stdout": "", "stderr": ""}
        found = self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]
        if isinstance(found, Exception):
            raise found
        return {"rc": 0, "stdout": found}

    def _parse_returned_data(self, res, profile):
        return json.loads(res["stdout"])


class CleanupAction(Action):
    takes_lease_back = cleanup.ActionModule.takes_lease_back


STUB = '{"started": true, "finished": false}'


def seen(status="", result="", alive="unknown"):
    return f"{status}\n--warren.load--\n{result}\n--warren.load--\n{alive}\n"


@pytest.fixture
def screen(monkeypatch):
    """Time that passes only by sleeping, and the lines that were shown."""
    shown: list[str] = []
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    monkeypatch.setattr("time.sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *args: {})
    display = type("Display", (), {"display": staticmethod(shown.append)})
    monkeypatch.setattr(progress, "Display", display)
    return shown


def test_the_result_is_the_module_s_and_nothing_is_left(screen):
    action = Action(
        [
            seen("", STUB),
            seen('{"text": "1 of 2 services created"}', STUB),
            seen('{"text": "2 of 2 services created"}', '{"changed": true, "created": 2, "ansible_job_id": "j1.2"}'),
        ]
    )
    assert action.run() == {"changed": True, "created": 2}
    assert screen == ["create     1 of 2 services created", "create     2 of 2 services created"]
    assert "rm -f /w/status.json" in action.commands[0]
    assert action.commands[-1] == "rm -f /jobs/j1.2"
    assert action.limits == [70]
    assert action._task.async_val == 0


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (seen('{"pid": 7}', STUB, "no"), "its process (7) is gone and left no result"),
        (seen(), "it has said nothing for 60 s"),
        (seen('{"pid": 7}', STUB, "yes"), "there is no result 130 s after its start"),
        (
            seen("", '{"failed": true, "msg": "Timeout exceeded", "child_pid": 3}'),
            "it was killed 60 s after its deadline",
        ),
        (
            seen("", '{"failed": true, "data": "", "stderr": "", "msg": "Traceback (most recent call last)"}'),
            "its process ended (as if it had been killed)",
        ),
        (AnsibleConnectionFailure("gone"), "the host has not answered for 60 s"),
        ("garbage", "the host has not answered for 60 s"),
    ],
)
def test_what_goes_wrong_is_one_sentence(screen, last, reason):
    result = Action([last]).run()
    assert result["failed"]
    assert result["msg"].startswith(f"The phase create ended without a result: {reason}")
    assert "/w/journal.jsonl" in result["msg"]
    assert "\n" not in result["msg"]


def test_a_host_that_is_away_for_a_while_does_no_harm(screen):
    away = AnsibleConnectionFailure("away")
    assert Action([seen("", STUB), *[away] * 50, seen("", '{"changed": true}')]).run() == {"changed": True}


def test_a_module_that_fails_says_so_itself(screen):
    assert Action([seen("", '{"failed": true, "msg": "no leader"}')]).run() == {"failed": True, "msg": "no leader"}


@pytest.mark.parametrize("kind", ["object", "unknown"])
def test_ansible_may_read_results_in_other_ways(screen, kind, monkeypatch):
    action = Action([seen("", '{"changed": true, "_ansible_verbose": 1}')])

    class Parsed:
        if kind == "object":

            def as_result_dict(self, *, for_round_trip):
                return {"changed": for_round_trip}

    monkeypatch.setattr(action, "_parse_returned_data", lambda res, profile: Parsed())
    assert action.run() == {"changed": True}


def test_check_mode_runs_nothing(screen):
    assert Action([""], check=True).run()["skipped"]
    action = Action([""], check=True)
    action.runs_in_check_mode = True
    assert action.run() == {"changed": False, "ran": "directly"}


def test_a_lease_that_was_taken_away_keeps_out_every_phase_but_cleanup(screen, tmp_path, monkeypatch):
    engine = subprocess.Popen(["sleep", "0.2"])
    work = tmp_path / "cleanup"
    work.mkdir()
    (work / "status.json").write_text(json.dumps({"pid": engine.pid}))
    (work / "lease").touch()
    assert lock.end_runs(str(tmp_path), 10) == ["cleanup"]
    engine.wait()
    for action_class, prepared in ((Action, False), (CleanupAction, True)):
        action = action_class([seen("", '{"changed": true}')], args={"work_dir": str(work)})
        play = action._low_level_execute_command

        def really(command, play=play):
            return play(command) if command.startswith("touch") else shell(command)

        monkeypatch.setattr(action, "_low_level_execute_command", really)
        assert ("failed" not in action.run()) is prepared


def test_without_a_work_dir_the_module_itself_complains(screen):
    assert Action([""], args={"deadline": 3}).run() == {"changed": False, "ran": "directly"}


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "killed"])
def test_when_ansible_playbook_ends_the_engine_loses_its_lease(screen, monkeypatch, how):
    action = Action([seen('{"pid": 7}', STUB, "yes")])

    def pause(seconds):
        if how == "killed":
            monkeypatch.setattr("os.getppid", lambda: -1)  # 1 may be the one that there is
        else:
            signal.raise_signal(getattr(signal, how))

    monkeypatch.setattr("time.sleep", pause)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(progress.Ended):
        action.run()
    assert action.commands[-1] == "ln -sfn /w/lease.taken/nowhere /w/lease"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_host_that_cannot_be_reached_is_a_failure(screen, monkeypatch):
    def unreached(*_arguments, **_options):
        raise AnsibleConnectionFailure("no route to\nhost.")

    action = Action([""])
    monkeypatch.setattr(action, "_low_level_execute_command", unreached)
    result = action.run()
    assert result["failed"]
    assert "the host cannot be reached (no route to host); what it had done" in result["msg"]

    plain = progress.ReachingAction.__new__(progress.ReachingAction)
    monkeypatch.setattr(plain, "_execute_module", unreached)
    result = plain.run(task_vars={"inventory_hostname": "generator-1"})
    assert result["failed"]
    assert result["msg"].startswith("generator-1: the host cannot be reached (no route to host).")
