# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transient units: by what systemd 252 was seen to answer, and on a real one where one runs this host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import process_table, supervision, systemd
from ansible_collections.warren.load.plugins.module_utils.node.supervision import Program, SupervisionError

Answers = Callable[..., list[list[str]]]
ABSENT = "MainPID=0\nExecMainStatus=0\nActiveState=inactive\n"
KILLED = "MainPID=0\nExecMainStatus=9\nActiveState=failed\n"
FAILED = "MainPID=0\nExecMainStatus=3\nActiveState=failed\n"
NO_FOLDER = "MainPID=0\nExecMainStatus=200\nActiveState=failed\n"
TAKEN = "Failed to start transient service unit: Unit a1.service was already loaded or has a fragment file.\n"
NOT_LOADED = "Failed to stop a1.service: Unit a1.service not loaded.\n"


def running(pid: int) -> str:
    return f"MainPID={pid}\nExecMainStatus=0\nActiveState=active\n"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Has systemd-run and `systemctl show` answer in turn what was recorded; returns what was asked."""

    def replay(run: tuple[int, str], *shown: str) -> list[list[str]]:
        asked: list[list[str]] = []
        left = list(shown)

        def answer(words: list[str]) -> subprocess.CompletedProcess[str]:
            asked.append(words)
            if words[0] == "systemd-run":
                return subprocess.CompletedProcess(words, run[0], "", run[1])
            if words[1] == "show":
                return subprocess.CompletedProcess(words, 0, left.pop(0) if len(left) > 1 else left[0], "")
            return subprocess.CompletedProcess(words, 5, "", NOT_LOADED)

        monkeypatch.setattr(systemd, "_run", answer)
        return asked

    return replay


def test_a_unit_is_started_and_named(answers: Answers) -> None:
    asked = answers((0, ""), running(os.getpid()))
    assert systemd.start("a1", "/d/pid.json.start", "manager-1", "/d", 10.0) == os.getpid()
    assert [words[:2] for words in asked[:2]] == [["systemctl", "stop"], ["systemctl", "reset-failed"]]
    (words,) = [words for words in asked if words[0] == "systemd-run"]
    assert {"--unit=a1", "--service-type=exec", "--property=Restart=no", "--property=KillMode=control-group"} <= set(
        words
    )
    assert {"--property=TimeoutStopSec=10", "--working-directory=/d"} <= set(words)
    assert words[-2:] == ["/bin/sh", "/d/pid.json.start"]


@pytest.mark.parametrize(
    ("run", "shown", "sentence", "code"),
    [
        ((1, TAKEN), [running(1)], "systemd: Failed to start transient service unit: Unit a1.service was already", 1),
        ((1, ""), [FAILED], "it ended with exit code 3 at once", 3),
        ((1, ""), [NO_FOLDER], "it ended with exit code 200 at once", 200),
        ((1, ""), [ABSENT], "systemd: systemd-run ended with exit code 1", 1),
        ((0, ""), [FAILED], "it ended with exit code 3 at once", 3),
        ((0, ""), [ABSENT], "it ended with exit code 0 at once", 0),
        ((0, ""), [KILLED], "it ended with exit code 9 at once", 9),
    ],
)
def test_what_does_not_start_is_a_sentence(
    answers: Answers, run: tuple[int, str], shown: list[str], sentence: str, code: int
) -> None:
    answers(run, *shown)
    with pytest.raises(systemd.SystemdError) as caught:
        systemd.start("a1", "/d/x.start", "manager-1", None, 10.0)
    assert str(caught.value).startswith(sentence)
    assert caught.value.returncode == code


def test_exit_codes(answers: Answers) -> None:
    for shown, code in ((running(7), None), (FAILED, 3), (ABSENT, 0), (KILLED, 9)):
        answers((0, ""), shown)
        assert systemd.exit_code("a1") == code


def test_a_host_whose_systemd_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(systemd.SystemdError, match="systemctl did not work"):
        systemd.exit_code("a1")


def test_secrets_stand_in_no_unit(tmp_path: Path, answers: Answers) -> None:
    asked = answers((0, ""), running(os.getpid()))
    pid_file = tmp_path / "pid.json"
    program = Program("p", ["warren", "--token", "s3cret 'x'"], str(pid_file), str(tmp_path / "log"), unit="a1")
    program.environment = {"HOME": "/d/a home"}
    started = supervision._Unit(program)
    assert started.pid == os.getpid()
    assert "s3cret" not in json.dumps(asked)
    assert not (tmp_path / "pid.json.start").exists()
    script = systemd.start_script(program.argv, program.environment, str(tmp_path / "log"))
    assert script.splitlines() == [
        "#!/bin/sh",
        "export HOME='/d/a home'",
        f"""exec warren --token 's3cret '"'"'x'"'"'' >>{tmp_path}/log 2>&1""",
    ]


# --- a real systemd ---------------------------------------------------------------------------------------------------

real = pytest.mark.skipif(not systemd.usable(), reason="no systemd runs this host, or we are not root")


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Callable[[str], Program]]:
    """Programs that are units, and are gone afterwards."""
    name = f"warren-load-test-{os.getpid()}"

    def make(code: str) -> Program:
        return Program(
            "node",
            [sys.executable, "-c", code],
            str(tmp_path / "n/pid.json"),
            str(tmp_path / "n/log"),
            environment={"HOME": str(tmp_path)},
            unit=name,
            ready_pattern="^ready",
            ready_timeout=10,
            stop_timeout=2,
        )

    yield make
    systemd.forget(name)


ENDLESS = "import os, time; print('ready', os.environ['HOME'], flush=True); time.sleep(600)"


@real
def test_a_real_unit(tmp_path: Path, unit: Callable[[str], Program]) -> None:
    program = unit(ENDLESS)
    record, _seconds = supervision.start(program)
    assert (record.unit, process_table.command_line(record.pid)[-1]) == (program.unit, ENDLESS)
    assert (tmp_path / "n/log").read_text() == f"ready {tmp_path}\n"
    assert systemd.exit_code(program.unit) is None
    assert supervision.running_record(program.pid_file) == record
    assert supervision.stop(program.pid_file, 2.0) == (True, False)
    assert not record.running
    # A second one gets the name again, also after a crash.
    record, _seconds = supervision.start(program)
    os.kill(record.pid, 9)
    end = time.monotonic() + 5
    while record.running and time.monotonic() < end:
        time.sleep(0.02)
    assert supervision.running_record(program.pid_file) is None
    record, _seconds = supervision.start(program)
    assert supervision.stop(program.pid_file, 2.0) == (True, False)


@real
@pytest.mark.parametrize(
    ("code", "said"), [("exit(3)", "exit code 3"), ("import time; time.sleep(0.3)", "exit code 0")]
)
def test_a_real_unit_that_ends(tmp_path: Path, unit: Callable[[str], Program], code: str, said: str) -> None:
    with pytest.raises(SupervisionError, match=said) as caught:
        supervision.start(unit(f"print('last words', flush=True); {code}"))
    assert caught.value.log_tail == ["last words"]
    assert not (tmp_path / "n/pid.json").exists()
