#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: fault
short_description: Do harm to a host of a cluster for a while, and undo it in any case
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - With O(state=armed), leaves a small program running on the host, the watchdog. It does the fault, and undoes it when
    it is told to, after O(seconds), or when nobody has renewed it for O(lease) seconds. It needs neither Ansible nor a
    connection for that.
  - What undoing needs is on the disk, for the caller's eyes only, before anything is done. So O(state=undone) also
    undoes the fault of a watchdog that was killed. To undo twice changes nothing.
  - A process is named by its number and its start. Another one that got its number later is never touched.
  - A host has one fault at a time unless O(together).
extends_documentation_fragment:
  - warren.load.attributes
options:
  state:
    description:
      - V(armed) does the fault.
      - V(renewed) has the faults of O(run_id) go on for O(lease) seconds from now.
      - V(undone) undoes the faults of O(run_id), with O(id) that one alone. Without either it undoes all.
      - V(queried) tells which faults are recorded and, with O(kind), whether this host could do such a one.
    type: str
    choices: [armed, renewed, undone, queried]
    default: armed
  dir:
    description: The folder of all faults on the host, in the node's work folder.
    type: path
    required: true
  id:
    description: Names the fault, and its folder below O(dir). By default O(kind).
    type: str
  kind:
    description:
      - What to do. Needed for V(armed).
      - V(kill) ends a process with SIGKILL. Nothing brings it back but a new start.
      - V(pause) stops a process with SIGSTOP.
      - V(cut) lets nothing that the host sends from or to the ports of O(addresses) go anywhere.
      - V(packet_loss) loses a part of what the host sends, which needs the kernel's netem.
      - V(slow_disk) limits what a process reads and writes of its disk, which needs control groups of version 2.
      - V(clock_step) sets the host's clock wrong.
      - V(memory_pressure) takes memory.
    type: str
    choices: [kill, pause, cut, packet_loss, slow_disk, clock_step, memory_pressure]
  target:
    description: What sentences call the process or the host. By default the host's own name.
    type: str
  run_id:
    description: The run that the fault belongs to. Needed for V(armed) and V(renewed).
    type: str
  seconds:
    description: After how many seconds, at most 3600, it is undone at the latest.
    type: float
    default: 60
  lease:
    description: After how many seconds without O(state=renewed) it is undone. V(0) asks for none.
    type: float
    default: 25
  together:
    description: Whether the host may have other faults, with other ids, at the same time.
    type: bool
    default: false
  pid_file:
    description:
      - The pid file of the process, as M(warren.load.process) keeps it. Needed for V(kill), V(pause) and V(slow_disk).
    type: path
  pid:
    description: The number that the process had when it was chosen. The task fails where it has another one by now.
    type: int
    default: 0
  addresses:
    description:
      - For V(cut), addresses as C(host:port) whose ports are cut off, here and on the hosts that this one calls.
      - For a manager they are those of all managers, for their ports may differ.
    type: list
    elements: str
    default: []
  interface:
    description: For V(packet_loss), the network interface. By default that of the default route, else the only one.
    type: str
    default: ""
  loss:
    description: For V(packet_loss), the percentage that is lost.
    type: float
    default: 0
  offset:
    description: For V(clock_step), by how many seconds the clock is to be wrong.
    type: float
    default: 0
  memory:
    description: For V(memory_pressure), how many MB are taken.
    type: int
    default: 0
  path:
    description: For V(slow_disk), a path on the disk.
    type: path
    default: ""
  bytes_per_second:
    description: For V(slow_disk), how many bytes a second may be read, and as many written. V(0) sets no limit.
    type: int
    default: 0
  iops:
    description: For V(slow_disk), how many reads a second there may be, and as many writes. V(0) sets no limit.
    type: int
    default: 0
  shares_kernel:
    description: Whether the host's clock and memory are also those of other hosts, as in namespaces and in the sandbox.
    type: bool
    default: false
  anyway:
    description: Whether V(clock_step) and V(memory_pressure) are done although O(shares_kernel), to the whole machine.
    type: bool
    default: false
attributes:
  check_mode:
    description: Tells whether it would do or undo something, and does neither.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  action:
    description: Has an action plugin that makes a host which cannot be reached a failed task.
    support: full
"""

EXAMPLES = r"""
- name: The leader stops for 20 seconds
  warren.load.fault:
    dir: /srv/manager-1/faults
    kind: pause
    target: manager-1
    run_id: 20261123-120102-4f1a
    pid_file: /srv/manager-1/pid.json
    seconds: 20

- name: Can this host be cut off
  warren.load.fault:
    state: queried
    dir: /srv/manager-1/faults
    kind: cut
    addresses: ["10.0.0.1:8080", "10.0.0.1:7946", "10.0.0.2:8080", "10.0.0.2:7946"]

- name: Nothing is wrong any more
  warren.load.fault:
    state: undone
    dir: /srv/manager-1/faults
