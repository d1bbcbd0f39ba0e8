# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find programs on the controller. Documented in plugins/modules/program_source.py."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.module_utils.urls import open_url

from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.program_sources import SourceError, find

PATIENCE = 60  # seconds for a server to answer


class ActionModule(ControllerAction):
    spec: t.ClassVar[dict[str, dict[str, t.Any]]] = {
        "source": {"type": "str", "required": True},
        "sha256": {"type": "raw"},
        "dest": {"type": "path", "required": True},
    }

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Find or load."""
        try:
            files = find(
                options["source"],
                options["sha256"],
                Path(options["dest"]),
                lambda url: open_url(url, timeout=PATIENCE, follow_redirects="safe"),
                self._task.check_mode,
            )
        except SourceError as error:
            return {"failed": True, "msg": str(error)}
        except OSError as error:
            return {"failed": True, "msg": f"warren_load_binary: {error.filename or 'it'}: {error.strerror or error}."}
        return {"changed": False, "files": files}
