# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: supervised
short_description: The programs that module process keeps under a directory of the controller
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Reads the pid files C(*/pid.json) of M(warren.load.process) below each directory given and looks whether the programs run.
  - This is how playbooks know, without starting a module, whether a sandbox is up and how it was asked for.
options:
  _terms:
    description: Directories on the controller. One that is missing holds no programs.
    required: true
"""

EXAMPLES = r"""
- name: Show the nodes of the sandbox that run
  ansible.builtin.debug:
    msg: "{{ query('warren.load.supervised', '/home/me/.local/state/warren-load/sandbox') | map(attribute='node') }}"
"""

RETURN = r"""
_raw:
  description: One dictionary a program that runs, with C(node) (its directory's name), C(name), C(pid) and C(labels).
  type: list
  elements: dict
"""

import os
import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.warren.load.plugins.module_utils.node import supervision


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        """Programs in the order of their directories' names."""
        found: list[dict[str, t.Any]] = []
        for term in terms:
            directory = os.path.expanduser(term)
            for node in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
                record = supervision.running_record(os.path.join(directory, node, "pid.json"))
                if record is not None:
                    found.append({"node": node, "name": record.name, "pid": record.pid, "labels": record.labels})
        return found
