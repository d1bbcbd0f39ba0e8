#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnose
short_description: Say what is wrong with a cluster, how that is known, and what to do
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Runs the checks of the guide's Troubleshooting, and those of Warren's known traps that can be seen from outside, on
    what M(warren.load.cluster_info) and M(warren.load.evidence) returned.
  - Writes C(diagnosis.txt) into O(folder), and packs all that is there into one archive beside it.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: In check mode nothing is written.
    support: full
options:
  managers:
    description: The hosts that should have a manager.
    type: list
    elements: str
    default: []
  workers:
    description: The hosts that should have a worker.
    type: list
    elements: str
    default: []
  hosts:
    description: What M(warren.load.evidence) returned, by host. C(msg) of one that did not answer says why.
    type: dict
    default: {}
  cluster:
    description: What M(warren.load.cluster_info) returned, or its failure.
    type: dict
    default: {}
  real_workers:
    description: Whether workers run containers.
    type: bool
    default: true
  provider:
    description: What made the hosts, if anything of ours did.
    type: str
    default: ""
  folder:
    description: Where the evidence lies.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Say what is wrong
  warren.load.diagnose:
    managers: [manager-1]
    hosts: {manager-1: "{{ seen }}"}
    cluster: "{{ info }}"
    folder: /tmp/diagnosis
"""

RETURN = r"""
findings:
  description: What is wrong, with C(check), C(what), C(how) and C(remedy).
  returned: always
  type: list
  elements: dict
  sample:
    - check: managers
      what: The manager of manager-1 does not run.
      how: "Its last words: Error: bootstrap only works on new clusters"
      remedy: "Warren cannot start on a used data directory: cluster-down -e wipe=true, then cluster-up."
text:
  description: The same for people.
  returned: always
  type: str
  sample: "✓ Hosts can be reached"
archive:
  description: The archive with all evidence.
  returned: always
  type: str
  sample: /tmp/diagnosis.tar.gz
"""
