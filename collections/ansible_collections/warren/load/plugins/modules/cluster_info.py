#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a cluster, or wait until it is as it should be."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Look at a Warren cluster, or wait until it is ready
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Returns who leads, who votes, the nodes, and how many services and containers there are.
  - With O(wait_for) it looks again until the cluster is as asked for, and fails with one sentence if it is not in time.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.connection
attributes:
  check_mode:
    description: Changes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
options:
  wait_for:
    description: What to wait for. All of it must be so at the same moment.
    type: dict
    suboptions:
      managers:
        description: How many voters the leader must count, all of them known to it as voters.
        type: int
      leader:
        description: Whether there must be a leader.
        type: bool
        default: true
      ready_workers:
        description: How many workers must be ready.
        type: int
  timeout:
    description: How many seconds to wait. Without O(wait_for), how long a manager may take to answer.
    type: float
    default: 10.0
"""

EXAMPLES = r"""
- name: Wait for three managers and five workers
  warren.load.cluster_info:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    wait_for: {managers: 3, ready_workers: 5}
    timeout: 60
"""

RETURN = r"""
leader:
  description: The name of the leader, or null.
  returned: success
  type: str
  sample: manager-1
managers:
  description: Every known manager, whether it answers, and how it proved who it is.
  returned: success
  type: list
  elements: dict
  sample:
    - name: manager-1
      api_address: 10.0.0.1:8080
      raft_address: 10.0.0.1:7946
      listed: true
      reachable: true
      voters: {manager-1: "10.0.0.1:7946"}
      leader: true
      tls: false
      how: plaintext
      pin: null
      pinned_now: false
voter_addresses:
  description: The Raft address of each of RV(voters).
  returned: success
  type: dict
  sample: {manager-1: "10.0.0.1:7946", manager-2: "10.0.0.2:7946", manager-3: "10.0.0.3:7946"}
voters:
  description: The managers that the cluster itself counts, dead ones included.
  returned: success
  type: list
  elements: str
  sample: [manager-1, manager-2, manager-3]
dialect:
  description: The names that the servers give to their RPCs.
  returned: success
  type: str
  sample: tasks
security:
  description: How the manager that answered proved who it is. V(plaintext), V(ca file) or V(pinned).
  returned: success
  type: str
  sample: plaintext
workers_ready:
  description: The nodes that containers can be placed on.
  returned: success
  type: list
  elements: str
  sample: [worker-1, worker-2]
nodes:
  description: How many nodes there are in each status.
  returned: success
  type: dict
  sample: {ready: 2}
node_list:
  description:
    - A row for each node, with the age of its last heartbeat in s, its containers by state, and how many of them are to
      run (C(held)).
  returned: success
  type: list
  elements: dict
  sample:
    - name: worker-1
      role: worker
      status: ready
      address: 10.0.0.4
      heartbeat_age: 2.1
      containers: {running: 75}
      held: 75
orphans:
  description: How many container records belong to services that are deleted.
  returned: success
  type: int
  sample: 0
services:
  description: How many services there are.
  returned: success
  type: int
  sample: 50
services_foreign:
  description: Names of services that no run of this collection made.
  returned: success
  type: list
  elements: str
  sample: []
leftovers:
  description: What is there of runs of this collection, by run id.
  returned: success
  type: dict
  sample: {20261122-101010-00aa: {services: 50, containers: 150}}
container_records:
  description: How many container records there are, those of deleted services included.
  returned: success
  type: int
  sample: 150
containers:
  description: How many container records there are in each actual state.
  returned: success
  type: dict
  sample: {running: 150}
"""

from ansible_collections.warren.load.plugins.module_utils.phases import cluster_info
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_query

ARGUMENTS: Arguments = {
    "wait_for": {
        "type": "dict",
        "options": {
            "managers": {"type": "int"},
            "leader": {"type": "bool", "default": True},
            "ready_workers": {"type": "int"},
        },
    },
    "timeout": {"type": "float", "default": 10.0},
}


def main() -> None:
    run_query(cluster_info.run, cluster_info.Options, ARGUMENTS)


if __name__ == "__main__":
    main()
