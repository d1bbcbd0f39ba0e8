# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start or end the sampler of a host, and fetch its series. Documented in plugins/modules/sampler.py."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.warren.load.plugins.plugin_utils.fetching import fetch


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module; copy what it left. A series that cannot be fetched costs a sentence, not the task."""
        super().run(tmp, task_vars)
        result: dict[str, t.Any] = dict(self._execute_module(task_vars=task_vars))
        target = self._task.args.get("fetch_to")
        if not target or not result.get("files"):
            return result
        label = re.sub(r"[^A-Za-z0-9._-]+", "_", str(self._task.args.get("label") or "host"))
        folder = Path(str(target)).expanduser()
        result["fetched"] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in result["files"]:
                stem = path.rpartition("/")[2].partition(".")[0]
                name = f"{stem}-{label}.csv.gz"
                fetch(self, path, folder / name, task_vars)
                result["fetched"].append(f"{folder.name}/{name}")
        except (AnsibleError, OSError) as error:
            reason = " ".join(str(error).split())
            result["unavailable"] = [
                *result.get("unavailable", []),
                f"The series of the processes on {label} were not fetched: {reason}",
            ]
        return result
