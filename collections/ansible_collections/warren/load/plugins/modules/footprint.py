#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the processes of a host hold."""

from __future__ import annotations

DOCUMENTATION = r"""
module: footprint
short_description: Say what the processes of a host hold at this moment
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Counts what Warren's managers and workers hold, on their own host, so that two moments can be compared.
  - Asks for a collection of garbage before it measures the heap.
extends_documentation_fragment:
  - warren.load.attributes
options:
  processes:
    description: The processes, as M(warren.load.sampler) takes them.
    type: list
    elements: dict
    required: true
attributes:
  check_mode:
    description: Changes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: What does the manager hold
  warren.load.footprint:
    processes:
      - name: manager-1
        pid_file: /srv/manager-1/pid.json
        metrics_url: http://127.0.0.1:9090/metrics
"""

RETURN = r"""
rows:
  description: >-
    A row for each process that runs, with C(name), C(kind), C(pid), C(start), in bytes C(rss), C(private) (what no file
    backs), C(heap) (what is held after a collection of garbage), C(database) (pages of C(warren.db) that hold
    something) and C(database_file), C(raft_log) and C(raft_log_file), C(log), and C(heap_objects), C(goroutines),
    C(open_files), C(threads); of workers also C(containers) that run in Warren's namespace of containerd, and
    C(containers_known) to it. What cannot be told is null.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: manager-1, kind: manager, pid: 4711, heap: 4203704, goroutines: 48, open_files: 17, database: 212992}
unavailable:
  description: A sentence for each process that does not run, or whose host's containers C(ctr) does not tell.
  returned: success
  type: list
  elements: str
  sample: []
time:
  description: When that was, in Unix seconds.
  returned: success
  type: float
  sample: 1795488102.9
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import footprint, sampling


def main() -> None:
    module = AnsibleModule(
        argument_spec={"processes": {"type": "list", "elements": "dict", "required": True}}, supports_check_mode=True
    )
    try:
        targets = [sampling.Target(**raw) for raw in module.params["processes"]]
    except TypeError as error:
        module.fail_json(msg=f"processes: {error}.")
    module.exit_json(changed=False, **footprint.look(targets))


if __name__ == "__main__":
    main()
