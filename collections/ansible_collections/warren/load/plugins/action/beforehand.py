# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be refused before anything is touched. Documented in plugins/modules/beforehand.py."""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t

from ansible.errors import AnsibleError

from ansible_collections.warren.load.plugins.module_utils.objectives.units import clock
from ansible_collections.warren.load.plugins.module_utils.phases.fitness import disk_needed
from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.planning import replaced, room, room_held

SPEC: dict[str, dict[str, t.Any]] = {
    "results_dir": {"type": "path", "required": True},
    "state_dir": {"type": "path"},
    "objectives_file": {"type": "path", "required": True},
    "services": {"type": "int", "required": True},
    "replicas": {"type": "int", "required": True},
    "calls": {"type": "int", "default": 1000},
    "hold": {"type": "float", "default": 0.0},
    "churn": {"type": "float", "default": 0.0},
    "churn_interval": {"type": "float", "default": 60.0},
    "processes": {"type": "int", "default": 1},
    "profiled": {"type": "int", "default": 0},
    "managers_here": {"type": "int", "default": 0},
    "containers": {"type": "int", "default": 0},
}
MEGABYTE = 1 << 20


def place(option: str, path: str, needed: int, hold: float = 0.0) -> tuple[int, str]:
    """(MB free, "") where ``needed`` MB can be written at ``path``, which need not exist yet; else a sentence too.

    ``hold``: for how many seconds the load is held, which is most of what it needs.
    """
    folder = os.path.abspath(path)
    while not os.path.lexists(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    try:
        # A file without a name, gone at once: what permissions say is not all there is to it.
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free // MEGABYTE
    except OSError as error:
        reason = error.strerror or str(error)
        return 0, (
            f"{option} is {path}, but nothing can be written to {folder} ({reason}): choose another folder, or make "
            "that one writable."
        )
    if free < needed and hold:
        return free, (
            f"{option} is {path}, whose disk has {free} MB left, and a load that is held for {clock(hold)} may need "
            f"{needed} MB there: hold it for less (warren_load_hold), make room, or choose a folder on another disk."
        )
    if free < needed:
        return free, (
            f"{option} is {path}, whose disk has {free} MB left, and this run may need {needed} MB there: make room, "
            "or choose a folder on another disk."
        )
    return free, ""


class ActionModule(ControllerAction):
    spec = SPEC

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Look at the controller's files, and fail with all that is wrong with them."""
        needed = room(options["services"], options["replicas"], options["calls"])
        hold = options["hold"]
        churned = replaced(options["services"], options["churn"], hold, options["churn_interval"])
        needed += room_held(hold, churned, options["processes"], options["profiled"])
        free, wrong = place("warren_load_results_dir", options["results_dir"], needed, hold)
        problems = [wrong, self._objectives(options["objectives_file"])]
        if options["state_dir"]:
            # In the sandbox the managers' data is there, too.
            data = round(options["managers_here"] * disk_needed(options["containers"], options["processes"], hold))
            problems.append(place("warren_load_state_dir", options["state_dir"], needed + data, hold)[1])
        told = "\n".join(problem for problem in problems if problem)
        if told:
            return {"failed": True, "msg": told}
        return {"changed": False, "needed": needed, "free": free}

    def _objectives(self, path: str) -> str:
        """Why the file cannot be used, as a sentence; what is in it is for the module judge to check."""
        if not os.path.isfile(path):
            return f"warren_load_objectives_file is {path}, which is no file: correct the path, or leave it out."
        try:
            found = self._loader.load_from_file(path)
        except (AnsibleError, ValueError) as error:
            reason = " ".join(str(error).split("\n\n", maxsplit=1)[0].split())
            return f"warren_load_objectives_file is {path}, which is not YAML: {reason.rstrip('.')}."
        if not isinstance(found, list):
            return (
                f"warren_load_objectives_file is {path}, which is not a list: write one '- id: ...' entry for each "
                "objective."
            )
        return ""
