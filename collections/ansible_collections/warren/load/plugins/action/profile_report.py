# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say what the profiles of all hosts show. Documented in plugins/modules/profile_report.py."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.plugin_utils import profiles
from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.reports import shown
from ansible_collections.warren.load.plugins.plugin_utils.results import write
from ansible_collections.warren.load.plugins.plugin_utils.screen import show


class ActionModule(ControllerAction):
    spec: t.ClassVar[dict[str, dict[str, t.Any]]] = {
        "results": {"type": "list", "elements": "dict", "default": []},
        "folder": {"type": "path", "required": True},
        "services": {"type": "int", "default": 0},
        "first_create": {"type": "float"},
        "note": {"type": "str", "default": ""},
        "show": {"type": "bool", "default": False},
    }

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read, draw, write, print."""
        if self._task.check_mode:
            return {"changed": False, "skipped": True}
        folder = Path(options["folder"]).expanduser()
        rows, notes = profiles.rows_of(options["results"])
        found = profiles.study(rows, folder, options["services"])
        if options["note"]:
            notes.insert(0, options["note"])
        index = profiles.index(rows, notes, found, options["first_create"])
        for name, page in found.pages.items():
            write(folder / name, page.encode("utf-8"))
        if rows:
            write(folder / "index.json", (json.dumps(index, indent=1) + "\n").encode("utf-8"))
        if options["show"]:
            show(profiles.table(index, shown(folder.absolute())))
        return {"changed": False, "profiles": index, "folder": str(folder)}
