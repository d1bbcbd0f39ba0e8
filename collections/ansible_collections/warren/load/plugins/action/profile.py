# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take profiles on a host, fetch and read them. Documented in plugins/modules/profile.py."""

from __future__ import annotations

import os
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.warren.load.plugins.plugin_utils import profiles
from ansible_collections.warren.load.plugins.plugin_utils.fetching import fetch


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module; fetch what it took, in one file. What cannot be fetched or read costs a sentence."""
        super().run(tmp, task_vars)
        result: dict[str, t.Any] = dict(self._execute_module(task_vars=task_vars))
        archive, target = result.pop("archive", ""), self._task.args.get("fetch_to")
        if not archive or not target:
            return result
        host = str((task_vars or {}).get("inventory_hostname") or "the host")
        folder = Path(str(target)).expanduser()
        descriptor, copy = tempfile.mkstemp(prefix="warren-load-", suffix=".tar")
        os.close(descriptor)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fetch(self, archive, Path(copy), task_vars)
            result["rows"], notes = profiles.unpack(Path(copy), folder, result["rows"])
        except (AnsibleError, OSError) as error:
            reason = " ".join(str(error).split())
            result["rows"], notes = [], [f"The profiles of {host} were not fetched: {reason}."]
        finally:
            Path(copy).unlink(missing_ok=True)
        result["unavailable"] = [*result["unavailable"], *notes]
        return result
