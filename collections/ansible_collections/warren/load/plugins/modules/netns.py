#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: netns
short_description: Make or remove hosts that are namespaces of this machine
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Each host has network, mount, pid, ipc and uts namespaces, its own C(/run), C(/var/lib/warren),
    C(/var/lib/containerd), C(/var/tmp/warren-load), C(/etc/hosts) and C(/etc/hostname), and an address on a bridge that
    has no way out of the machine. All else in its file system is the machine's.
  - All hosts are made by one call. What is half made is mended.
  - A host is held by one sleeping process. All of a host ends with it, so that nothing is left behind by a crash.
extends_documentation_fragment:
  - warren.load.attributes
requirements:
  - Linux, root, iproute2 and util-linux
attributes:
  platform:
    platforms: linux
  check_mode:
    description: Tells what it would make or remove, and does neither.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
options:
  state:
    description:
      - V(present) makes the hosts that are missing. Other hosts of the same network stay.
      - V(absent) removes all hosts of the network, with what they wrote to their own folders.
      - V(queried) tells which hosts there are in O(directory), whoever owns them, and changes nothing.
    type: str
    choices: [present, absent, queried]
    default: present
  name:
    description: Name of the network that the hosts are on. The machine's interface is called C(wl-) and this.
    type: str
    default: warren
  directory:
    description: Where networks of hosts are recorded, and where the hosts' own folders lie.
    type: path
    default: /var/lib/warren-load-netns
  owner:
    description:
      - Whose the hosts are. A network that another owner has made is refused.
      - Needed for V(present) and V(absent).
    type: str
  range:
    description: The hosts' network. Its last address is the machine's own.
    type: str
    default: 10.213.0.0/16
  managers:
    description: Names of hosts for managers.
    type: list
    elements: str
    default: []
  workers:
    description: Names of hosts for workers.
    type: list
    elements: str
    default: []
  latency:
    description: Milliseconds by which each host delays what it sends. Needs the kernel's netem.
    type: float
    default: 0
  loss:
    description: Percent of its packets that each host loses. Needs the kernel's netem.
    type: float
    default: 0
  containers:
    description: Whether the workers' hosts are to run containers. Needs control groups in C(/sys/fs/cgroup).
    type: bool
    default: false
seealso:
  - plugin: warren.load.netns
    plugin_type: inventory
  - plugin: warren.load.netns
    plugin_type: connection
"""

EXAMPLES = r"""
- name: Four hosts are there
  warren.load.netns:
    owner: /srv/inventories/netns
    managers: [manager-1]
    workers: [worker-1, worker-2, worker-3]

- name: They are gone
  warren.load.netns:
    owner: /srv/inventories/netns
    state: absent
"""

RETURN = r"""
hosts:
  description: The hosts that are there afterwards.
  returned: success
  type: list
  elements: dict
  sample:
    - name: manager-1
      group: managers
      address: 10.213.0.1
      network: warren
      owner: /srv/inventories/netns
      running: true
made:
  description: Names of the hosts that were made.
  returned: success
  type: list
  elements: str
  sample: [manager-1]
repaired:
  description: Names of the hosts that were dead or half made, and were made anew or completed.
  returned: success
  type: list
  elements: str
  sample: []
removed:
  description: Names of the hosts that were removed.
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import netns_hosts

ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["present", "absent", "queried"], "default": "present"},
    "name": {"type": "str", "default": "warren"},
    "directory": {"type": "path", "default": "/var/lib/warren-load-netns"},
    "owner": {"type": "str"},
    "range": {"type": "str", "default": "10.213.0.0/16"},
    "managers": {"type": "list", "elements": "str", "default": []},
    "workers": {"type": "list", "elements": "str", "default": []},
    "latency": {"type": "float", "default": 0},
    "loss": {"type": "float", "default": 0},
    "containers": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "present", ["owner"]), ("state", "absent", ["owner"])],
        supports_check_mode=True,
    )
    params = module.params
    place = (params["directory"], params["name"])
    outcome = netns_hosts.Outcome()
    try:
        if params["state"] == "present":
            hosts = {name: group for group in netns_hosts.GROUPS for name in params[group]}
            wanted = netns_hosts.Wanted(
                params["owner"], params["range"], hosts, params["latency"], params["loss"], params["containers"]
            )
            outcome = netns_hosts.up(*place, wanted, only_look=module.check_mode)
        elif params["state"] == "absent":
            outcome = netns_hosts.down(*place, params["owner"], only_look=module.check_mode)
        there = netns_hosts.listed(params["directory"])
    except netns_hosts.NetnsError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"The hosts could not be set up: {error.filename or 'system'}: {error.strerror}.")
    module.exit_json(
        changed=outcome.changed,
        made=outcome.made,
        repaired=outcome.repaired,
        removed=outcome.removed,
        hosts=[
            {"network": name, "owner": network.owner, "running": host.running}
            | {"name": host.name, "group": host.group, "address": host.address}
            for name, network in there.items()
            for host in network.hosts.values()
            if name == params["name"] or params["state"] == "queried"
        ],
    )


if __name__ == "__main__":
    main()
