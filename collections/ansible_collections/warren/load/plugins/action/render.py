# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the reports of a run anew. Documented in plugins/modules/render.py."""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.plugin_utils import reports
from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.junit import MISSING
from ansible_collections.warren.load.plugins.plugin_utils.places import results_home
from ansible_collections.warren.load.plugins.plugin_utils.results import (
    find_run,
    load,
    whole,
    write,
)
from ansible_collections.warren.load.plugins.plugin_utils.screen import show

SPEC: dict[str, dict[str, t.Any]] = {
    "run": {"type": "str", "default": "latest"},
    "results_dir": {"type": "path"},
}


class ActionModule(ControllerAction):
    spec = SPEC

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read, render, write, print. A run that failed its objectives is no failed task."""
        path = find_run(options["results_dir"] or results_home(), options["run"])
        document = load(path)
        with whole(path):
            lines = reports.screen_lines(document, path.parent)
            made = reports.files(document, path.parent)
        show(lines)
        for name, content in made.items():
            if not self._task.check_mode:
                write(path.parent / name, content)
        judgement = document["judgement"]
        return {
            "changed": not self._task.check_mode,
            "results_path": str(path.parent),
            "verdict": judgement["verdict"],
            "green": judgement["green"],
            "summary": judgement["summary"],
            "files": [] if self._task.check_mode else list(made),
            "warnings": [MISSING] if MISSING else [],
        }
