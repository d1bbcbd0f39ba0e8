# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: executions
type: aggregate
short_description: Notes every module that is packed and executed on a host
description:
  - Appends a line C(host module) to a file for each. An asynchronous module counts twice, itself and its wrapper, as
    both are packed and executed. Shell commands of connections and actions are none.
  - Only for this repository's tests and benchmarks.
options:
  file:
    description: The file. Without it nothing is noted.
    type: path
    env: [{name: WARREN_LOAD_EXECUTIONS_FILE}]
"""

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "executions"
    CALLBACK_NEEDS_ENABLED = True

    def set_options(self, *args: Any, **kwargs: Any) -> None:
        """Callbacks see the results of tasks only, so the packing itself is watched; workers are forked from here."""
        super().set_options(*args, **kwargs)
        file = self.get_option("file")
        if not file:
            return
        configure = ActionBase._configure_module

        def noted(action: Any, module_name: str, module_args: Any, task_vars: Any) -> Any:
            host = action._task.delegate_to or task_vars.get("inventory_hostname", "?")
            with open(file, "a", encoding="utf-8") as stream:
                stream.write(f"{host} {module_name}{os.linesep}")
            return configure(action, module_name, module_args, task_vars)

        ActionBase._configure_module = noted
