# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: netns
short_description: Hosts that are namespaces of this machine
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Lists the hosts that P(warren.load.netns#module) made, in the groups C(managers) and C(workers), with their address
    (C(ansible_host), C(warren_load_node_address)) and how Ansible enters them.
  - The group C(generators) is this machine, which reaches the hosts over one interface.
  - Its file ends in C(netns.yml) or C(netns.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [warren.load.netns]
  name:
    description:
      - Name of the network that the hosts are on, at most 12 lower-case letters, digits and dashes.
      - Every host gets it as C(warren_load_netns_name), so that the playbooks make what this lists.
    type: str
    default: warren
    env:
      - name: WARREN_LOAD_NETNS_NAME
  directory:
    description:
      - Where networks of hosts are recorded.
      - Every host gets it as C(warren_load_netns_directory).
    type: path
    default: /var/lib/warren-load-netns
    env:
      - name: WARREN_LOAD_NETNS_DIRECTORY
"""

EXAMPLES = r"""
# inventories/netns/netns.yml
plugin: warren.load.netns

# A second network of hosts beside the first. Give it another warren_load_netns_range, too.
---
plugin: warren.load.netns
name: blue
"""

import sys
import typing as t

from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ansible_collections.warren.load.plugins.module_utils.node import netns_hosts


class InventoryModule(BaseInventoryPlugin, Constructable):
    NAME = "warren.load.netns"

    def verify_file(self, path: str) -> bool:
        """Whether the file is one for this plugin."""
        return bool(super().verify_file(path)) and path.endswith(("netns.yml", "netns.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Put the hosts into the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        name, directory = str(self.get_option("name") or "warren"), str(self.get_option("directory"))
        for group in (*netns_hosts.GROUPS, "generators"):
            inventory.add_group(group)
        inventory.set_variable("all", "warren_load_netns_name", name)
        inventory.set_variable("all", "warren_load_netns_directory", directory)
        inventory.add_host("localhost", group="generators")
        self._set("localhost", {"ansible_connection": "local", "ansible_python_interpreter": sys.executable})
        try:
            network = netns_hosts.read(directory, name)
        except netns_hosts.NetnsError as error:
            self.display.warning(str(error))  # hosts-down must still get to work
            return
        for host in network.hosts.values() if network else []:
            inventory.add_host(host.name, group=host.group)
            variables = {
                "ansible_connection": "warren.load.netns",
                "ansible_host": host.address,
                "ansible_netns_directory": directory,
                "ansible_netns_host": host.name,
                "ansible_netns_network": name,
                "ansible_pipelining": True,
                "ansible_python_interpreter": sys.executable,
                "warren_load_node_address": host.address,
            }
            self._set(host.name, variables)
            strict = self.get_option("strict")
            self._set_composite_vars(self.get_option("compose"), variables, host.name, strict=strict)
            self._add_host_to_composed_groups(self.get_option("groups"), variables, host.name, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host.name, strict=strict)

    def _set(self, host: str, variables: dict[str, t.Any]) -> None:
        for key, value in variables.items():
            self.inventory.set_variable(host, key, value)
