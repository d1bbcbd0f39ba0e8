# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: lima
short_description: Lima's virtual machines
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Reads L(Lima,https://lima-vm.io)'s instances with C(limactl list). Lima 1.0 or later.
  - Each host has all that SSH needs as variables. Lima's own SSH connection, which carries its port forwards, is never
    used, so C(meta=reset_connection) does it no harm.
  - An instance that Lima cannot read is left out with a warning, and the others are there.
  - A VM is I(Running) before its SSH answers. Use M(ansible.builtin.wait_for_connection).
  - The file's name must end in C(lima.yml) or C(lima.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
notes:
  - Ports change with every start of a VM. So the cache does not keep them. With a cache they are read from the
    C(ssh.config) that Lima writes at each start.
  - Expressions (O(compose), O(groups), O(keyed_groups), O(filters), O(hostname)) may use all host variables, and
    besides them C(lima_env), C(lima_param) and C(lima_config), which hosts only have with O(with_config), since they
    may hold secrets. The cache holds them too.
options:
  plugin:
    description: That this file is for this plugin.
    type: str
    required: true
    choices: [warren.load.lima]
  limactl:
    description: The program, as a path or a name on C(PATH).
    type: str
    default: limactl
    env:
      - name: WARREN_LOAD_LIMACTL
  lima_homes:
    description:
      - The directories that Lima keeps its instances in, each of which is listed.
      - By default that in E(LIMA_HOME), else C(~/.lima).
      - Where one of several cannot be listed, a warning says so, and the others are there.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds after which C(limactl list) is ended. A VM whose host agent hangs costs it 3.
    type: float
    default: 30
    env:
      - name: WARREN_LOAD_LIMACTL_TIMEOUT
  statuses:
    description:
      - Instances with another status are left out.
      - V(Stopped) ones have no connection variables. V(Broken) ones have them if their VM still runs, which it does
        when only Lima's host agent died.
    type: list
    elements: str
    choices: [Running, Stopped, Broken, Installing, Uninitialized]
    default: [Running]
  names:
    description: Shell patterns. Instances whose name fits none are left out. By default none is.
    type: list
    elements: str
    default: []
  filters:
    description:
      - Which of the instances that O(statuses) and O(names) let through become hosts. The first entry whose expression
        is true decides. Where none is, the instance is included. So after C(include) entries comes C(exclude=true).
    type: list
    elements: dict
    default: []
    suboptions:
      include:
        description: An expression. Instances for which it is true are included.
        type: raw
      exclude:
        description: An expression. Instances for which it is true are left out.
        type: raw
  hostname:
    description:
      - An expression for the hosts' names, such as V(lima_name ~ '.lima'). By default the instance's name.
      - Needed where two of O(lima_homes) have an instance of the same name.
    type: str
  hostvars_prefix:
    description: What the names of the variables about an instance begin with, but for those that Ansible knows.
    type: str
    default: lima_
  group:
    description: A group of all hosts. Empty for none.
    type: str
    default: lima
  role_groups:
    description:
      - Whether hosts with a role in Warren's cluster are put into groups V(managers), V(workers) and V(generators).
      - The role is that in C(env) (C(WARREN_LOAD_ROLE) or C(WARREN_ROLE)) or C(param) (C(role)) of the instance's
        C(lima.yaml), else that in a name such as V(warren-manager-1).
    type: bool
    default: true
  connect_with:
    description:
      - V(direct) names address, port, user and key. The user's own SSH configuration does not interfere.
      - V(ssh_config) uses the file that Lima writes, for what only that has, without connection sharing.
    type: str
    choices: [direct, ssh_config]
    default: direct
  user_v2_addresses:
    description:
      - Whether to ask the daemon of network C(user-v2) for the address of each VM, which becomes C(lima_address).
      - By an interface of Lima's own (the leases at its socket, which it may change), since C(limactl list) has none.
    type: bool
    default: false
  with_config:
    description: Whether hosts get C(lima_env), C(lima_param) and C(lima_config), the whole C(lima.yaml).
    type: bool
    default: false
"""

EXAMPLES = r"""
# Every VM that runs. Save as my.lima.yml, and look: ansible-inventory -i my.lima.yml --graph
plugin: warren.load.lima

---
# Stopped ones too, grouped by architecture and by what their lima.yaml says in env
plugin: warren.load.lima
statuses: [Running, Stopped]
keyed_groups:
  - {key: lima_arch, prefix: arch}
  - {key: lima_env.TIER, prefix: tier}

---
# Two sets of instances in one inventory
plugin: warren.load.lima
lima_homes: [~/.lima, /srv/lima]
hostname: lima_name ~ '.' ~ (lima_home | basename)

---
# A Warren cluster: its hosts reach each other on network user-v2
plugin: warren.load.lima
names: ["warren-*"]
filters:
  - exclude: lima_env.TIER is defined and lima_env.TIER == 'old'
user_v2_addresses: true
compose:
  warren_load_node_address: lima_address
"""

import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.warren.load.plugins.plugin_utils import lima_records as records
from ansible_collections.warren.load.plugins.plugin_utils.limactl import (
    Limactl,
    LimactlError,
    find_limactl,
    home_of,
    machine_id,
)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "warren.load.lima"

    def verify_file(self, path: str) -> bool:
        """Whether the file is for this plugin, by its name."""
        return bool(super().verify_file(path)) and path.endswith(("lima.yml", "lima.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from the options in the file at ``path``."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            for instance in self._instances(path, cache):
                self._add(instance)
        except LimactlError as error:
            raise AnsibleParserError(str(error)) from None

    def _instances(self, path: str, cache: bool) -> list[records.Instance]:
        """From the cache, where that is wanted and has them, else from limactl."""
        if not self.get_option("cache"):
            return self._listed()
        key = self.get_cache_key(path)
        if cache:
            try:
                return [_with_its_port(t.cast("records.Instance", kept)) for kept in self._cache[key]]
            except KeyError:
                pass
        found = self._listed()
        self._cache[key] = [{**instance, "ssh_port": None} for instance in found]
        return found

    def _listed(self) -> list[records.Instance]:
        program = find_limactl(str(self.get_option("limactl")))
        homes = [str(home) for home in self.get_option("lima_homes")] or [""]
        found: list[records.Instance] = []
        failed: list[LimactlError] = []
        for home in homes:
            limactl = Limactl(program, home_of(home, os.environ), float(self.get_option("timeout")))
            try:
                instances, warnings = limactl.instances()
            except LimactlError as error:
                if error.everywhere:
                    raise
                failed.append(error)
                continue
            for warning in warnings:
                self.display.warning(warning)
            found += instances
        if failed and (len(failed) == len(homes) or self.get_option("strict")):
            raise failed[0]
        for each in failed:
            self.display.warning(str(each))
        return found

    def _add(self, instance: records.Instance) -> None:
        """Make it a host, unless the options leave it out."""
        if not records.named(instance, self.get_option("names")):
            return
        if instance["status"] not in self.get_option("statuses"):
            self._say_what_is_wrong(instance)
            return
        prefix = str(self.get_option("hostvars_prefix"))
        facts = records.host_variables(instance, prefix)
        more = records.expression_variables(instance, prefix)
        if self.get_option("user_v2_addresses"):
            address = self._address(instance)
            facts |= {f"{prefix}address": address} if address else {}
        facts |= more if self.get_option("with_config") else {}
        facts |= records.connection_variables(instance, str(self.get_option("connect_with")))
        if not self._included(instance, facts | more):
            return

        naming = self.get_option("hostname")
        host = str(self._evaluated("hostname", naming, facts | more, instance)) if naming else instance["name"]
        if host in self.inventory.hosts:
            other = self.inventory.get_host(host).get_vars().get(f"{prefix}dir")
            raise AnsibleParserError(
                f"Two instances would be host {host}, those in {other} and {instance['dir']}: give them different "
                f"names with option hostname, such as {prefix}name ~ '.' ~ ({prefix}home | basename)."
            )
        self.inventory.add_host(host)
        for name, value in facts.items():
            self.inventory.set_variable(host, name, value)
        groups = [str(self.get_option("group"))]
        groups += [records.ROLES.get(records.role_of(instance), "")] if self.get_option("role_groups") else []
        for group in filter(None, groups):
            self.inventory.add_host(host, self.inventory.add_group(group))
        self._construct(host, facts | more)

    def _construct(self, host: str, variables: dict[str, t.Any]) -> None:
        """Variables and groups as the file wants them."""
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)

    def _included(self, instance: records.Instance, variables: dict[str, t.Any]) -> bool:
        """What the first filter that fits says."""
        for entry in self.get_option("filters"):
            kinds = [kind for kind in ("include", "exclude") if entry.get(kind) is not None]
            if len(entry) != 1 or len(kinds) != 1:
                raise AnsibleParserError(
                    f"Option filters has the entry {entry!r}: say either include or exclude in each."
                )
            (kind,) = kinds
            if self._evaluated("filters", entry[kind], variables, instance):
                return kind == "include"
        return True

    def _evaluated(
        self, option: str, expression: t.Any, variables: dict[str, t.Any], instance: records.Instance
    ) -> t.Any:
        if isinstance(expression, bool):
            return expression
        try:
            return self._compose(expression, variables)
        except Exception as error:
            raise AnsibleParserError(
                f"Option {option} has the expression {str(expression)!r}, which has no value for instance "
                f"{instance['name']}: {error}"
            ) from None

    def _address(self, instance: records.Instance) -> str:
        """Where other VMs reach it, empty where that is not known."""
        if "user-v2" not in instance["networks"] or not records.reachable(instance):
            return ""
        home = instance["home"]
        if home not in self._leases:
            try:
                self._leases[home] = Limactl("", home).leases("user-v2")
            except OSError as error:
                self._leases[home] = {}
                self.display.warning(
                    f"Lima's network user-v2 in {home} does not tell its addresses ({error.strerror or error}), so its "
                    "hosts have no lima_address."
                )
        return records.address_of(instance, self._machine_id, self._leases[home])

    def _say_what_is_wrong(self, instance: records.Instance) -> None:
        """An instance that is left out and should not be as it is."""
        if instance["status"] == records.NOT_KNOWN or not instance["config"]:
            self.display.warning(
                f"Lima cannot read {instance['dir']}/lima.yaml: instance {instance['name']} was left out."
            )
        elif instance["status"] == "Broken":
            self.display.warning(
                f"Instance {instance['name']} is Broken, and was left out: `limactl stop -f {instance['name']}` and a "
                "start repair it, and statuses: [Running, Broken] keeps it."
            )

    def __init__(self) -> None:
        super().__init__()
        self._leases: dict[str, dict[str, str]] = {}
        self._machine_id = machine_id()


def _with_its_port(instance: records.Instance) -> records.Instance:
    """A kept one, with the port of its VM's latest start."""
    port = None
    try:
        with open(instance["ssh_config_file"], encoding="utf-8", errors="replace") as stream:
            port = records.port_in(stream.read())
    except OSError:
        pass
    return {**instance, "ssh_port": port}
