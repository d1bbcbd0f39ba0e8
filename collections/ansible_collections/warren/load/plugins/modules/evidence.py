#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: evidence
short_description: What a node's processes, logs, ports and disk say of its state
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Looks at processes, their logs and pages, at Warren's fixed ports, memory and disk of a host, in one call.
  - With O(fetch_to), brings logs, metrics, goroutines and disk state to the controller as one archive. Join tokens and
    other secrets in logs are masked.
extends_documentation_fragment:
  - warren.load.attributes
options:
  processes:
    description: The processes, as M(warren.load.sampler) takes them.
    type: list
    elements: dict
    required: true
  path:
    description: The disk that holds this path is the one whose room is told.
    type: path
    required: true
  fetch_to:
    description: The archive on the controller to write, such as C(results/diagnosis/manager-1.tar.gz).
    type: path
  only_logs:
    description: Whether the archive holds logs alone.
    type: bool
    default: false
attributes:
  check_mode:
    description: A look. In check mode nothing is packed.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  action:
    description: Has an action plugin that fetches the archive.
    support: full
"""

EXAMPLES = r"""
- name: Look at this manager
  warren.load.evidence:
    processes:
      - name: manager-1
        kind: manager
        pid_file: /srv/manager-1/pid.json
        log_file: /srv/manager-1/log
        metrics_url: http://127.0.0.1:9090/metrics
    path: /srv
    fetch_to: /tmp/manager-1.tar.gz
"""

RETURN = r"""
seen:
  description: What there is to see, with C(processes), C(ports), C(disk_free), C(disk_used), C(memory_free).
  returned: always
  type: dict
  sample: {disk_free: 5368709120, disk_used: 61.2}
fetched:
  description: The archive on the controller.
  returned: with O(fetch_to)
  type: str
  sample: /tmp/manager-1.tar.gz
"""

import os
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import evidence

ARGUMENTS: dict[str, t.Any] = {
    "processes": {"type": "list", "elements": "dict", "required": True},
    "path": {"type": "path", "required": True},
    "fetch_to": {"type": "path"},
    "only_logs": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        seen = evidence.look(params["processes"], params["path"])
        result: dict[str, t.Any] = {"changed": False, "seen": seen}
        if params["fetch_to"] and not module.check_mode:
            descriptor, result["archive"] = tempfile.mkstemp(prefix="warren-load-", suffix=".tar.gz")
            os.close(descriptor)
            evidence.pack(params["processes"], seen, result["archive"], params["only_logs"])
    except (OSError, TypeError, ValueError) as error:
        module.fail_json(msg=f"This host cannot be looked at: {error}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
