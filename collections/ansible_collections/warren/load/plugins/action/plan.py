# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print what a run will do. Documented in plugins/modules/plan.py."""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.objectives.merging import merge
from ansible_collections.warren.load.plugins.module_utils.objectives.rows import MARKS, SCALES, ObjectiveError
from ansible_collections.warren.load.plugins.module_utils.scenarios import SCENARIOS
from ansible_collections.warren.load.plugins.plugin_utils.banner import plan_lines, render
from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.planning import make_plan, plan_facts
from ansible_collections.warren.load.plugins.plugin_utils.results import plain, run_folder
from ansible_collections.warren.load.plugins.plugin_utils.screen import show

SPEC: dict[str, dict[str, t.Any]] = {
    "run_id": {"type": "str", "required": True},
    "results_dir": {"type": "path", "required": True},
    "cluster": {"type": "str", "default": ""},
    "scale": {"type": "str", "choices": list(SCALES), "default": "custom"},
    "services": {"type": "int", "required": True},
    "replicas": {"type": "int", "required": True},
    "image": {"type": "str", "default": ""},
    "managers": {"type": "list", "elements": "str", "default": []},
    "workers": {"type": "int", "default": 0},
    "generator": {"type": "str", "default": "localhost"},
    "marks": {"type": "list", "elements": "str", "choices": list(MARKS), "default": []},
    "dialect": {"type": "str", "choices": ["auto", "tasks", "containers"], "default": "auto"},
    "scenario": {"type": "str", "choices": list(SCENARIOS), "default": "load"},
    "create_concurrency": {"type": "int", "default": 1},
    "create_rate": {"type": "float", "default": 0.0},
    "await_deadline": {"type": "float", "default": 300.0},
    "latency_methods": {"type": "list", "elements": "str", "default": ["ListServices"]},
    "latency_calls": {"type": "int", "default": 1000},
    "latency_rate": {"type": "float", "default": 250.0},
    "latency_concurrency": {"type": "int", "default": 0},
    "hold": {"type": "float", "default": 3600.0},
    "churn": {"type": "float", "default": 0.0},
    "churn_interval": {"type": "float", "default": 60.0},
    "churn_purge": {"type": "bool", "default": True},
    "settle": {"type": "float", "default": 1800.0},
    "rounds": {"type": "int", "default": 3},
    "clock_factor": {"type": "float", "default": 1.0},
    "heartbeats": {"type": "str", "choices": ["full", "changes"], "default": "full"},
    "costs": {"type": "str", "choices": ["ideal", "measured", "real"], "default": "real"},
    "objectives": {"type": "list", "elements": "dict", "default": []},
    "objective_changes": {"type": "raw"},
    "fault": {"type": "dict", "default": {}},
    "notes": {"type": "list", "elements": "str", "default": []},
    "memory": {"type": "dict", "default": {}},
    "profiles": {"type": "dict", "default": {}},
    "keep": {"type": "bool", "default": False},
}

_POSITIVE = (
    "services",
    "replicas",
    "latency_calls",
    "latency_rate",
    "create_concurrency",
    "await_deadline",
    "clock_factor",
)


class ActionModule(ControllerAction):
    spec = SPEC

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Make the plan and print it; nothing is touched, so check mode is no different."""
        options = plain(options)
        for name in _POSITIVE:
            if options[name] <= 0:
                return {"failed": True, "msg": f"{name} is {options[name]}: it must be greater than 0."}
        try:
            options["objectives"] = merge(options["objectives"], options["objective_changes"])
        except ObjectiveError as error:
            return {"failed": True, "msg": str(error)}
        folder = run_folder(options["results_dir"], options["run_id"])
        options["results_path"] = str(folder)
        plan = make_plan(options)
        title = f"Plan of run {options['run_id']}, scale {options['scale']}"
        lines = plan_lines(plan_facts(options, plan), plan["notes"], options["marks"], title)
        show(lines)
        return {
            "changed": False,
            "plan": plan,
            "lines": render(lines).splitlines(),
            "results_path": str(folder),
            "run_id": options["run_id"],
            "scale": options["scale"],
            "scenario": options["scenario"],
        }
