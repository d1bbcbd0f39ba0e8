# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put two runs side by side. Documented in plugins/modules/compare.py."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.warren.load.plugins.plugin_utils.comparison import compare, markdown, screen_lines
from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.places import results_home
from ansible_collections.warren.load.plugins.plugin_utils.reports import shown
from ansible_collections.warren.load.plugins.plugin_utils.results import (
    ResultsError,
    find_run,
    load,
    run_id,
    whole,
    write,
)
from ansible_collections.warren.load.plugins.plugin_utils.screen import show

SPEC: dict[str, dict[str, t.Any]] = {
    "base": {"type": "str", "default": "previous"},
    "new": {"type": "str", "default": "latest"},
    "results_dir": {"type": "path"},
}


class ActionModule(ControllerAction):
    spec = SPEC

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read both, compare, write, print."""
        home = options["results_dir"] or results_home()
        paths = [find_run(home, options[name]) for name in ("base", "new")]
        if paths[0] == paths[1]:
            raise ResultsError(f"base and new are the same run, {paths[0].parent.name}: name two with base and new.")
        documents = [load(path) for path in paths]
        target = paths[1].parent / f"compare-{run_id(documents[0]['run'])}.md"
        with whole(*paths):
            found = compare(*documents)
            text = markdown(found)
            lines = screen_lines(found, "" if self._task.check_mode else shown(target))
        show(lines)
        if not self._task.check_mode:
            write(target, text.encode("utf-8", "replace"))
        return {
            "changed": not self._task.check_mode,
            "comparable": not found.differences,
            "differences": found.differences,
            "program": found.program,
            "path": str(target),
            "rows": [
                {name: text for name, text in dataclasses.asdict(row).items() if name != "style"} for row in found.rows
            ],
        }
