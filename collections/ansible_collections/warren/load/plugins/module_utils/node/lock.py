# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time on a cluster: a lock file that names its owner and ends by itself.

PRIVATE to the collection. Standard library only, Python 3.9 and newer.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import process_table

SILENCE = 600.0  # seconds without a sign of an owner whose process cannot be seen from here; bringing up gives none


@dataclass(frozen=True)
class Lock:
    """A lock file's content; times are seconds since the epoch, owner is user@host:pid of the ansible-playbook."""

    cluster: str
    run_id: str
    owner: str
    pid: int
    pid_start: str
    host: str
    since: float
    expires: float

    def stale(self, now: float, runs_dir: str | None = None) -> str | None:
        """Why the lock binds nobody any more, or None while it does.

        An owner on another host is judged by the lease of its run below ``runs_dir``, where that is given.
        """
        if now > self.expires:
            return f"it expired {int(now - self.expires)} s ago"
        if self.pid and self.host == socket.gethostname():
            ended = process_table.start_time(self.pid) != self.pid_start
            return f"its owner {self.owner} has ended" if ended else None
        if runs_dir is None:
            return None
        lease = os.path.join(runs_dir, self.run_id, "lease")
        if os.path.lexists(lease) and not os.path.exists(lease):
            return f"its owner {self.owner} has ended"
        silent = now - max(self.since, os.stat(lease).st_mtime if os.path.exists(lease) else 0.0)
        return f"nothing was heard of its owner {self.owner} for {int(silent)} s" if silent > SILENCE else None


class Locked(Exception):
    """Somebody else holds the cluster; str() is the sentence for the user."""

    def __init__(self, lock: Lock) -> None:
        since = time.strftime("%H:%M:%S", time.localtime(lock.since))
        until = time.strftime("%H:%M:%S", time.localtime(lock.expires))
        super().__init__(
            f"Cluster {lock.cluster} is in use by {lock.owner} (run {lock.run_id}, since {since}, until {until} at the "
            "latest): wait for it to end, or run the cleanup playbook if it is dead."
        )
        self.lock = lock


def controller_pid(pid: int | None = None) -> int | None:
    """The ansible-playbook above this process, if it is on this host: the top of the row of ansible programs."""
    found = None
    pid = os.getpid() if pid is None else pid
    while pid is not None and pid > 1:
        if any(re.match(r"ansible(-playbook|-runner)?$", os.path.basename(word)) for word in _program(pid)):
            found = pid
        pid = process_table.parent(pid)
    return found


def new_lock(cluster: str, run_id: str, expiry: float, now: float, pid: int | None) -> Lock:
    """A lock owned by this user, on this host, for the controller `pid` (None: its end cannot be seen from here)."""
    host = socket.gethostname()
    owner = f"{_user()}@{host}:{pid or '?'}"
    mark = (process_table.start_time(pid) or "") if pid else ""
    return Lock(cluster, run_id, owner, pid or 0, mark, host, now, now + expiry)


def read(path: str) -> Lock | None:
    """The lock, or None where there is none, or a broken one. OSError: it may bind, but we may not look."""
    try:
        with open(path, encoding="utf-8") as stream:
            raw: Any = json.load(stream)
        return Lock(**raw)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def acquire(path: str, lock: Lock, now: float, runs_dir: str | None = None) -> str | None:
    """Take the lock; returns a note if a stale one of somebody else's was taken over. Raises Locked."""
    with _guard(path):
        held = read(path)
        note = None
        if held is not None and held.run_id != lock.run_id:
            reason = held.stale(now, runs_dir)
            if reason is None:
                raise Locked(held)
            note = f"The lock of run {held.run_id} was taken over: {reason}."
        with open(path + ".new", "w", encoding="utf-8") as stream:
            json.dump(asdict(lock), stream)
        os.replace(path + ".new", path)
        return note


def release(path: str, run_id: str | None, now: float, runs_dir: str | None = None) -> tuple[Lock, str] | None:
    """Give up the lock of `run_id`, or, with None, whatever stale lock is there; returns what was removed, and why.

    With None, raises Locked if the lock is in use.
    """
    if not os.path.isdir(os.path.dirname(path)):
        return None
    with _guard(path):
        held = read(path)
        if held is None:
            return None
        reason = held.stale(now, runs_dir)
        if run_id is None and reason is None:
            raise Locked(held)
        if run_id is not None and held.run_id != run_id:
            return None
        os.unlink(path)
        return held, reason or "its run gave it up"


def end_runs(runs_dir: str, patience: float) -> list[str]:
    """Make the engines of runs that nobody waits for any more stop, by taking away their lease; returns the runs' ids.

    Call it only when no run holds the lock. Waits up to `patience` seconds for the engines to be gone.
    """
    waiting, ended = {}, []
    for run_id in sorted(os.listdir(runs_dir)) if os.path.isdir(runs_dir) else []:
        for folder in _work_folders(os.path.join(runs_dir, run_id)):
            status, lease = os.path.join(folder, "status.json"), os.path.join(folder, "lease")
            pid = _engine(status)
            if pid is not None:
                waiting[pid] = process_table.start_time(pid)
                ended.append(run_id)
            # An engine that only starts has not said anything yet.
            if pid is not None or (os.path.isfile(lease) and not os.path.exists(status)):
                _take_lease(lease)
    deadline = time.monotonic() + patience
    while any(process_table.start_time(pid) == mark for pid, mark in waiting.items()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return list(dict.fromkeys(ended))


def _work_folders(run: str) -> list[str]:
    """A run's own folder, and those below it of the engines that run beside its phases."""
    try:
        return [run, *sorted(entry.path for entry in os.scandir(run) if entry.is_dir(follow_symlinks=False))]
    except OSError:
        return []


def _engine(status_file: str) -> int | None:
    """The pid of an engine that still writes its status; None if it has ended."""
    try:
        with open(status_file, encoding="utf-8") as stream:
            pid = int(json.load(stream)["pid"])
        fresh = time.time() - os.stat(status_file).st_mtime < 120
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if fresh and process_table.start_time(pid) is not None else None


def _take_lease(path: str) -> None:
    """A lease that is gone and that a worker of a killed ansible-playbook cannot renew by touching it."""
    part = f"{path}.{os.getpid()}"
    os.symlink(os.path.join(path + ".taken", "nowhere"), part)
    os.replace(part, path)


@contextmanager
def _guard(path: str) -> Iterator[None]:
    """Two takers at once wait for each other; the kernel drops the guard of a dead one."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path + ".guard", "w", encoding="utf-8") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _program(pid: int) -> list[str]:
    return process_table.command_line(pid)[:2]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
