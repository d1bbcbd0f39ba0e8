# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on processes that these tests start, done and undone by real watchdogs."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import (
    fault_kinds,
    faults,
    process_table,
    standalone,
    supervision,
)
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import Ask, FaultError

pytestmark = pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")

RUN = "20261124-000000-aaaa"


@pytest.fixture
def sleeper(tmp_path):
    """A supervised process; its pid file."""
    pid_file = str(tmp_path / "node/pid.json")
    code = "import time; print('ready', flush=True); time.sleep(300)"
    supervision.start(
        supervision.Program(
            "manager-1",
            [sys.executable, "-c", code],
            pid_file,
            str(tmp_path / "node/log"),
            ready_pattern="^ready$",
        )
    )
    yield pid_file
    supervision.stop(pid_file, 0.1)


class Counted(fault_kinds.Kind):
    """Does nothing, and knows how often; undoing it fails ``failures`` times."""

    def __init__(self, failures=0):
        self.failures, self.done = failures, []

    def refusal(self, ask):
        return None

    def prepare(self, ask):
        return {}

    def apply(self, plan):
        self.done.append("applied")

    def undo(self, plan):
        self.done.append("undone")
        if self.done.count("undone") <= self.failures:
            raise FaultError("Not yet.")
        return "all is well"


@pytest.fixture
def counted(monkeypatch):
    """A kind of fault that is seen at work in this process."""
    kind = Counted()
    monkeypatch.setitem(fault_kinds.KINDS, "counted", lambda: kind)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return kind


@pytest.fixture
def full_disk(monkeypatch):
    """From when it is called, nothing can be recorded; called again with False, it can."""
    write = faults._write

    def fill(is_full=True):
        monkeypatch.setattr(faults, "_write", refuse if is_full else write)

    def refuse(own, state):
        raise no_space(f"{own}/fault.json")

    return fill


def no_space(path=None):
    return OSError(errno.ENOSPC, "No space left on device", path)


def recorded(place, fault_id="one"):
    """A fault of kind counted that is to begin; its folder."""
    own = os.path.join(place, fault_id)
    os.makedirs(own)
    state = faults.State(fault_id, "counted", "manager-1", RUN, {}, seconds=0.05, lease=0.0, boot=faults._boot())
    faults._write(own, state)
    Path(own, "lease").touch()
    return own


@pytest.fixture
def place(tmp_path):
    """A folder of faults that nobody has to undo."""
    return str(tmp_path / "faults")


@pytest.fixture
def folder(tmp_path):
    yield str(tmp_path / "faults")
    faults.undo(str(tmp_path / "faults"))


def ask(pid_file, kind="pause", **more):
    return Ask(kind, "manager-1", pid_file=pid_file, **more)


def arm(folder, asked, *, seconds=60.0, lease=0.0, fault_id="one", run_id=RUN, **more):
    return faults.arm(folder, fault_id, asked, run_id, seconds=seconds, lease=lease, **more)


def pid_of(pid_file):
    return supervision.read_record(pid_file).pid


def stopped(pid_file):
    status = Path(f"/proc/{pid_of(pid_file)}/stat").read_text(encoding="utf-8")
    return status.rpartition(")")[2].split()[0] == "T"


def until(condition, patience=20.0):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


def undone(folder, fault_id="one"):
    until(lambda: not faults.read(os.path.join(folder, fault_id)).going)
    return faults.read(os.path.join(folder, fault_id))


def test_a_process_is_paused_and_goes_on_when_told(folder, sleeper):
    state, done = arm(folder, ask(sleeper))
    assert (done, state.state, state.plan["pid"]) == (True, "active", pid_of(sleeper))
    assert stopped(sleeper)
    assert faults.watchdog_runs(folder, "one")
    watchdog = supervision.running_record(f"{folder}/one/pid.json")
    assert os.getsid(watchdog.pid) == watchdog.pid  # a session of its own
    (after,) = faults.undo(folder, RUN)
    assert not stopped(sleeper)
    assert (after.state, after.undone_by, after.outcome) == ("undone", "told", "manager-1 goes on")
    assert after.ended >= after.began >= state.armed
    assert not faults.watchdog_runs(folder, "one")
    assert faults.undo(folder) == []  # and again, to no effect


