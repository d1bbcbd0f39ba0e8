# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of the same name; what the host lacks is copied there. Documented in plugins/modules/program.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.warren.load.plugins.plugin_utils.progress import ReachingAction


class ActionModule(ReachingAction):
    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Look, and copy only what is not there."""
        result: dict[str, t.Any] = self._execute_module(task_vars=task_vars)
        missing = result.pop("missing", None)
        if missing is None or self._task.check_mode:
            return result
        folder = self._make_tmp_path()
        try:
            arrived = self._connection._shell.join_path(folder, "program")
            self._transfer_file(missing, arrived)
            self._fixup_perms2((folder, arrived))
            arguments = {**self._task.args, "arrived": arrived}
            return dict(self._execute_module(module_args=arguments, task_vars=task_vars))
        except AnsibleConnectionFailure:
            raise
        except (AnsibleError, OSError) as error:
            reason = " ".join(str(error).split())
            return {"failed": True, "msg": f"warren_load_binary could not be copied to this host: {reason}"}
        finally:
            self._remove_tmp_path(folder)
