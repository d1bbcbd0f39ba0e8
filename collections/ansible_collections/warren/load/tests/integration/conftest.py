# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the repository's playbooks through ansible-runner, each test on a sandbox of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

from ansible_collections.warren.load.tests.support.results_rules import results_problems
from ansible_collections.warren.load.tests.support.worlds import free_ports

ROOT = Path(__file__).resolve().parents[6]
TIME_LIMIT = 300  # s, for one playbook
SANDBOX_PORTS = 30  # ten a manager


@dataclass
class Run:
    """What one ansible-playbook did."""

    rc: int
    stdout: str
    events: list[dict[str, Any]]
    stats: dict[str, dict[str, int]]
    executions: list[str]
    """The host of every module that was packed and executed."""

    @property
    def changed(self) -> int:
        return sum(self.stats.get("changed", {}).values())

    @property
    def changed_tasks(self) -> list[str]:
        return [
            event["event_data"]["task"]
            for event in self.events
            if event["event"] == "runner_on_ok" and event["event_data"]["res"].get("changed")
        ]

    @property
    def progress(self) -> list[str]:
        """What was displayed beside the tasks' results: progress lines and banners."""
        return [event["stdout"] for event in self.events if event["event"] == "verbose"]


@dataclass
class Sandbox:
    """A port range and directories of a test's own, and the means to run playbooks on them."""

    folder: Path
    port_base: int
    variables: dict[str, Any] = field(default_factory=dict)
    runs: int = 0

    def __post_init__(self) -> None:
        self.variables |= {
            "warren_load_port_base": self.port_base,
            "warren_load_state_dir": str(self.state),
            "warren_load_results_dir": str(self.results),
        }

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def play(self, playbook: str, *arguments: str, inventory: str = "sandbox", **variables: Any) -> Run:
        """Runs playbooks/PLAYBOOK.yml and waits for its end."""
        self.runs += 1
        private = self.folder / f"runner-{self.runs}"
        private.mkdir(parents=True)
        runner = ansible_runner.run(
            private_data_dir=str(private),
            project_dir=str(ROOT),
            playbook=str(ROOT / "playbooks" / f"{playbook}.yml"),
            inventory=str(ROOT / "inventories" / inventory),
            cmdline=" ".join(arguments) or None,
            extravars=self.variables | variables,
            envvars={
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
                "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "plugins/callback"),
                "ANSIBLE_CALLBACKS_ENABLED": "warren.load.junit,executions",
                "WARREN_LOAD_EXECUTIONS_FILE": str(private / "executions"),
            },
            timeout=TIME_LIMIT,
            quiet=True,
        )
        with runner.stdout as stream:
            stdout = stream.read()
        print(f"--- {playbook} {' '.join(arguments)} ({runner.status}, exit code {runner.rc})\n{stdout}")
        noted = private / "executions"
        executions = [line.split()[0] for line in noted.read_text().splitlines()] if noted.exists() else []
        return Run(runner.rc, stdout, list(runner.events), runner.stats or {}, executions)

    def processes(self) -> dict[int, str]:
        """The processes that run out of the state directory, with their command lines. Linux only: elsewhere none."""
        found: dict[int, str] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it has ended meanwhile
            if f"{self.state}/" in command and "ansible-playbook" not in command:
                found[int(entry.name)] = command.strip()
        return found


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that is not up. What a failed test leaves running is killed; all results are looked over."""
    made = Sandbox(tmp_path, free_ports(SANDBOX_PORTS))
    yield made
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)
    problems = {path.parent.name: results_problems(path.parent) for path in made.results.glob("2*/results.json")}
    assert not any(problems.values()), problems


@pytest.fixture(autouse=True)
def tools_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """ansible-runner looks for ansible-playbook on PATH: let it find that of the Python which runs the tests."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