def test_the_record_is_for_its_owner_alone_and_holds_what_undoing_needs(folder, sleeper):
    arm(folder, ask(sleeper))
    path = Path(folder, "one/fault.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["plan"]["start_time"] == process_table.start_time(record["plan"]["pid"])


def test_clusters_of_one_host_have_watchdogs_of_their_own(tmp_path, monkeypatch):
    """systemd ends what had the name of a unit before."""
    units = []

    def start(program):
        units.append(program.unit)
        raise supervision.SupervisionError("not today")

    monkeypatch.setattr(supervision, "start", start)
    for cluster in ("blue", "green", "blue"):
        with pytest.raises(FaultError):
            arm(str(tmp_path / cluster), Ask("memory_pressure", "manager-1", memory=1))
    assert all(unit.startswith("warren-load-fault-one-") for unit in units)
    assert units[0] == units[2] != units[1]


def test_it_is_undone_at_its_deadline_with_nobody_there(folder, sleeper):
    arm(folder, ask(sleeper), seconds=0.5)
    state = undone(folder)
    assert (state.undone_by, stopped(sleeper)) == ("deadline", False)
    assert state.ended - state.began >= 0.5


def test_it_is_undone_when_nobody_renews_it(folder, sleeper):
    arm(folder, ask(sleeper), lease=1.0)
    for _turn in range(6):  # longer than the lease
        time.sleep(0.25)
        assert [state.id for state in faults.renew(folder, RUN)] == ["one"]
    assert faults.read(f"{folder}/one").going
    assert undone(folder).undone_by == "lease"
    assert not stopped(sleeper)
    assert faults.renew(folder, RUN) == []


def test_a_lease_does_not_mind_a_clock_that_goes_wrong(folder, sleeper):
    arm(folder, ask(sleeper), lease=5.0)
    os.utime(f"{folder}/one/lease", (1.0, 1.0))
    time.sleep(0.5)
    assert stopped(sleeper)


def test_it_is_undone_when_its_folder_is_removed(folder, sleeper):
    arm(folder, ask(sleeper))
    supervision.remove([f"{folder}/one"])
    until(lambda: not stopped(sleeper))


def test_it_outlives_the_task_that_armed_it(folder, sleeper):
    code = (
        "import sys, time; from ansible_collections.warren.load.plugins.module_utils.node import fault_kinds, faults\n"
        f"faults.arm({folder!r}, 'one', fault_kinds.Ask('pause', 'manager-1', pid_file={sleeper!r}), {RUN!r}, "
        "seconds=1.5, lease=0)\nprint('armed', flush=True)\ntime.sleep(60)"
    )
    collections = str(Path(faults.__file__).parents[6])
    task = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": collections},
    )
    try:
        assert task.stdout.readline() == "armed\n"
    finally:
        os.killpg(task.pid, signal.SIGKILL)
        task.wait()
        task.stdout.close()
    assert stopped(sleeper)
    assert undone(folder).undone_by == "deadline"
    assert not stopped(sleeper)


def test_the_fault_of_a_watchdog_that_was_killed_is_undone_from_its_record(folder, sleeper):
    arm(folder, ask(sleeper))
    os.kill(supervision.read_record(f"{folder}/one/pid.json").pid, signal.SIGKILL)
    until(lambda: not faults.watchdog_runs(folder, "one"))
    assert stopped(sleeper)
    (state,) = faults.undo(folder)
    assert (state.state, state.undone_by, stopped(sleeper)) == ("undone", "cleanup", False)


def test_a_fault_from_before_a_restart_of_the_host_is_over(folder, sleeper, monkeypatch):
    arm(folder, ask(sleeper))
    os.kill(supervision.read_record(f"{folder}/one/pid.json").pid, signal.SIGKILL)
    until(lambda: not faults.watchdog_runs(folder, "one"))
    monkeypatch.setattr(faults, "_boot", lambda: "another")
    assert faults.undo(folder)[0].undone_by == "restart"
    assert stopped(sleeper)  # nothing was done: what the record names belongs to another boot
    os.kill(pid_of(sleeper), signal.SIGCONT)


def test_a_killed_process_stays_dead(folder, sleeper):
    state, _done = arm(folder, ask(sleeper, "kill"))
    until(lambda: supervision.running_record(sleeper) is None)
    assert state.state == "active"
    assert faults.undo(folder)[0].outcome == "nothing brings manager-1 back but a new start"