"""

RETURN = r"""
faults:
  description: >-
    The faults that were armed, renewed, undone or found. C(state) is armed, active, undone or failed. C(began) and
    C(ended) are the host's Unix times, C(ended) by a clock that nobody sets. C(undone_by) is told, deadline, lease,
    cleanup (its watchdog was killed) or restart (of the host). C(outcome) says what undoing found.
  returned: always
  type: list
  elements: dict
  sample:
    - id: pause
      kind: pause
      target: manager-1
      run_id: 20261123-120102-4f1a
      state: undone
      began: 1763900000.25
      ended: 1763900020.25
      seconds: 20.0
      undone_by: deadline
      outcome: manager-1 goes on
      watched: false
pid:
  description: The number of the process that O(pid_file) names, for O(pid) later; V(0) where none runs.
  returned: with O(state=queried) and O(kind)
  type: int
  sample: 4711
possible:
  description: Whether this host can do it, and has no other fault unless O(together).
  returned: with O(state=queried) and O(kind)
  type: bool
  sample: false
reason:
  description: Why it cannot, as a sentence with the remedy; empty where it can.
  returned: with O(state=queried) and O(kind)
  type: str
  sample: "Fault cut needs root on the host: set ansible_become to true."
"""

import dataclasses
import platform
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import fault_kinds, faults, supervision
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import Ask, FaultError

ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["armed", "renewed", "undone", "queried"], "default": "armed"},
    "dir": {"type": "path", "required": True},
    "id": {"type": "str"},
    "kind": {"type": "str", "choices": list(fault_kinds.KINDS)},
    "target": {"type": "str"},
    "run_id": {"type": "str"},
    "seconds": {"type": "float", "default": 60},
    "lease": {"type": "float", "default": 25},
    "together": {"type": "bool", "default": False},
    "pid_file": {"type": "path"},
    "pid": {"type": "int", "default": 0},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "interface": {"type": "str", "default": ""},
    "loss": {"type": "float", "default": 0},
    "offset": {"type": "float", "default": 0},
    "memory": {"type": "int", "default": 0},
    "path": {"type": "path", "default": ""},
    "bytes_per_second": {"type": "int", "default": 0},
    "iops": {"type": "int", "default": 0},
    "shares_kernel": {"type": "bool", "default": False},
    "anyway": {"type": "bool", "default": False},
}
SHOWN = ("id", "kind", "run_id", "state", "began", "ended", "seconds", "undone_by", "outcome")


def ask_of(params: dict[str, t.Any]) -> Ask:
    """The fault that the task's options describe."""
    names = {field.name for field in dataclasses.fields(Ask)} - {"name"}
    given = {name: params[name] for name in names if params[name] is not None}
    return Ask(name=params["target"] or platform.node(), **given)


def refusal(params: dict[str, t.Any]) -> str:
    """Why the fault cannot be done here, other faults aside; empty where it can."""
    ask = ask_of(params)
    try:
        faults.check(params["id"] or ask.kind, params["seconds"], params["lease"])
        return faults.kind_of(ask.kind).refusal(ask) or ""
    except FaultError as error:
        return str(error)


def told(folder: str, found: list[faults.State]) -> list[dict[str, t.Any]]:
    """The faults as the task returns them."""
    return [
        {
            **{name: getattr(state, name) for name in SHOWN},
            "target": state.name,
            "watched": faults.watchdog_runs(folder, state.id),
        }
        for state in found
    ]


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Do what the task asks for. Raises FaultError."""
    folder, run_id, state = params["dir"], params["run_id"], params["state"]
    found = faults.states(folder)
    if state == "queried":
        if not params["kind"]:
            return {"changed": False, "faults": told(folder, found)}
        reason = "" if params["together"] else faults.busy(folder) or ""
        reason = reason or refusal(params)
        record = supervision.running_record(params["pid_file"]) if params["pid_file"] else None
        pid = record.pid if record else 0
        return {"changed": False, "faults": told(folder, found), "possible": not reason, "reason": reason, "pid": pid}
    wanted = [one for one in found if one.going and run_id in (None, one.run_id)]
    if state == "renewed":
        going = wanted if check_mode else faults.renew(folder, run_id)
        return {"changed": bool(going), "faults": told(folder, going)}
    if state == "undone":
        wanted = [one for one in wanted if params["id"] in (None, one.id)]
        undone = wanted if check_mode else faults.undo(folder, run_id, params["id"])
        return {"changed": bool(undone), "faults": told(folder, undone)}
    if check_mode:
        refused = refusal(params)
        if refused:
            raise FaultError(refused)
        return {"changed": True, "faults": []}
    ask = ask_of(params)
    how = {name: params[name] for name in ("seconds", "lease", "together")}
    armed, done = faults.arm(folder, params["id"] or ask.kind, ask, run_id, **how)
    return {"changed": done, "faults": told(folder, [armed])}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "armed", ["kind", "run_id"]), ("state", "renewed", ["run_id"])],
        supports_check_mode=True,
    )
    try:
        result = run(module.params, module.check_mode)
    except FaultError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"Faults cannot use {error.filename or module.params['dir']}: {error.strerror}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
