# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: quiet
type: stdout
short_description: Shows what changed, what failed and what a playbook says, and nothing else
description:
  - Leaves the screen to the progress lines, the plan and the banner of a load test, which come from action plugins.
  - With C(-v), or with E(ANSIBLE_STDOUT_CALLBACK=default), everything is shown as Ansible usually does.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

import atexit
import os
import signal
import sys
import time
from typing import Any

from ansible import constants as C  # noqa: N812, Ansible's own name for it
from ansible.plugins.callback.default import CallbackModule as Default

from ansible_collections.warren.load.plugins.plugin_utils.delegation import host_of

SAYING = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
# These have progress lines of their own, or run beside others that have.
TALKING = tuple(
    f"warren.load.{phase}"
    for phase in (
        "create",
        "await_containers",
        "latency",
        "throughput",
        "cleanup",
        "lima_vms",
        "hold",
        "settle",
        "probe",
        "recovery",
        "audit_writes",
        "fault",
        "fault_target",
    )
)
SILENCE = 3.0  # seconds after which a person wants a sign of life
FEW = 3  # hosts that are named; of more only the number is
# What Ansible keeps beside a failure's own words.
BESIDE = ("changed", "exception", "failed", "invocation", "msg", "unreached", "warnings", "deprecations")


class CallbackModule(Default):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "quiet"

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()
        # Tasks under way, by host and task: when they began, and their line. A thread that printed would run in the
        # process that forks the workers; an alarm does not.
        self._under_way: dict[tuple[str, str], tuple[float, Any]] = {}
        signal.signal(signal.SIGALRM, self._alarm)
        # On its way out Python gives signals back their own effect: an alarm that is still set would kill it.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)

    def _alarm(self, *_signal: object) -> None:
        """Name the tasks that have been silent for long, and look again later."""
        now = time.monotonic()
        late: dict[str, list[tuple[float, str, Any]]] = {}
        for (host, number), (began, task) in sorted(self._under_way.items(), key=lambda entry: entry[0]):
            if now - began >= SILENCE:
                late.setdefault(number, []).append((now - began, host, task))
        for entries in late.values():
            hosts = ", ".join(host for _age, host, _task in entries)
            if len(entries) > FEW:
                hosts = f"{len(entries)} hosts"
            line = self._text(f"{max(entry[0] for entry in entries):.0f} s", hosts, entries[0][2])
            # Not by way of the screen's own buffer: the alarm may have come in the middle of a write to it.
            os.write(sys.stdout.fileno(), f"{line}\n".encode())
        if self._under_way:
            signal.setitimer(signal.ITIMER_REAL, SILENCE)

    def _ended(self, result: Any) -> None:
        self._under_way.pop((result.host.name, result.task._uuid), None)

    @staticmethod
    def host_label(result: Any) -> str:
        """The host, and where a delegated task ran; what is inherited shows it too."""
        return host_of(result)

    @staticmethod
    def _text(word: str, host: str, task: Any) -> str:
        """`changed   manager-1: The first manager runs`; the role's name is left to -v."""
        return f"{word:<9} {host}: {task.get_name().rpartition(' : ')[2].strip()}"

    def _line(self, word: str, host: str, task: Any, color: str | None = None) -> None:
        self._display.display(self._text(word, host, task), color=color)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        if self._display.verbosity:
            super().v2_playbook_on_play_start(play)
        self._play = play

    def v2_playbook_on_no_hosts_matched(self) -> None:
        if self._display.verbosity:
            super().v2_playbook_on_no_hosts_matched()

    def v2_playbook_on_include(self, included_file: Any) -> None:
        if self._display.verbosity:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        if self._display.verbosity:
            super().v2_runner_on_start(host, task)
        elif task.action not in TALKING:
            self._under_way[host.name, task._uuid] = (time.monotonic(), task)
            signal.setitimer(signal.ITIMER_REAL, SILENCE)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._ended(result)
        super().v2_runner_on_skipped(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._ended(result)
        if self._display.verbosity or not result.task.ignore_unreachable:
            super().v2_runner_on_unreachable(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        if self._display.verbosity or not (result.task.ignore_unreachable and result.result.get("unreachable")):
            super().v2_runner_item_on_failed(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        if self._display.verbosity:
            super().v2_runner_item_on_ok(result)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._ended(result)
        if self._display.verbosity:
            super().v2_runner_on_ok(result)
            return
        self._handle_warnings_and_exception(result)
        if result.task.action in SAYING:
            said = result.result.get("msg")
            self._display.display(said if isinstance(said, str) else self._dump_results(result.result).strip())
        elif result.result.get("changed"):
            self._line(
                "would" if result.task.check_mode else "changed", self.host_label(result), result.task, C.COLOR_CHANGED
            )

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._ended(result)
        if self._display.verbosity or (result.task.loop and "results" in result.result):
            super().v2_runner_on_failed(result, ignore_errors)
            return
        if ignore_errors:
            return
        self._line("FAILED", self.host_label(result), result.task, C.COLOR_ERROR)
        message = str(result.result.get("msg", "")).strip().replace("\n", "\n  ")
        # A run that keeps a failure until it has cleaned up fails with the same words again: once is enough to read.
        self._display.display(f"  {'as above' if message in self._said else message}", color=C.COLOR_ERROR)
        self._said.add(message)
        more = {name: value for name, value in result.result.items() if value and name not in BESIDE and name[0] != "_"}
        if more:
            self._display.display(self._dump_results(more).rstrip().lstrip("\n"), color=C.COLOR_ERROR)
