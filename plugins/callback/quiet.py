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

from typing import Any

from ansible import constants as C  # noqa: N812, Ansible's own name for it
from ansible.plugins.callback.default import CallbackModule as Default

SAYING = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
# What Ansible keeps beside a failure's own words.
BESIDE = ("changed", "exception", "failed", "invocation", "msg", "warnings", "deprecations")


class CallbackModule(Default):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "quiet"

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def _line(self, word: str, result: Any, color: str) -> None:
        """`changed   manager-1: The first manager runs`; the role's name is left to -v."""
        name = result.task.get_name().rpartition(" : ")[2].strip()
        self._display.display(f"{word:<9} {self.host_label(result)}: {name}", color=color)

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

    def v2_runner_item_on_ok(self, result: Any) -> None:
        if self._display.verbosity:
            super().v2_runner_item_on_ok(result)

    def v2_runner_on_ok(self, result: Any) -> None:
        if self._display.verbosity:
            super().v2_runner_on_ok(result)
            return
        self._handle_warnings_and_exception(result)
        if result.task.action in SAYING:
            said = result.result.get("msg")
            self._display.display(said if isinstance(said, str) else self._dump_results(result.result).strip())
        elif result.result.get("changed"):
            self._line("would" if result.task.check_mode else "changed", result, C.COLOR_CHANGED)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if self._display.verbosity or (result.task.loop and "results" in result.result):
            super().v2_runner_on_failed(result, ignore_errors)
            return
        if ignore_errors:
            return
        self._line("FAILED", result, C.COLOR_ERROR)
        message = str(result.result.get("msg", "")).strip()
        # A run that keeps a failure until it has cleaned up fails with the same words again: once is enough to read.
        self._display.display(f"  {'as above' if message in self._said else message}", color=C.COLOR_ERROR)
        self._said.add(message)
        more = {name: value for name, value in result.result.items() if value and name not in BESIDE and name[0] != "_"}
        if more:
            self._display.display(self._dump_results(more).rstrip().lstrip("\n"), color=C.COLOR_ERROR)
