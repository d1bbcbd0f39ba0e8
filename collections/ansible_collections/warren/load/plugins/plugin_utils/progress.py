# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module on its host and show live how far it is.

Modules cannot print, and ``async`` with ``poll`` says only that a job still runs. So the action plugin starts the
module of its own name asynchronously, and then looks about once a second, with one shell command, at the engine's
``status.json`` and at the job's result. The same command renews the lease without which the engine stops: neither
Ctrl-C nor the death of this process reaches an asynchronous module. Where this process lives to see that
ansible-playbook ends, it takes the lease away, and the engine stops at its next look.

A host that cannot be reached is a failure here: Ansible's own "unreachable" passes rescue sections by, and a run has
its results to write and its verdict to give.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_POLL = (
    0.2  # seconds; later polls are further apart, so that a short phase ends at once and a long one costs little
)
POLL = 1.0  # seconds between polls
POLL_HERE = 0.25  # the same at first on this very machine, where a poll costs 4 to 10 ms of CPU instead of a trip
POLL_SHARE = 1 / 20  # of a phase's age: no poll need come sooner than that, so that watching a long phase is cheap
LINE = 3.0  # seconds at least between two progress lines
SHARE = 1 / 15  # of a phase's age, which is waited at least too, so that long phases do not fill the screen
STILL = 30.0  # seconds without change after which a line says so
LONELY = 60.0  # seconds without an answer of the host after which it is given up; its engine stops itself after 30
GONE = 5.0  # seconds for the result of a process that is gone to appear
START = 60.0  # seconds that a job may take until it says anything at all
GRACE = 60.0  # seconds on top of its own deadline after which a module is killed
DEADLINE = 3600.0  # seconds, for a module that was given no deadline

_MARK = "--warren.load--"


@dataclasses.dataclass(frozen=True)
class Poll:
    """What one look at the host brought."""

    status: dict[str, t.Any]
    result: dict[str, t.Any] | None
    """The module's result, None as long as it runs."""
    raw: str
    alive: bool | None
    """Whether the engine's process is there, None where it did not say which it is."""


def poll_command(quote: Callable[[str], str], work_dir: str, results_file: str, pid: int | None) -> str:
    """One shell command that renews the lease and prints status, result and whether the process is there."""
    alive = f"kill -0 {pid} 2>/dev/null && echo yes || echo no" if pid else "echo unknown"
    return (
        f"touch {quote(work_dir + '/lease')} 2>/dev/null; cat {quote(work_dir + '/status.json')} 2>/dev/null; "
        f"echo; echo {_MARK}; cat {quote(results_file)} 2>/dev/null; echo; echo {_MARK}; {alive}"
    )


def parse_poll(stdout: str) -> Poll | None:
    """The parts of what poll_command printed; None if it did not run to its end."""
    parts = re.split(rf"^{_MARK}\s*$", stdout, flags=re.MULTILINE)
    if len(parts) != 3:
        return None
    raw = parts[1].strip()
    result = _mapping(raw)
    # The wrapper's own stub says {"started": true, "finished": false}; a module's result says neither.
    done = bool(result) and not ("started" in result and not result.get("finished"))
    alive = {"yes": True, "no": False}.get(parts[2].strip())
    return Poll(_mapping(parts[0]), result if done else None, raw, alive)


def longest_pause(age: float, *, here: bool) -> float:
    """Seconds between two polls at most, of a phase ``age`` s old, ``here`` or on another machine."""
    return min(POLL, max(POLL_HERE, age * POLL_SHARE)) if here else POLL


