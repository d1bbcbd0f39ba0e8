# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reaches hosts that module netns made: runs Ansible's local connection in their namespaces."""

from __future__ import annotations

DOCUMENTATION = r"""
name: netns
short_description: Run tasks in a host that is namespaces of this machine
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Enters the network, mount, pid, ipc and uts namespaces of a host that P(warren.load.netns#module) made, and runs
    commands there. It is Ansible's local connection with C(nsenter) before the command, so a task costs what it costs
    on the controller.
  - Needs root. The inventory P(warren.load.netns#inventory) sets all of its options.
options:
  host:
    description: The host's name.
    type: str
    required: true
    vars:
      - name: ansible_netns_host
  directory:
    description: Where networks of hosts are recorded.
    type: path
    default: /var/lib/warren-load-netns
    vars:
      - name: ansible_netns_directory
  network:
    description: Name of the network that the host is on.
    type: str
    default: warren
    vars:
      - name: ansible_netns_network
  become_success_timeout:
    description: Seconds to wait for become to succeed.
    type: int
    default: 10
    vars:
      - name: ansible_local_become_success_timeout
  become_strip_preamble:
    description: Whether what become says before the command is left out of the output.
    type: bool
    default: true
    vars:
      - name: ansible_local_become_strip_preamble
extends_documentation_fragment:
  - connection_pipelining
"""

import shlex
import subprocess
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.plugins.connection.local import Connection as LocalConnection

from ansible_collections.warren.load.plugins.module_utils.node import netns_hosts


class Connection(LocalConnection):
    transport = "warren.load.netns"

    _holder: netns_hosts.Host

    def _connect(self) -> Connection:
        if not self._connected:
            name = self.get_option("host")
            try:
                network = netns_hosts.read(self.get_option("directory"), self.get_option("network"))
            except netns_hosts.NetnsError as error:
                raise AnsibleConnectionFailure(str(error)) from error
            if network is None or name not in network.hosts or not network.hosts[name].running:
                raise AnsibleConnectionFailure(f"Host {name} is not there: make it with the playbook hosts-up.")
            self._holder = network.hosts[name]
        super()._connect()
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        self._connect()
        inside = shlex.join([*self._enter(), "/bin/sh", "-c", str(cmd)])
        return t.cast("tuple[int, bytes, bytes]", super().exec_command(f"exec {inside}", in_data, sudoable))

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller into the host, where other things may lie in the same place."""
        self._connect()
        try:
            with open(in_path, "rb") as source:
                self._copy(f"cat > {shlex.quote(out_path)}", stdin=source)
        except FileNotFoundError as error:
            raise AnsibleFileNotFound(f"There is no file {in_path} on the controller.") from error

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the host to the controller."""
        self._connect()
        with open(out_path, "wb") as target:
            self._copy(f"cat < {shlex.quote(in_path)}", stdout=target)

    def _copy(self, command: str, **files: t.Any) -> None:
        done = subprocess.run([*self._enter(), "/bin/sh", "-c", command], stderr=subprocess.PIPE, check=False, **files)
        if done.returncode:
            raise AnsibleError(f"Host {self._holder.name}: {done.stderr.decode(errors='replace').strip()}.")

    def _enter(self) -> list[str]:
        return ["nsenter", "--target", str(self._holder.pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--"]