def test_two_faults_at_once_are_a_sentence_unless_asked_for(folder, sleeper):
    arm(folder, ask(sleeper))
    with pytest.raises(FaultError, match=r"^Two fault runs at once: fault pause of manager-1 .* cleanup, or set "):
        arm(folder, ask(sleeper, "kill"), fault_id="two", run_id="20261124-000000-bbbb")
    assert supervision.running_record(sleeper)
    assert arm(folder, ask(sleeper))[1] is False  # the very same
    _state, done = arm(folder, Ask("memory_pressure", "manager-1", memory=1), fault_id="two", together=True)
    assert done
    assert [state.id for state in faults.undo(folder)] == ["one", "two"]


def test_who_arms_waits_for_who_arms(folder):
    """Between the look for other faults and the record of its own nobody else looks."""
    done = []
    os.makedirs(folder)
    with open(os.path.join(folder, "guard"), "w", encoding="utf-8") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        other = threading.Thread(target=lambda: done.append(arm(folder, Ask("memory_pressure", "manager-1", memory=1))))
        other.start()
        time.sleep(0.5)
        assert faults.states(folder) == []
    other.join(20)
    assert [state.state for state, _did in done] == ["active"]


def test_after_one_is_undone_there_may_be_another(folder, sleeper):
    arm(folder, ask(sleeper))
    faults.undo(folder)
    assert arm(folder, ask(sleeper))[1] is True


def test_only_what_a_run_did_is_undone_for_it(folder, sleeper):
    arm(folder, ask(sleeper))
    assert faults.undo(folder, "20261124-000000-bbbb") == []
    assert faults.undo(folder, RUN, "two") == []
    assert stopped(sleeper)


def rewritten(pid_file, **changes):
    raw = json.loads(Path(pid_file).read_text(encoding="utf-8"))
    Path(pid_file).write_text(json.dumps(raw | changes), encoding="utf-8")


def test_no_such_process_is_a_sentence(folder, sleeper, tmp_path):
    with pytest.raises(FaultError, match=r"^No such process: nothing is recorded of manager-1 in .*cluster-up"):
        arm(folder, ask(str(tmp_path / "none.json")))
    supervision.stop(sleeper, 0.1)
    Path(sleeper).write_text(
        json.dumps({"name": "manager-1", "pid": 2**22 + 1, "start_time": "1", "argv_sha256": ""}), encoding="utf-8"
    )
    with pytest.raises(FaultError, match=r"^No such process: manager-1 \(process 4194305\) has ended"):
        arm(folder, ask(sleeper))


def test_a_changed_pid_is_a_sentence_and_nobody_is_hit(folder, sleeper):
    with pytest.raises(FaultError, match=r"^The pid changed: manager-1 was process 1 when it was chosen"):
        arm(folder, ask(sleeper, pid=1))
    pid = pid_of(sleeper)
    real = supervision.read_record(sleeper).start_time
    rewritten(sleeper, start_time="1")  # as if the number had gone to another process
    with pytest.raises(FaultError, match=f"^The pid changed: process {pid} is no longer manager-1"):
        arm(folder, ask(sleeper, "kill"))
    assert process_table.start_time(pid) == real
    rewritten(sleeper, start_time=real)
    assert faults.states(folder) == []


def test_a_process_that_ends_before_the_fault_is_a_sentence(folder, sleeper, monkeypatch):
    prepare = fault_kinds.Pause.prepare

    def late(self, asked):
        plan = prepare(self, asked)
        os.kill(plan["pid"], signal.SIGKILL)
        until(lambda: process_table.start_time(plan["pid"]) is None)
        return plan

    monkeypatch.setattr(fault_kinds.Pause, "prepare", late)
    with pytest.raises(FaultError, match=r"^No such process: manager-1 .* ended before the fault"):
        arm(folder, ask(sleeper))
    assert faults.read(f"{folder}/one").state == "failed"
    assert not faults.watchdog_runs(folder, "one")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seconds": 0}, "^seconds is 0: "),
        ({"seconds": 4000}, "^seconds is 4000: "),
        ({"lease": -1}, "^lease is -1: "),
        ({"fault_id": "../up"}, "^id: '../up' is no name of a folder"),
    ],
)
def test_wrong_use(folder, sleeper, options, sentence):
    with pytest.raises(FaultError, match=sentence):
        arm(folder, ask(sleeper), **options)


def test_memory_is_held_and_given_back(folder):
    state, _done = arm(folder, Ask("memory_pressure", "worker-1", memory=48))
    watchdog = supervision.running_record(f"{folder}/one/pid.json")
    assert process_table.usage(watchdog.pid).rss > 48 << 20
    assert state.state == "active"
    (undone,) = faults.undo(folder)
    assert (undone.outcome, undone.undone_by) == ("the memory of worker-1 is free again", "told")
    assert process_table.start_time(watchdog.pid) is None


