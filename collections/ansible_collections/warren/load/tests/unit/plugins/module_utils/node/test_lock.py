# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import lock as locks
from ansible_collections.warren.load.plugins.module_utils.node import process_table

NOW = 1_795_430_000.0


def lock(run_id: str, pid: int | None = None, expiry: float = 60.0) -> locks.Lock:
    return locks.new_lock("sandbox", run_id, expiry, NOW, os.getpid() if pid is None else pid)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "locks" / "sandbox.json")


def test_a_second_run_is_told_who_holds_the_cluster(path: str) -> None:
    assert locks.acquire(path, lock("one"), NOW) is None
    with pytest.raises(
        locks.Locked, match=r"Cluster sandbox is in use by \S+@\S+:\d+ \(run one, since .* until .*\): wait"
    ):
        locks.acquire(path, lock("two"), NOW + 59)
    assert locks.acquire(path, lock("one"), NOW) is None


def test_an_expired_lock_is_taken_over_with_a_note(path: str) -> None:
    locks.acquire(path, lock("one"), NOW)
    assert locks.acquire(path, lock("two"), NOW + 61) == "The lock of run one was taken over: it expired 1 s ago."


def test_the_lock_of_a_dead_owner_is_taken_over_with_a_note(path: str) -> None:
    owner = subprocess.Popen(["sleep", "60"])
    locks.acquire(path, lock("one", owner.pid), NOW)
    with pytest.raises(locks.Locked):
        locks.acquire(path, lock("two"), NOW)
    owner.kill()
    owner.wait()
    note = locks.acquire(path, lock("two"), NOW)
    assert note is not None
    assert note.endswith("has ended.")


def test_an_owner_on_another_host_is_believed_until_its_time_is_over(path: str) -> None:
    locks.acquire(path, lock("one", 0), NOW)
    with pytest.raises(locks.Locked):
        locks.acquire(path, lock("two"), NOW)


def test_an_owner_on_another_host_is_known_by_its_run_s_lease(path: str, tmp_path: Path) -> None:
    runs = str(tmp_path / "runs")
    locks.acquire(path, lock("one", 0, expiry=9999.0), NOW)
    lease = tmp_path / "runs/one/lease"
    lease.parent.mkdir(parents=True)
    with pytest.raises(locks.Locked):
        locks.acquire(path, lock("two"), NOW + locks.SILENCE, runs)  # it has just begun
    lease.touch()
    os.utime(lease, (NOW + 500, NOW + 500))
    with pytest.raises(locks.Locked):
        locks.release(path, None, NOW + 500 + locks.SILENCE, runs)
    held = locks.read(path)
    assert held is not None
    assert held.stale(NOW + 501 + locks.SILENCE, runs) == f"nothing was heard of its owner {held.owner} for 601 s"
    lease.unlink()
    lease.symlink_to("lease.taken/nowhere")  # its ansible-playbook said that it ended
    assert locks.acquire(path, lock("two"), NOW + 501, runs) is not None


def test_only_the_own_lock_is_given_up(path: str) -> None:
    assert locks.release(path, "one", NOW) is None
    locks.acquire(path, lock("one"), NOW)
    assert locks.release(path, "two", NOW) is None
    assert locks.read(path) is not None
    with pytest.raises(locks.Locked):
        locks.release(path, None, NOW)
    gone = locks.release(path, "one", NOW)
    assert gone is not None
    assert gone[0].run_id == "one"
    assert locks.read(path) is None


def test_cleanup_removes_a_stale_lock_of_any_run(path: str) -> None:
    locks.acquire(path, lock("one"), NOW)
    gone = locks.release(path, None, NOW + 100)
    assert gone is not None
    assert gone[1] == "it expired 40 s ago"


def test_a_broken_lock_binds_nobody(path: str) -> None:
    Path(path).parent.mkdir()
    Path(path).write_text("{")
    assert locks.acquire(path, lock("one"), NOW) is None


def test_a_lock_that_may_not_be_read_is_not_taken_over(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    locks.acquire(path, lock("one"), NOW)

    def guarded(name: str, *arguments: object, **options: object) -> object:
        if name == path:
            raise PermissionError(13, "Permission denied", name)
        return open(name, *arguments, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as other_user:
        other_user.setattr(locks, "open", guarded, raising=False)
        with pytest.raises(PermissionError):
            locks.acquire(path, lock("two"), NOW)
    held = locks.read(path)
    assert held is not None
    assert held.run_id == "one"


def test_engines_that_nobody_waits_for_lose_their_lease(tmp_path: Path) -> None:
    engine = subprocess.Popen(["sleep", "0.5"])
    for run_id, pid in (("alive", engine.pid), ("dead", 4_000_000)):
        (tmp_path / run_id).mkdir()
        (tmp_path / run_id / "status.json").write_text(json.dumps({"pid": pid}))
        (tmp_path / run_id / "lease").touch()
    assert locks.end_runs(str(tmp_path), 10) == ["alive"]
    assert process_table.start_time(engine.pid) is None
    assert not (tmp_path / "alive" / "lease").exists()
    assert (
        subprocess.run(["touch", str(tmp_path / "alive" / "lease")], check=False, capture_output=True).returncode != 0
    )
    assert (tmp_path / "dead" / "lease").exists()
    engine.wait()


def test_engines_beside_a_phase_end_too(tmp_path: Path) -> None:
    """A fault run has one that probes, and one that watches the workers, each in a folder of its own."""
    for name in ("run", "run/probe", "other/recovery"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "lease").touch()
    engines = []
    for name in ("run/probe", "other/recovery"):
        waits = f"while [ -e {tmp_path / name}/lease ]; do sleep 0.1; done"
        engines.append(subprocess.Popen(["sh", "-c", waits]))
        (tmp_path / name / "status.json").write_text(json.dumps({"pid": engines[-1].pid}))
    assert locks.end_runs(str(tmp_path), 10) == ["other", "run"]
    assert [engine.wait(10) for engine in engines] == [0, 0]


def test_there_is_no_controller_above_a_plain_process() -> None:
    assert locks.controller_pid(1) is None


def test_an_engine_that_only_starts_finds_its_lease_gone(tmp_path: Path) -> None:
    (tmp_path / "starting").mkdir()
    (tmp_path / "starting" / "lease").touch()
    assert locks.end_runs(str(tmp_path), 10) == []
    assert os.path.lexists(tmp_path / "starting" / "lease")
    assert not os.path.exists(tmp_path / "starting" / "lease")
