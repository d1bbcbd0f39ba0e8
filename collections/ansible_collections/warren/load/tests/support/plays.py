# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks under way, for tests that strike while they run.

A play runs in a session of its own, as under a terminal. How far it is tell its own files: the engine's status.json,
and marks that a callback of the tests leaves at every task. Everything it starts inherits a mark in its environment, so
that a test can see what is left of it, whoever its parent is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path

from .worlds import COLLECTION

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .worlds import World

ROOT = COLLECTION.parents[3]
OBJECTIVES = COLLECTION / "tests/survival/objectives.yml"
CALLBACKS = Path(__file__).with_name("callbacks")
CONNECTIONS = Path(__file__).with_name("connections")
TIME_LIMIT = 300.0  # seconds for one playbook
MARK = "WARREN_LOAD_TEST_PLACE"
FORKS_END = 5.0  # seconds after ansible-playbook itself
LOST = re.compile(r"Exception ignored in.*KeyboardInterrupt", re.DOTALL)
LITTLE: dict[str, t.Any] = {
    "services": 6,
    "replicas": 2,
    "warren_load_clock_factor": 10,
    "warren_load_latency_calls": 60,
    "warren_load_objectives_file": str(OBJECTIVES),
}
"""A run that is over soon, and whose objectives do not hang on how busy the machine is."""

# Phase: the task it begins with. One with an engine is under way once the engine says how far it is.
PHASES = {
    "preflight": "Is the cluster fit for a load test",
    "plan": "What this run will do",
    "create": "Create the services",
    "await": "Wait until all containers run",
    "latency": "Measure latency",
    "watch": "Watch the processes",
    "cleanup": "Remove what this run created, and prove it",
    "resources": "Collect what the processes used",
    "judge": "Judge what was measured",
    "report": "Results",
}
ENGINES = ("create", "await", "latency", "cleanup")
# What makes a phase last until somebody strikes.
SLOWLY: dict[str, dict[str, t.Any]] = {
    "create": {"services": 2000, "replicas": 1},
    "latency": {"warren_load_latency_rate": 5},
}


def eventually(check: Callable[[], t.Any], within: float, what: Callable[[], str]) -> t.Any:
    """The first true result of ``check`` within so many seconds; ``what`` says what did not come."""
    end = time.monotonic() + within
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {within:g} s: {what()}")
        time.sleep(0.02)


# A phase create that outlasts a lease, of few records: what it leaves has to be removed.
ENDLESS: dict[str, t.Any] = {"services": 2000, "replicas": 1, "warren_load_create_rate": 10}


