#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose whom a fault hits."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fault_target
short_description: Choose by its role whom a fault is to hit
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Asks the cluster who leads it, or which worker holds most containers, at the moment at which the fault is due.
  - Fails where the cluster would not recover. A cluster of one manager has nobody to take over. A cluster that keeps no
    majority is never written again, since a killed manager stays a voter. From Warren v1.1 on no manager can join
    again. Containers of a worker need another worker.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.connection
attributes:
  check_mode:
    description: Changes nothing, also without check mode.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
options:
  role:
    description: Whose turn it is. V(worker) is the one that holds most containers.
    type: str
    choices: [leader, follower, worker]
    required: true
  kind:
    description: The kind of M(warren.load.fault).
    type: str
    required: true
  count:
    description: How many, of V(worker) those that hold most.
    type: int
    default: 1
  hit:
    description:
      - Who was hit before, in turns that are over. They are not chosen, and who was killed is not counted on, though
        the cluster may still take it for ready.
    type: list
    elements: str
    default: []
  anyway:
    description: Whether what would be refused is returned in RV(notes) instead.
    type: bool
    default: false
  beside:
    description: The work folder of a phase M(warren.load.create). The choice is made O(after) its first create.
    type: path
  after:
    description: How many seconds after the first create, with O(beside).
    type: float
    default: 0.0
"""

EXAMPLES = r"""
- name: Who leads now
  warren.load.fault_target:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
      - {name: manager-2, api_address: 10.0.0.2:8080, raft_address: 10.0.0.2:7946}
      - {name: manager-3, api_address: 10.0.0.3:8080, raft_address: 10.0.0.3:7946}
    role: leader
    kind: kill
"""

RETURN = r"""
targets:
  description: The names to hit, in this order.
  returned: success
  type: list
  elements: str
  sample: [manager-2]
notes:
  description: Sentences about what the fault will mean.
  returned: success
  type: list
  elements: str
  sample: ["worker-1 holds all 600 containers, as Warren's scheduler places them."]
leader:
  description: Who leads the cluster.
  returned: success
  type: str
  sample: manager-2
voters:
  description: The managers that elect, those that are gone included.
  returned: success
  type: list
  elements: str
  sample: [manager-1, manager-2, manager-3]
workers_ready:
  description: The workers that are ready.
  returned: success
  type: list
  elements: str
  sample: [worker-1, worker-2]
held:
  description: How many containers the workers that are hit run, or are to run.
  returned: success
  type: dict
  sample: {worker-1: 600}
"""

from ansible_collections.warren.load.plugins.module_utils.phases import fault_target
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_query

ARGUMENTS: Arguments = {
    "role": {"type": "str", "choices": list(fault_target.ROLES), "required": True},
    "kind": {"type": "str", "required": True},
    "count": {"type": "int", "default": 1},
    "hit": {"type": "list", "elements": "str", "default": []},
    "anyway": {"type": "bool", "default": False},
    "beside": {"type": "path"},
    "after": {"type": "float", "default": 0.0},
}


def main() -> None:
    run_query(fault_target.run, fault_target.Options, ARGUMENTS)


if __name__ == "__main__":
    main()