def test_an_undo_that_fails_is_said_and_can_be_tried_again(folder, sleeper, monkeypatch):
    arm(folder, ask(sleeper))
    os.kill(supervision.read_record(f"{folder}/one/pid.json").pid, signal.SIGKILL)
    until(lambda: not faults.watchdog_runs(folder, "one"))

    def refuse(*_arguments):
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(fault_kinds, "send", refuse)
        with pytest.raises(FaultError, match=r"^Fault pause of manager-1: Operation not permitted"):
            faults.undo(folder)
    assert faults.read(f"{folder}/one").going
    assert faults.undo(folder)[0].error == ""
    assert not stopped(sleeper)


# --- a full disk ------------------------------------------------------------------------------------------------------


def test_a_full_disk_keeps_no_fault_from_its_end(place, counted, full_disk, monkeypatch):
    watchdog = faults.Watchdog(recorded(place))
    apply = counted.apply
    monkeypatch.setattr(counted, "apply", lambda plan: (apply(plan), full_disk()))
    watchdog.run()
    assert counted.done == ["applied", "undone"]
    assert (watchdog.state.state, watchdog.state.undone_by) == ("undone", "deadline")
    # It could not be recorded, so cleanup undoes it again.
    assert faults.read(f"{place}/one").going
    full_disk(False)
    (state,) = faults.undo(place)
    assert (state.state, state.undone_by, state.outcome) == ("undone", "cleanup", "all is well")
    assert not faults.read(f"{place}/one").going


def test_who_cannot_say_that_the_fault_is_done_undoes_it(place, counted, monkeypatch):
    class Full(io.StringIO):
        def flush(self):
            raise no_space()

    watchdog = faults.Watchdog(recorded(place))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Full())
        with pytest.raises(FaultError, match=r"^Fault counted of manager-1: No space left on device\."):
            watchdog.run()
    assert counted.done == ["applied", "undone"]
    assert faults.read(f"{place}/one").state == "failed"


def test_an_undo_that_fails_is_tried_again_on_a_full_disk(place, counted, full_disk, monkeypatch):
    counted.failures = 3
    watchdog = faults.Watchdog(recorded(place))
    monkeypatch.setattr(watchdog, "_wait", lambda: full_disk() or "told")
    watchdog.run()
    assert counted.done == ["applied", *["undone"] * 4]
    assert watchdog.state.error == ""


def test_whatever_ends_the_wait_the_fault_is_undone(place, counted, monkeypatch):
    watchdog = faults.Watchdog(recorded(place))

    def fail():
        raise KeyError("never thought of")

    monkeypatch.setattr(watchdog, "_mark", fail)
    with pytest.raises(KeyError):
        watchdog.run()
    assert counted.done == ["applied", "undone"]


def test_a_full_disk_keeps_cleanup_from_no_other_fault(place, counted, full_disk):
    recorded(place, "one")
    recorded(place, "two")
    full_disk()
    with pytest.raises(FaultError, match=r"^Fault counted of manager-1: No space left on device \(.*/fault.json\)"):
        faults.undo(place)
    assert counted.done == ["undone", "undone"]


def test_what_cannot_be_armed_for_want_of_space_is_no_fault(place, counted, monkeypatch):
    def refuse(modules):
        raise no_space()

    monkeypatch.setattr(standalone, "archive", refuse)
    with pytest.raises(OSError, match="No space left"):
        arm(place, Ask("counted", "manager-1"))
    assert faults.states(place) == []


@pytest.mark.parametrize("error", [no_space("pid.json"), supervision.SupervisionError("Not ready.")])
def test_a_watchdog_that_does_not_start_leaves_nothing(place, counted, monkeypatch, error):
    def refuse(program):
        raise error

    monkeypatch.setattr(supervision, "start", refuse)
    with pytest.raises((OSError, FaultError), match=r"No space left|Nothing was done to manager-1"):
        arm(place, Ask("counted", "manager-1"))
    assert counted.done == ["undone"]
    assert faults.read(f"{place}/one").state == "failed"


def test_a_fault_that_stays_after_a_failed_start_is_said(place, counted, monkeypatch):
    counted.failures = 1

    def refuse(program):
        raise supervision.SupervisionError("Not ready.")

    monkeypatch.setattr(supervision, "start", refuse)
    with pytest.raises(FaultError, match=r"^Not yet\.$"):
        arm(place, Ask("counted", "manager-1"))
    assert faults.read(f"{place}/one").going
