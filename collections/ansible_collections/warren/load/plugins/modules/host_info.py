#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: What a host of a load test is and has to spare, and which program runs there
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Tells operating system, CPU, memory, disk, limits and clock of a host, and of the given processes the limit of open
    files and the program with its checksum, in one call.
  - Linux and macOS. What a system does not tell is null, with a sentence in RV(unavailable); it fails nothing.
extends_documentation_fragment:
  - warren.load.attributes
options:
  name:
    description: The host's name in the result.
    type: str
    required: true
  kind:
    description: What the host is in the load test.
    type: str
    choices: [generator, manager, worker]
    default: generator
  path:
    description: The disk that holds this path, which need not exist yet, is the one whose room is told.
    type: path
    required: true
  processes:
    description: The processes to look at.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The node's name, as it appears in the result.
        type: str
        required: true
      kind:
        description: What the process is.
        type: str
        choices: [manager, worker, other]
        default: manager
      pid:
        description: The process number.
        type: int
      pid_file:
        description: The pid file of M(warren.load.process), used when O(processes[].pid) is not given.
        type: path
      match:
        description: Regular expression for the command line of the one process meant, used when the others do not help.
        type: str
attributes:
  action:
    description: Has an action plugin that compares the host's clock with the controller's.
    support: full
  check_mode:
    description: Changes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: What is this host
  warren.load.host_info:
    name: manager-1
    kind: manager
    path: /var/lib/warren
    processes:
      - name: manager-1
        match: "warren\\S* (cluster init|manager join)"
"""

RETURN = r"""
host:
  description:
    - The host. Memory and disk are in MB (1 MB = 1 MiB, as in the guide).
    - C(machine) is the same for two names of one machine.
    - C(clock_offset) is what its clock is ahead of the controller's, in s, within C(low) and C(high).
  returned: always
  type: dict
  sample:
    name: manager-1
    kind: manager
    os: Debian GNU/Linux 12 (bookworm)
    kernel: 6.1.0-18-amd64
    arch: x86_64
    cpu_model: AMD EPYC 7763 64-Core Processor
    cores: 2
    memory: 3915
    memory_available: 3310
    disk_free: 17040
    disk_path: /var/lib/warren
    open_files_limit: 1024
    machine: 5f3a01c2aa10
    clock_offset: {value: 0.012, unit: s, low: -0.12, high: 0.144, n: 1}
processes:
  description: The processes that were found. C(disk_free) is what the disk of their C(data_dir) has left, in MB.
  returned: always
  type: list
  elements: dict
  sample:
    - name: manager-1
      kind: manager
      pid: 4711
      open_files_limit: 1048576
      data_dir: /var/lib/warren
      disk_free: 17040
      program: {path: /usr/local/bin/warren, sha256: 9f86d081884c, version: v1.6.0}
absent:
  description: A clause for each process that was not found, by its name.
  returned: always
  type: dict
  sample: {manager-2: 0 processes here have a command line that matches 'warren'}
unavailable:
  description: A sentence for each thing that the system does not tell.
  returned: always
  type: list
  elements: str
  sample: [How much memory is free is not known of manager-1.]
clock:
  description: The host's time when the module began and when it ended, in s since the epoch.
  returned: always
  type: list
  elements: float
  sample: [1763900000.25, 1763900000.5]
"""

import re
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import host, sampling

ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "kind": {"type": "str", "choices": ["generator", "manager", "worker"], "default": "generator"},
    "path": {"type": "path", "required": True},
    "processes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": ["manager", "worker", "other"], "default": "manager"},
            "pid": {"type": "int"},
            "pid_file": {"type": "path"},
            "match": {"type": "str"},
        },
    },
}


def main() -> None:
    began = time.time()
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    facts, unavailable = host.look(params["path"], params["name"])
    processes, absent = [], {}
    try:
        for raw in params["processes"]:
            pid, why = sampling.find(sampling.Target(**raw))
            if pid is None:
                absent[raw["name"]] = why
                continue
            program, reason = host.program(pid)
            if program is None:
                unavailable.append(f"Which program {raw['name']} runs is not known: {reason}.")
            data_dir = host.data_dir(pid)
            processes.append(
                {
                    "name": raw["name"],
                    "kind": raw["kind"],
                    "pid": pid,
                    "open_files_limit": host.open_files_limit(pid),
                    "data_dir": data_dir,
                    "disk_free": data_dir and host.disk_free(data_dir),
                    "program": program,
                }
            )
    except re.error as error:
        module.fail_json(msg=f"processes: match is not a regular expression: {error}.")
    module.exit_json(
        changed=False,
        host={"name": params["name"], "kind": params["kind"], **facts},
        processes=processes,
        absent=absent,
        unavailable=unavailable,
        clock=[began, time.time()],
    )


if __name__ == "__main__":
    main()
