# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells a test how far a playbook is: one line of JSON for each task that starts, and for each result."""

from __future__ import annotations

DOCUMENTATION = r"""
name: task_marks
type: notification
short_description: Tells a test how far a playbook is
description:
  - Appends to the file that E(TASK_MARKS) names. Only for these tests.
"""

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_marks"

    def _tell(self, event: str, task: t.Any, **more: t.Any) -> None:
        line = json.dumps({"event": event, "task": str(task.get_name()).rpartition(" : ")[2], **more}) + "\n"
        with open(os.environ["TASK_MARKS"], "a", encoding="utf-8") as marks:
            marks.write(line)

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        self._tell("start", task)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._tell("ok", result.task)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._tell("failed", result.task, msg=str(result.result.get("msg", "")))

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._tell("unreachable", result.task, msg=str(result.result.get("msg", "")))
