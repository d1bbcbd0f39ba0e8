#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look whether a cluster is fit for a load test."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Look whether a cluster is fit for a load test
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Changes nothing. Fails where no manager can be reached, TLS cannot be agreed on, there is no leader, too few workers
    are ready, a manager of the inventory is in another cluster, services are there that no run of this collection made,
    real workers could never pull the image, or a host lacks disk or open files. Each is one sentence with its remedy.
  - What does not forbid a load test becomes a finding.
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
  action:
    description: Has an action plugin that makes a host which cannot be reached a failed task.
    support: full
options:
  workers:
    description: How many workers should be ready.
    type: int
    default: 1
  worker_names:
    description: The workers that the inventory names.
    type: list
    elements: str
    default: []
  to_spare:
    description: How many of O(workers) may be missing; they are named in RV(findings).
    type: int
    default: 0
  hollow_prefix:
    description: What the names of hollow workers begin with; a number follows. They pull no image.
    type: str
    default: ""
  listed:
    description: Whether O(managers) are those of an inventory, which is compared with the cluster, and not one address.
    type: bool
    default: false
  image:
    description: The image of the services.
    type: str
    default: ""
  containers:
    description: How many containers will be asked for.
    type: int
    default: 0
  container_memory:
    description: MB that a container of a real worker takes with its shim. V(0) compares nothing with what there is.
    type: float
    default: 0.0
  outstanding:
    description: How many calls may be outstanding at a time.
    type: int
    default: 1
  hold:
    description: For how many seconds the load will be held, V(0) for a load that is not.
    type: float
    default: 0.0
  hosts:
    description: What M(warren.load.host_info) returned of each host, or its name with C(unreachable).
    type: list
    elements: dict
    default: []
  allow_foreign:
    description: Whether to go on where services are that no run of this collection made.
    type: bool
    default: false
  leader_timeout:
    description: How many seconds to wait for a leader.
    type: float
    default: 15.0
"""

EXAMPLES = r"""
- name: Look at the cluster
  warren.load.preflight:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    workers: 2
"""

RETURN = r"""
leader:
  description: The name of the leader.
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
      tls: true
      how: ca file
      pin: 5f3a01c2
      pinned_now: false
voter_addresses:
  description: The Raft address of each of RV(voters).
  returned: success
  type: dict
  sample: {manager-1: "10.0.0.1:7946"}
voters:
  description: The managers that the cluster itself counts, dead ones included.
  returned: success
  type: list
  elements: str
  sample: [manager-1]
dialect:
  description: The names that the servers give to their RPCs.
  returned: success
  type: str
  sample: containers
security:
  description: How the leader proved who it is. V(plaintext), V(ca file) or V(pinned).
  returned: success
  type: str
  sample: ca file
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
services_foreign:
  description: Names of services that no run of this collection made.
  returned: success
  type: list
  elements: str
  sample: []
leftovers:
  description: What earlier runs left, by run id.
  returned: success
  type: dict
  sample: {20261122-101010-00aa: {services: 0, containers: 150}}
container_records:
  description: How many container records there are, those of deleted services included.
  returned: success
  type: int
  sample: 150
memory:
  description: >-
    The real worker on which Warren will place the containers, MB that they need there, and MB that there are. Empty
    where workers are hollow or their hosts are not known.
  returned: success
  type: dict
  sample: {name: worker-1, needed: 2250, available: 7310}
findings:
  description: Sentences that belong into the plan and the report.
  returned: success
  type: list
  elements: str
  sample: ["Earlier runs left 0 services and 150 container records (20261122-101010-00aa): cleanup.yml removes them."]
"""

from ansible_collections.warren.load.plugins.module_utils.phases import preflight
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_query

ARGUMENTS: Arguments = {
    "workers": {"type": "int", "default": 1},
    "worker_names": {"type": "list", "elements": "str", "default": []},
    "to_spare": {"type": "int", "default": 0},
    "hollow_prefix": {"type": "str", "default": ""},
    "listed": {"type": "bool", "default": False},
    "image": {"type": "str", "default": ""},
    "containers": {"type": "int", "default": 0},
    "container_memory": {"type": "float", "default": 0.0},
    "outstanding": {"type": "int", "default": 1},
    "hold": {"type": "float", "default": 0.0},
    "hosts": {"type": "list", "elements": "dict", "default": []},
    "allow_foreign": {"type": "bool", "default": False},
    "leader_timeout": {"type": "float", "default": 15.0},
}


def main() -> None:
    run_query(preflight.run, preflight.Options, ARGUMENTS)


if __name__ == "__main__":
    main()
