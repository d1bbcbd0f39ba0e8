# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put the simulator on a host. Documented in plugins/modules/simulator_archive.py."""

from __future__ import annotations

import hashlib
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.warren.load.plugins.plugin_utils.simulator_archive import build

SPEC: dict[str, dict[str, t.Any]] = {
    "dest": {"type": "str", "required": True},  # expanded on the target, not here
    "mode": {"type": "str", "default": "0644"},
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Build the archive here and have the action plugin `copy` take it there."""
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(SPEC)
        try:
            content = build()
        except OSError as error:
            raise AnsibleActionFail(
                f"the simulator's sources cannot be read ({error}): install the collection again"
            ) from error
        with tempfile.TemporaryDirectory(prefix="warren-load-") as folder:
            source = Path(folder, "warren-simulator.pyz")
            source.write_bytes(content)
            task = self._task.copy()
            task.args = {"src": str(source), "dest": arguments["dest"], "mode": arguments["mode"]}
            copy = self._shared_loader_obj.action_loader.get(
                "ansible.legacy.copy",
                task=task,
                connection=self._connection,
                play_context=self._play_context,
                loader=self._loader,
                templar=self._templar,
                shared_loader_obj=self._shared_loader_obj,
            )
            copied = copy.run(task_vars=task_vars)
        if copied.get("failed"):
            return {**result, **copied}
        return {
            **result,
            "changed": copied["changed"],
            "dest": copied.get("dest", arguments["dest"]),
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
