# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of the same name; a host that cannot be reached is a failure, and a fault does not outlive its playbook.

A killed ansible-playbook leaves the process of the task that it is at, which goes on with its loop. One that renews a
fault would have it last for as long.
"""

from __future__ import annotations

import multiprocessing
import os
import typing as t

from ansible_collections.warren.load.plugins.plugin_utils.progress import Ended, ReachingAction


class ActionModule(ReachingAction):
    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module, unless nobody is left to undo what it does."""
        playbook = multiprocessing.parent_process()
        if playbook is not None and playbook.pid != os.getppid() and self._task.args.get("state") != "undone":
            raise Ended
        return super().act(task_vars)
