# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: cluster
short_description: What the warren_load variables and the inventory say about the cluster
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Derives, for the host that asks, addresses, dialect, TLS, paths and sizes from the public C(warren_load_*)
    variables, the groups C(managers), C(workers) and C(generators), and the sandbox that runs.
  - Changes nothing and asks no cluster.
options:
  _terms:
    description: None.
    required: false
"""

EXAMPLES = r"""
- name: Show where the managers listen
  ansible.builtin.debug:
    msg: "{{ lookup('warren.load.cluster').managers | map(attribute='api_address') }}"
"""

RETURN = r"""
_raw:
  description: >-
    One dictionary, among others with C(managers), C(dialect), C(tls), C(connection) (options for the modules), C(dir),
    C(hollow_workers), C(python), and C(errors), a sentence for each wrong setting.
  type: list
  elements: dict
"""

import multiprocessing
import os
import typing as t
from collections.abc import Mapping

from ansible.plugins.lookup import LookupBase

from ansible_collections.warren.load.plugins.module_utils.node import supervision
from ansible_collections.warren.load.plugins.plugin_utils import cluster_facts
from ansible_collections.warren.load.plugins.plugin_utils.places import COLLECTION, results_home
from ansible_collections.warren.load.plugins.plugin_utils.public_variables import public_variables

# What an inventory says of a host and no task changes. Asking Ansible for a host's variables takes 2 ms, and every host
# asks for every other's.
SETTLED = (
    "ansible_connection",
    "ansible_host",
    "ansible_port",
    "warren_load_api_address",
    "warren_load_http_address",
    "warren_load_log_file",
    "warren_load_node_address",
    "warren_load_raft_address",
    "warren_load_worker_kind",
)
_settled: dict[str, dict[str, t.Any]] = {}
# In a process that Ansible forked for one task on one host, what was derived holds to its end.
_derived: dict[str, dict[str, t.Any]] = {}
CONTROLLER_ONLY = ("ansible", "junit-xml")


def running(directory: str) -> list[dict[str, t.Any]]:
    """The programs that module process keeps below the directory, in the order of their nodes' names."""
    found: list[dict[str, t.Any]] = []
    for node in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        record = supervision.running_record(os.path.join(directory, node, "pid.json"))
        if record is not None:
            found.append({"node": node, "name": record.name, "pid": record.pid, "labels": record.labels})
    return found


class HostVariables(Mapping[str, Mapping[str, t.Any]]):
    """The hosts' variables, looked up only when one is asked for that may have changed."""

    def __init__(self, host_vars: t.Any) -> None:
        self._host_vars = host_vars

    def __getitem__(self, host: str) -> Mapping[str, t.Any]:
        return OneHost(host, self._host_vars)

    def __iter__(self) -> t.Iterator[str]:
        return iter(self._host_vars)

    def __len__(self) -> int:
        return len(self._host_vars)


class OneHost(Mapping[str, t.Any]):
    """A host's variables; those that are settled are asked for once."""

    def __init__(self, host: str, host_vars: t.Any) -> None:
        self._host = host
        self._host_vars = host_vars

    def __getitem__(self, name: str) -> t.Any:
        if name not in SETTLED:
            return self._host_vars[self._host][name]
        if self._host not in _settled:
            own = self._host_vars.get(self._host) or {}
            if not own:
                raise KeyError(name)  # it may be added later
            _settled[self._host] = {each: own[each] for each in SETTLED if each in own}
        return _settled[self._host][name]

    def __iter__(self) -> t.Iterator[str]:
        return iter(self._host_vars.get(self._host) or {})

    def __len__(self) -> int:
        return len(self._host_vars.get(self._host) or {})


def requirements() -> list[str]:
    """What the generator's Python needs: the collection's requirements without the controller's own."""
    with open(os.path.join(COLLECTION, "requirements.txt"), encoding="utf-8") as stream:
        lines = [line.split("#")[0].strip() for line in stream]
    return [line for line in lines if line and not line.startswith(CONTROLLER_ONLY)]


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        """One dictionary; see plugin_utils/cluster_facts."""
        host = variables["inventory_hostname"]
        if multiprocessing.parent_process() is None:  # Ansible itself, which sees facts change
            return [self._derive(variables)]
        if host not in _derived:
            _derived[host] = self._derive(variables)
        return [_derived[host]]

    def _derive(self, variables: t.Any) -> dict[str, t.Any]:
        host_vars = variables["hostvars"]
        around = cluster_facts.Surroundings(
            host=variables["inventory_hostname"],
            local=self._templar.template(variables.get("ansible_connection", "")) == "local"
            or variables["inventory_hostname"] not in variables["groups"]["all"],
            groups=variables["groups"],
            host_vars=HostVariables(host_vars),
            environment=os.environ,
            playbook_python=variables["ansible_playbook_python"],
            requirements=requirements(),
            results_home=results_home(),
            running=running,
        )
        return cluster_facts.derive(public_variables(self._templar, self._loader, variables), around)