class Play:
    """One ansible-playbook, started."""

    def __init__(self, place: Place, playbook: str, inventory: Path, variables: Mapping[str, t.Any]) -> None:
        self.begun = time.monotonic()
        self._marks = place.folder / f"marks-{uuid.uuid4().hex[:8]}"
        self._marks.touch()
        self._out = self._marks.with_suffix(".out")
        self.playbook = playbook
        self._place = place
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment |= {
            "ANSIBLE_CALLBACK_PLUGINS": f"{ROOT / 'plugins/callback'}:{CALLBACKS}",
            "ANSIBLE_CONNECTION_PLUGINS": str(CONNECTIONS),
            "ANSIBLE_CALLBACKS_ENABLED": "warren.load.junit,task_marks",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "TASK_MARKS": str(self._marks),
            MARK: str(place.folder),
            **place.environment,
        }
        argv = ["ansible-playbook", str(ROOT / "playbooks" / f"{playbook}.yml"), "-i", str(inventory)]
        with self._out.open("w") as out:
            self._popen = subprocess.Popen(
                [*place.enter, *argv, "-e", json.dumps(dict(variables))],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def seconds(self) -> float:
        """Since its start."""
        return time.monotonic() - self.begun

    def marks(self) -> list[dict[str, t.Any]]:
        """Tasks begun and ended so far."""
        return [json.loads(line) for line in self._marks.read_text(encoding="utf-8").splitlines()]

    def until(self, check: Callable[[], t.Any], what: str, within: float = 240.0) -> t.Any:
        """Wait for something while the play goes on; AssertionError if it ends first."""

        def look() -> t.Any:
            found = check()
            assert found or self._popen.poll() is None, f"{self.playbook} ended before {what}:\n{self.output}"
            return found

        return eventually(look, within, lambda: f"{what}; so far:\n{self.output}")

    def until_task(self, name: str) -> None:
        """Wait until a task of that name begins."""
        self.until(lambda: any(m["event"] == "start" and m["task"] == name for m in self.marks()), f"task {name}")

    def strike(self, number: signal.Signals) -> int:
        """Signal it as a terminal (SIGINT, to the group) or an administrator does; its exit code, negative for one.

        Ansible loses a Ctrl-C that comes while it forks: Python ignores the KeyboardInterrupt there. So does a person
        press it again.
        """
        send = os.killpg if number is signal.SIGINT else os.kill
        send(self.pid, number)
        if number is signal.SIGINT:
            end = time.monotonic() + 15.0
            while self._popen.poll() is None and not self.lost_a_signal and time.monotonic() < end:
                time.sleep(0.1)
            if self._popen.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    send(self.pid, number)
        return self.wait(30)

    @property
    def lost_a_signal(self) -> bool:
        """Whether a Ctrl-C came while it forked; it then goes on to its end."""
        return LOST.search(self.output) is not None

    def wait(self, within: float = TIME_LIMIT) -> int:
        """Its exit code."""
        try:
            code = self._popen.wait(within)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            raise AssertionError(f"{self.playbook} still runs after {self.seconds:.0f} s:\n{self.output}") from None
        finally:
            print(
                f"--- {self.playbook}: exit code {self._popen.poll()}, {self.seconds:.1f} s\n{self.output}", flush=True
            )
        return code


class Place:
    """Where plays keep their state and results, and what they are about; one inventory, one set of variables.

    ``fleet``: the process of the cluster's hollow workers, where no play starts them.
    """

    def __init__(
        self, folder: Path, inventory: Path, variables: Mapping[str, t.Any], fleet: Callable[[], int] | None = None
    ) -> None:
        self.folder = folder
        self.inventory = inventory
        self.fleet = fleet or self._own_fleet
        self.environment: dict[str, str] = {}
        self.enter: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        self.state = folder / "state"
        self.results = folder / "results"
        self.variables = {
            **LITTLE,
            "warren_load_state_dir": str(self.state),
            "warren_load_results_dir": str(self.results),
            **variables,
        }

    def start(self, playbook: str = "load-small", **variables: t.Any) -> Play:
        """A playbook of the repository, under way."""
        return Play(self, playbook, self.inventory, self.variables | variables)

    def come_to(self, phase: str, **variables: t.Any) -> Play:
        """A run that is in the middle of a phase.

        So that await lasts, the hollow workers stand still in it until thaw() lets them go on.
        """
        play = self.start(**SLOWLY.get(phase, {}) | variables)
        if phase == "await":
            play.until_task(PHASES["create"])
            os.kill(self.fleet(), signal.SIGSTOP)
        play.until_task(PHASES[phase])
        if phase in ENGINES:
            play.until(lambda: self._is_in(phase), phase)
        return play

    def thaw(self) -> None:
        """Let the hollow workers go on, if they stand still."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.fleet(), signal.SIGCONT)

    def _own_fleet(self) -> int:
        """The process of the hollow workers that a run of the place started."""
        (pid_file,) = self.state.rglob("hollow-workers/pid.json")
        return int(json.loads(pid_file.read_text(encoding="utf-8"))["pid"])

    def _is_in(self, phase: str) -> bool:
        status = self.status()
        return bool(status) and status["phase"] == phase and status["done"] < status["total"]

    def run(self, playbook: str = "load-small", **variables: t.Any) -> Play:
        """A playbook that must succeed."""
        play = self.start(playbook, **variables)
        assert play.wait() == 0, play.output
        return play

    def status(self) -> dict[str, t.Any]:
        """What the newest engine says of itself; empty where none has said anything."""
        try:
            files = sorted(self.state.rglob("runs/*/status.json"), key=lambda path: path.stat().st_mtime_ns)
            return t.cast("dict[str, t.Any]", json.loads(files[-1].read_text(encoding="utf-8"))) if files else {}
        except (OSError, ValueError):
            return {}  # a run removes what an earlier one left, and writes its own anew

    def locks(self) -> list[Path]:
        """The lock files that are there, also below the folder of another host."""
        return list(self.state.rglob("locks/*.json"))

    def left(self) -> dict[int, str]:
        """The processes that the place's plays started and that still run, with their command lines."""
        mark = f"{MARK}={self.folder}".encode()
        found: dict[int, str] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                    if command:  # else it is a zombie
                        found[int(entry.name)] = command
            except OSError:
                continue  # it has ended meanwhile
        return found

    def engines(self) -> dict[int, str]:
        """Those of them that are a module under way."""
        return {pid: words for pid, words in self.left().items() if "AnsiballZ" in words or "async_wrapper" in words}

    def wait_until_gone(self) -> None:
        """Wait until nothing is left: the wrapper that Ansible keeps around a module looks every 5 s.

        A worker that ansible-core was just forking when it was struck can hang for ever, doing nothing: it inherits
        locks that nobody releases, or the main process's handler fails in it ("can only test a child process"). That is
        Ansible's own, so it is ended here; what is looked at is what we leave.
        """
        end = time.monotonic() + FORKS_END
        while (forks := self._forks()) and time.monotonic() < end:
            time.sleep(0.1)
        for pid in forks:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self.left(), 15.0, lambda: f"all processes have ended: {self.left()}")

    def _forks(self) -> list[int]:
        """Workers that a play forked: they bear its own command line, and no module of ours."""
        return [pid for pid, words in self.left().items() if "bin/ansible-playbook" in words]

    def kill_all(self) -> None:
        """End whatever a failed test left."""
        for pid in self.left():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def outcome(self) -> dict[str, t.Any]:
        """The results of the latest run."""
        return t.cast(
            "dict[str, t.Any]", json.loads((self.results / "latest/results.json").read_text(encoding="utf-8"))
        )

    def red_cases(self) -> dict[str, str]:
        """The failures and errors of the latest JUnit report: name, message."""
        cases = ET.parse(self.results / "latest/junit.xml").getroot().iter("testcase")
        return {
            str(case.get("name")): str(bad.get("message"))
            for case in cases
            for bad in (case.find("failure"), case.find("error"))
            if bad is not None
        }


def inventory_of(world: World, folder: Path) -> Path:
    """An inventory of an existing cluster: that world's managers, with their addresses."""
    rows = {
        node.name: {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "warren_load_api_address": node.api_address,
            "warren_load_raft_address": node.raft_address,
            "warren_load_http_address": node.http_address,
        }
        for node in world.nodes.values()
    }
    generator = {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
    path = folder / "inventory.json"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"managers": {"hosts": rows}, "generators": {"hosts": generator}}), encoding="utf-8")
    return path


def records_of(world: World) -> int:
    """How many services and container records the world's leader has."""
    services = list(world.api.read("ListServices").services)
    return len(services) + len(world.api.read("ListContainers").containers)
