#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: resources
short_description: Memory, CPU, open files and threads of cluster processes on one host
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Reads C(/proc), or asks C(ps) where there is none, once.
  - What cannot be told is said in a sentence each, in RV(unavailable), and fails nothing.
options:
  processes:
    description: The processes to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The node's name, as it appears in the result.
        type: str
        required: true
      kind:
        description: What the process is. Decides which list of the result it goes to.
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
      metrics_url:
        description: Prometheus page to read C(process_resident_memory_bytes) from when no process is found here.
        type: str
attributes:
  check_mode:
    description: Changes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: Memory of the manager on this host
  warren.load.resources:
    processes:
      - name: manager-1
        pid_file: /srv/manager-1/pid.json
        metrics_url: http://127.0.0.1:9090/metrics
"""

RETURN = r"""
managers:
  description: >-
    One row a manager found, with C(name), C(kind), C(pid), C(rss) in MB (1 MB = 1 MiB, as in the guide),
    C(cpu) in s since its start,
    C(open_files), C(threads) and C(source).
  returned: always
  type: list
  elements: dict
  sample:
    - name: manager-1
      kind: manager
      pid: 4711
      rss: {value: 31.2, unit: MB, low: null, high: null, n: 1}
      open_files: 21
      threads: 9
      source: /proc
workers:
  description: The same for workers.
  returned: always
  type: list
  elements: dict
  sample: []
others:
  description: The same for other processes.
  returned: always
  type: list
  elements: dict
  sample: []
manager_rss_max:
  description: The largest memory of a manager, with its unit. Null if none was found.
  returned: always
  type: dict
  sample: {value: 31.2, unit: MB, low: null, high: null, n: 1}
worker_rss_max:
  description: The same for workers.
  returned: always
  type: dict
  sample: null
unavailable:
  description: A sentence for each process that nothing can be told of.
  returned: always
  type: list
  elements: str
  sample: ["Memory of manager-2 is not known: the process of /srv/manager-2/pid.json does not run."]
"""

import re
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import resources

ARGUMENTS: dict[str, t.Any] = {
    "processes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": ["manager", "worker", "other"], "default": "manager"},
            "pid": {"type": "int"},
            "pid_file": {"type": "path"},
            "match": {"type": "str"},
            "metrics_url": {"type": "str"},
        },
    },
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    rows, unavailable = [], []
    try:
        for raw in module.params["processes"]:
            row, why = resources.measure(resources.Target(**raw))
            if row is not None:
                rows.append(row)
            if why is not None:
                unavailable.append(why)
    except re.error as error:
        module.fail_json(msg=f"processes: match is not a regular expression: {error}.")
    module.exit_json(changed=False, unavailable=unavailable, **resources.summarise(rows))


if __name__ == "__main__":
    main()
