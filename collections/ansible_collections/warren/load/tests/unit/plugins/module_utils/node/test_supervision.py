# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import ports, process_table, supervision
from ansible_collections.warren.load.plugins.module_utils.node.supervision import Program, SupervisionError

SLEEP = "print('I am ready', flush=True); time.sleep(60)"
READY = f"import signal, time; signal.signal(signal.SIGTERM, lambda *a: exit(0)); {SLEEP}"
DEAF = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def program(folder: Path, code: str = READY, **more: Any) -> Program:
    options: dict[str, Any] = {"ready_pattern": "^I am ready$", "ready_timeout": 20.0, **more}
    return Program("node", [sys.executable, "-c", code], str(folder / "n/pid.json"), str(folder / "n/log"), **options)


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    yield tmp_path
    supervision.stop(str(tmp_path / "n/pid.json"), 0.1)


def test_a_program_is_started_found_again_and_stopped(folder: Path) -> None:
    started, _seconds = supervision.start(program(folder, labels={"role": "manager"}))
    found = supervision.running_record(str(folder / "n/pid.json"))
    assert found == started
    assert found is not None
    assert found.labels == {"role": "manager"}
    assert os.getsid(found.pid) == found.pid  # outlives whoever started it
    assert supervision.stop(str(folder / "n/pid.json"), 20) == (True, False)
    assert supervision.running_record(str(folder / "n/pid.json")) is None
    assert not (folder / "n/pid.json").exists()


def test_a_program_that_does_not_obey_is_killed(folder: Path) -> None:
    supervision.start(program(folder, DEAF))
    assert supervision.stop(str(folder / "n/pid.json"), 0.1) == (True, True)


def test_a_program_that_ends_at_once_is_a_sentence_with_its_last_words(folder: Path) -> None:
    token = "ab" * 32
    with pytest.raises(SupervisionError, match="ended with exit code 3 before it was ready") as caught:
        supervision.start(
            program(folder, f"print('I am ready'); print('{token}'); exit(3)", ready_ports=["127.0.0.1:1"])
        )
    assert caught.value.log_tail == ["I am ready", "********"]
    assert not (folder / "n/pid.json").exists()


def test_a_program_that_is_never_ready_is_ended(folder: Path) -> None:
    with pytest.raises(SupervisionError, match=r"was not ready after 0\.2 s: its log does not show"):
        supervision.start(program(folder, "import time; time.sleep(60)", ready_timeout=0.2))
    assert supervision.running_record(str(folder / "n/pid.json")) is None


def test_a_port_in_use_is_refused_before_anything_starts(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(SupervisionError, match=f"listens on {port} already"):
            supervision.start(program(folder, ready_ports=[port]))
    assert not (folder / "n").exists()


def test_a_missing_program_is_a_sentence(folder: Path) -> None:
    wanted = program(folder)
    wanted.argv = ["/nowhere/warren"]
    with pytest.raises(SupervisionError, match="node cannot start: /nowhere/warren: No such file or directory"):
        supervision.start(wanted)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"ready_pattern": "(ready"}, r"ready_pattern: '\(ready' is not a regular expression"),
        ({"ready_ports": ["127.0.0.1:http"]}, "ready_ports: '127.0.0.1:http' is not an address"),
        ({"ready_ports": ["127.0.0.1:0"]}, "ready_ports: '127.0.0.1:0' is not an address"),
    ],
)
def test_what_cannot_say_ready_is_refused_before_anything_starts(folder: Path, more: dict[str, Any], says: str) -> None:
    with pytest.raises(SupervisionError, match=says):
        supervision.start(program(folder, **more))
    assert not (folder / "n").exists()


def test_a_program_whose_pid_file_cannot_be_written_does_not_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def full(_path: str, record: supervision.Record) -> None:
        started.append(record)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(supervision, "_write_record", full)
    with pytest.raises(OSError, match=r"No space left"):
        supervision.start(program(folder))
    assert [record.running for record in started] == [False]


def test_a_program_that_survives_sigkill_is_not_said_to_be_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervision.start(program(folder))
    with monkeypatch.context() as deaf:
        deaf.setattr(supervision, "_signal", lambda *_what, **_how: None)
        deaf.setattr(supervision, "POLL", 0.001)
        with pytest.raises(SupervisionError, match=r"node cannot be stopped: process [0-9]+ goes on after SIGKILL"):
            supervision.stop(str(folder / "n/pid.json"), 0.0)
    assert supervision.running_record(str(folder / "n/pid.json")) is not None


