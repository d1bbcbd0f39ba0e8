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
        "held_from": {"type": "float"},
        "held_to": {"type": "float"},
        "held_replaced": {"type": "int", "default": 0},
        "first_create": {"type": "float"},
        "note": {"type": "str", "default": ""},
        "show": {"type": "bool", "default": False},
        "earlier": {"type": "path", "default": ""},
    }

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read, draw, write, print."""
        if self._task.check_mode:
            return {"changed": False, "skipped": True}
        folder = Path(options["folder"]).expanduser()
        rows, notes = profiles.rows_of(options["results"])
        earlier = profiles.earlier_of(_folders(options["earlier"], folder), rows)
        began, ended = options["held_from"], options["held_to"]
        held = None
        if began is not None and ended is not None:
            held = profiles.Held(began, ended, options["held_replaced"])
        first_create = options["first_create"]
        found = profiles.study(rows, folder, options["services"], earlier, held, first_create)
        if options["note"]:
            notes.insert(0, options["note"])
        index = profiles.index(rows, notes, found, first_create)
        for name, page in found.pages.items():
            write(folder / name, page.encode("utf-8"))
        if rows:
            write(folder / "index.json", (json.dumps(index, indent=1) + "\n").encode("utf-8"))
        if options["show"] and (rows or options["note"]):
            compared = profiles.since(rows, earlier) if earlier else ""
            show(profiles.table(index, shown(folder.absolute()), compared))
        return {
            "changed": False,
            "profiles": index,
            "goroutine_stacks": list(found.stacks),
            "folder": str(folder),
        }


def _folders(earlier: str, folder: Path) -> list[Path]:
    """Where earlier profiles may lie: a folder of them, or one of results, whose runs and captures have some."""
    if not earlier:
        return []
    base = Path(earlier).expanduser()
    if (base / "index.json").is_file():
        return [base]
    found = [*base.glob("*/profiles"), *base.glob("profiles-*")]
    return [each for each in found if not each.parent.is_symlink() and each.absolute() != folder.absolute()]