class Lines:
    """Decides when a progress line is due. ``clock`` in seconds."""

    def __init__(self, phase: str, show: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._phase = phase
        self._show = show
        self._clock = clock
        self._text = ""
        self._shown = ""
        self._begun = self._changed_at = clock()
        self._shown_at = self._begun - LINE

    def update(self, text: str, *, last: bool = False) -> None:
        """Show ``text`` if it is new and the last line is old enough, and at the end in any case."""
        now = self._clock()
        if text != self._text:
            self._text, self._changed_at = text, now
        if not text:
            return
        if text != self._shown:
            if last or now - self._shown_at >= max(LINE, (now - self._begun) * SHARE):
                self._put(text)
        elif not last and now - self._shown_at >= STILL:
            self._put(f"{text} (unchanged for {now - self._changed_at:.0f} s)", text)

    def _put(self, line: str, text: str | None = None) -> None:
        self._shown, self._shown_at = text or line, self._clock()
        self._show(f"{self._phase:<11}{line}")


class Ended(BaseException):
    """ansible-playbook ends or has ended, and this worker of it with it."""


@contextlib.contextmanager
def signals_raise() -> Iterator[None]:
    """Have Ended raised by Ctrl-C and SIGTERM, which Ansible hands on to its workers."""

    def end(_number: int, _frame: object) -> t.NoReturn:
        raise Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def unreached(error: AnsibleConnectionFailure) -> str:
    """Why a host cannot be reached, as a clause for a sentence."""
    return f"the host cannot be reached ({' '.join(str(error).split()).rstrip('.')})"


class ReachingAction(ActionBase):
    """Base of action plugins that run the module of their own name, and fail where its host cannot be reached."""

    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Act, and turn a host that cannot be reached into a failed result."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        try:
            return self.act(task_vars)
        except AnsibleConnectionFailure as error:
            host = task_vars.get("inventory_hostname", "a host")
            return {
                "failed": True,
                "unreached": True,
                "msg": f"{host}: {unreached(error)}. Run cleanup.yml when it can, if anything of the run is left.",
            }

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module."""
        return dict(self._execute_module(task_vars=task_vars))


class ProgressAction(ReachingAction):
    """Base of action plugins that follow the module of their own name; a subclass names its phase."""

    phase = ""
    runs_in_check_mode = False
    """Whether the module has something to say in check mode; the others are skipped there."""
    takes_lease_back = False
    """Whether it runs even where the lease was taken away (by M(warren.load.run_lock), for good)."""

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Start the module, follow it, return its result; what goes wrong on the way is one sentence in ``msg``."""
        if self._task.check_mode:
            if self.runs_in_check_mode:
                return super().act(task_vars)
            return {"changed": False, "skipped": True, "msg": f"Check mode: {self.phase} is not run."}
        work_dir = str(self._task.args.get("work_dir") or "")
        if not work_dir:
            # Nowhere to look at: the module says what it thinks of that.
            return super().act(task_vars)
        try:
            if work_dir.startswith("~"):
                work_dir = self._remote_expand_user(work_dir)
            with signals_raise():
                return self._follow(work_dir, task_vars)
        except Ended:
            self._let_go(work_dir)
            raise
        except AnsibleConnectionFailure as error:
            return self._failure(unreached(error))

    def _follow(self, work_dir: str, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        quote = self._connection._shell.quote
        # The phase before left its status, and the engine wants to find a lease.
        status, lease = quote(work_dir + "/status.json"), quote(work_dir + "/lease")
        old = f"{status} {lease}" if self.takes_lease_back else status
        prepared = self._low_level_execute_command(
            f"umask 077; mkdir -p {quote(work_dir)} && rm -f {old} && touch {lease}"
        )
        if prepared.get("rc"):
            reason = (prepared.get("stderr") or prepared.get("stdout") or "").strip().splitlines()
            return self._failure(
                f"the folder {work_dir} cannot be written ({reason[-1] if reason else 'no reason given'})"
            )
        limit = _seconds(self._task.args.get("deadline")) + GRACE
        self._task.async_val = int(limit)
        try:
            started = self._execute_module(task_vars=task_vars, wrap_async=True)
        finally:
            self._task.async_val = 0
        results_file = started.get("results_file")
        if started.get("failed") or not results_file:
            return dict(started)
        result = self._wait(work_dir, str(results_file), limit)
        self._discard(str(results_file))
        for internal in ("ansible_job_id", "started", "finished", "results_file"):
            result.pop(internal, None)
        return result

    def _wait(self, work_dir: str, results_file: str, limit: float) -> dict[str, t.Any]:
        """Poll until there is a result, or reason to give up."""
        shell = self._connection._shell
        display = Display()
        lines = Lines(self.phase, display.display)
        begun = answered = time.monotonic()
        gone_since: float | None = None
        pid: int | None = None
        pause = FIRST_POLL
        here = getattr(self._connection, "transport", "") == "local"
        text = ""
        playbook = os.getppid()
        while True:
            time.sleep(pause)
            if os.getppid() != playbook:
                raise Ended
            pause = min(longest_pause(time.monotonic() - begun, here=here), pause * 1.5)
            poll = self._look(poll_command(shell.quote, work_dir, results_file, pid))
            now = time.monotonic()
            if poll is None:
                if now - answered > LONELY:
                    return self._failure(
                        f"the host has not answered for {LONELY:.0f} s; the engine there stops by itself within 30 s"
                    )
                continue
            answered = now
            text = str(poll.status.get("text") or text)
            if isinstance(poll.status.get("pid"), int):
                pid = poll.status["pid"]
            if poll.result is not None:
                lines.update(text, last=True)
                return self._result(poll)
            lines.update(text)
            gone_since = (gone_since or now) if poll.alive is False else None
            if gone_since is not None and now - gone_since > GONE:
                return self._failure(f"its process ({pid}) is gone and left no result")
            if not poll.raw and not poll.status and now - begun > START:
                return self._failure(f"it has said nothing for {START:.0f} s, and {results_file} is not there")
            if now - begun > limit + GRACE:
                return self._failure(f"there is no result {limit + GRACE:.0f} s after its start")

    def _let_go(self, work_dir: str) -> None:
        """Take the lease away, as node/lock.py does: an engine that only starts must not miss that there was one."""
        lease = work_dir + "/lease"
        quote = self._connection._shell.quote
        try:
            self._low_level_execute_command(f"ln -sfn {quote(lease + '.taken/nowhere')} {quote(lease)}")
        except AnsibleConnectionFailure:
            pass

    def _discard(self, results_file: str) -> None:
        try:
            self._low_level_execute_command(f"rm -f {self._connection._shell.quote(results_file)}")
        except AnsibleConnectionFailure:
            pass

    def _look(self, command: str) -> Poll | None:
        try:
            done = self._low_level_execute_command(command)
        except AnsibleConnectionFailure:
            return None
        return parse_poll(str(done.get("stdout") or ""))

    def _result(self, poll: Poll) -> dict[str, t.Any]:
        """The module's result as if it had been run directly; what the wrapper says in its place is a sentence."""
        found = poll.result or {}
        if found.get("failed") and "data" in found and "Traceback" in str(found.get("msg")):
            # The wrapper could not read the module's output: the module was killed, or died before it could say why.
            said = str(found.get("stderr") or "").strip().splitlines()
            return self._failure(f"its process ended ({said[-1][:200] if said else 'as if it had been killed'})")
        if found.get("failed") and found.get("msg") == "Timeout exceeded":
            return self._failure(f"it was killed {GRACE:.0f} s after its deadline")
        # Ansible's own reading of a module's output turns warnings and errors into what it can show. It yields a dict
        # in ansible-core 2.19 and an object in 2.21.
        try:
            parsed = self._parse_returned_data({"stdout": poll.raw, "stderr": "", "rc": 0}, "legacy")
            return dict(parsed.as_result_dict(for_round_trip=True) if hasattr(parsed, "as_result_dict") else parsed)
        except (AttributeError, TypeError):
            return {key: value for key, value in found.items() if not key.startswith("_ansible")}

    def _failure(self, reason: str) -> dict[str, t.Any]:
        """A failed result: one sentence with what is left of the phase, and the remedy."""
        journal = f"{self._task.args['work_dir']}/journal.jsonl"
        return {
            "failed": True,
            "changed": True,
            "msg": f"The phase {self.phase} ended without a result: {reason}; what it had done is in {journal}. "
            "Run cleanup.yml if anything of it is left.",
        }


def _mapping(text: str) -> dict[str, t.Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(value: t.Any) -> float:
    """A deadline as given to the task, which can be a string; the default for what the module will refuse."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return DEADLINE
    return seconds if 0 < seconds < 7 * 86400 else DEADLINE
