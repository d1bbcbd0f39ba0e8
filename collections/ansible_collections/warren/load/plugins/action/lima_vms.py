# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lima's VMs of an inventory. Documented in plugins/modules/lima_vms.py."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.utils.display import Display

from ansible_collections.warren.load.plugins.plugin_utils import lima_hosts, lima_records
from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.limactl import Limactl, LimactlError, find_limactl, home_of

SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "absent", "listed"], "default": "present"},
    "mark": {"type": "str", "required": True},
    "vms": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "role": {"type": "str", "required": True},
            "definition": {"type": "dict", "required": True},
        },
    },
    "limactl": {"type": "str", "default": "limactl"},
    "lima_home": {"type": "str"},
    "state_dir": {"type": "str"},
    "start_timeout": {"type": "float", "default": 600},
    "list_timeout": {"type": "float", "default": 30},
    "clone_from": {"type": "int", "default": 0},
    "golden": {"type": "str", "default": "warren-golden"},
    "emulation": {"type": "bool", "default": False},
    "disk_each": {"type": "str", "default": "3GiB"},
}


class ActionModule(ControllerAction):
    spec = SPEC
    sentences = (LimactlError,)

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do what the state asks for, with a line for each step."""
        # Values of a playbook are marked as such; limactl and YAML want plain ones.
        options = json.loads(json.dumps(options))
        try:
            maker = self._maker(options)
            if options["state"] == "listed":
                return {"changed": False, "vms": [_row(each, options["mark"]) for each in maker.all()]}
            change = maker.down() if options["state"] == "absent" else self._up(maker, options)
        except OSError as error:
            return {"failed": True, "msg": f"{error.filename} cannot be used: {error.strerror}."}
        if change.failed:
            return {"failed": True, "msg": "\n".join(change.failed), "warnings": change.warnings}
        return {"changed": bool(change.done), "done": change.done, "warnings": change.warnings}

    def _maker(self, options: dict[str, t.Any]) -> lima_hosts.Maker:
        home = home_of(options["lima_home"] or "", os.environ)
        state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
        limactl = Limactl(find_limactl(options["limactl"]), home, options["list_timeout"])
        limactl.check_version()
        return lima_hosts.Maker(
            limactl=limactl,
            notes=lima_hosts.Notes(options["state_dir"] or os.path.join(state, "warren-load"), home),
            mark=options["mark"],
            say=_say,
            start_timeout=options["start_timeout"],
            clone_from=options["clone_from"],
            golden=options["golden"],
            check=bool(self._task.check_mode),
            others=lima_hosts.writing,
        )

    def _up(self, maker: lima_hosts.Maker, options: dict[str, t.Any]) -> lima_hosts.Change:
        wanted = [lima_hosts.Wanted(each["name"], each["role"], each["definition"]) for each in options["vms"]]
        disk_each = lima_hosts.size(options["disk_each"])
        vm_type = str(wanted[0].definition.get("vmType") or "") if wanted else ""

        def before(new: list[lima_hosts.Wanted], starting: list[lima_hosts.Wanted]) -> list[str]:
            machine = lima_hosts.this_machine(maker.limactl.home)
            return lima_hosts.shortages(new, starting, machine, vm_type, options["emulation"], disk_each)

        return maker.up(wanted, before)


def _row(instance: lima_records.Instance, mark: str) -> dict[str, t.Any]:
    owner = lima_hosts.owner_of(instance)
    row = {"name": instance["name"], "status": instance["status"], "role": lima_records.role_of(instance)}
    return row | {"mark": owner, "mine": owner == mark, "cpus": instance["cpus"], "memory": instance["memory"]}


def _say(text: str) -> None:
    Display().display(f"{'lima':<11}{text}")