def test_what_cannot_be_wiped_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()

    def refuse(path: str, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(PermissionError):
        supervision.remove([str(tmp_path / "data")])


def test_a_pid_that_was_given_to_another_process_does_not_run(tmp_path: Path) -> None:
    own = {"name": "x", "pid": os.getpid(), "argv_sha256": "", "labels": {}}
    file = tmp_path / "pid.json"
    file.write_text(json.dumps({**own, "start_time": process_table.start_time(os.getpid())}))
    assert supervision.running_record(str(file)) is not None
    file.write_text(json.dumps({**own, "start_time": "1"}))
    assert supervision.running_record(str(file)) is None
    assert supervision.stop(str(file), 0.1) == (False, False)


@pytest.mark.parametrize(
    "content", ["", "[]", "null", '{"pid": 1}', '{"name": "x", "pid": "y", "start_time": 1, "argv_sha256": ""}']
)
def test_a_broken_pid_file_names_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "pid.json").write_text(content)
    assert supervision.read_record(str(tmp_path / "pid.json")) is None


@pytest.mark.parametrize("path", ["", "..", "../other", "/", "n/../.."])
def test_only_the_nodes_own_directory_can_be_wiped(tmp_path: Path, path: str) -> None:
    with pytest.raises(SupervisionError, match="does not lie in"):
        supervision.check_wipe(str(tmp_path / "n/pid.json"), [str(tmp_path / path)])
    supervision.check_wipe(str(tmp_path / "n/pid.json"), [str(tmp_path / "n"), str(tmp_path / "n/data")])


def test_wiping_goes_before_the_start_and_the_old_log_is_kept(folder: Path) -> None:
    (folder / "n/data").mkdir(parents=True)
    (folder / "n/log").write_text("old")
    supervision.start(program(folder, wipe=[str(folder / "n/data")], directories=[str(folder / "n/home")]))
    assert not (folder / "n/data").exists()
    assert (folder / "n/home").stat().st_mode & 0o777 == 0o700
    assert (folder / "n/log.1").read_text() == "old"
    assert (folder / "n/log").stat().st_mode & 0o777 == 0o600


def test_the_fingerprint_tells_argv_and_identity_apart(tmp_path: Path) -> None:
    prints = {
        program(tmp_path).fingerprint(),
        program(tmp_path, "other").fingerprint(),
        program(tmp_path, identity="7").fingerprint(),
    }
    assert len(prints) == 3
    # What a load test asks for in the environment is no reason to start a cluster anew.
    for same in (program(tmp_path, labels={"a": "b"}), program(tmp_path, environment={"GODEBUG": "x"})):
        assert same.fingerprint() == program(tmp_path).fingerprint()


def test_a_start_on_what_an_earlier_one_left_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    program = supervision.Program(
        "p", ["sleep", "60"], str(tmp_path / "pid.json"), str(tmp_path / "log"), unused=[str(tmp_path / "data")]
    )
    with pytest.raises(supervision.SupervisionError, match=r"cannot start again on what .*/data: .*-e wipe=true"):
        supervision.start(program)
    assert (tmp_path / "data").is_dir()
    assert not (tmp_path / "pid.json").exists()


def test_a_start_that_fails_leaves_no_used_data(tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/data; exit 3"
    program = supervision.Program(
        "p", ["sh", "-c", script], str(tmp_path / "pid.json"), str(tmp_path / "log"), unused=[str(tmp_path / "data")]
    )
    program.ready_pattern = "never"
    with pytest.raises(supervision.SupervisionError, match="exit code 3"):
        supervision.start(program)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "[::]"])
@pytest.mark.parametrize("kind", ["", "udp:"])
def test_a_port_that_must_be_free_is_taken(tmp_path: Path, host: str, kind: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if kind else socket.SOCK_STREAM) as taken:
        taken.bind((host.strip("[]"), 0))
        if not kind:
            taken.listen()
        port = f"{kind}127.0.0.1:{taken.getsockname()[1]}"
        program = supervision.Program(
            "p", ["sleep", "60"], str(tmp_path / "pid.json"), str(tmp_path / "log"), free_ports=[port]
        )
        who = rf"p cannot start: \S+ \(process {os.getpid()}\) listens on {port} already; stop it, or "
        with pytest.raises(supervision.SupervisionError, match=who + "choose other ports"):
            supervision.start(program)
        program.port_remedies = {port: "set warren_load_raft_address"}
        with pytest.raises(supervision.SupervisionError, match=who + "set warren_load_raft_address"):
            supervision.start(program)
    assert not ports.taken(port)


def test_an_address_that_is_not_ours_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ports.taken("192.0.2.1:8080")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(process_table, "pids", list)
        assert ports.owner(f"127.0.0.1:{taken.getsockname()[1]}") == "another program"


def test_what_is_named_twice_is_removed_once(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", tmp_path / "log"
    (folder / "inner").mkdir(parents=True)
    file.write_text("x")
    supervision.remove([str(folder), str(file), str(folder), str(folder / "inner"), str(file), str(tmp_path / "none")])
    assert list(tmp_path.iterdir()) == []
