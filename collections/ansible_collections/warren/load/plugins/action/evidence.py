# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a node, and fetch what was packed there. Documented in plugins/modules/evidence.py."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleError

from ansible_collections.warren.load.plugins.plugin_utils.progress import ReachingAction


class ActionModule(ReachingAction):
    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module; copy its archive here and remove it there."""
        result: dict[str, t.Any] = dict(self._execute_module(task_vars=task_vars))
        archive = result.pop("archive", None)
        if archive is None:
            return result
        target = Path(str(self._task.args["fetch_to"])).expanduser()
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.touch(mode=0o600)
            self._connection.fetch_file(archive, str(target))
            result["fetched"] = str(target)
        except (AnsibleError, OSError) as error:
            result["unavailable"] = " ".join(str(error).split())
        finally:
            self._low_level_execute_command(f"rm -f {self._connection._shell.quote(archive)}")
        return result
