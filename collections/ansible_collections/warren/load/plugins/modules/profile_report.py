#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_report
short_description: Say what the profiles of all hosts show
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Puts what M(warren.load.profile) fetched from all hosts into one index, says what it shows in sentences, and draws
    flame graphs beside the profiles.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: In check mode nothing is read or written.
    support: full
options:
  results:
    description: The C(results) of loops of M(warren.load.profile) over mappings with the C(host).
    type: list
    elements: dict
    default: []
  folder:
    description: Where the profiles lie.
    type: path
    required: true
  services:
    description: How many services were created and removed between baseline and end. With 0 heaps are not compared.
    type: int
    default: 0
  held_from:
    description: Since when a load was held, in Unix seconds. Heaps taken while it was are compared with each other.
    type: float
  held_to:
    description: Until when it was held.
    type: float
  first_create:
    description: When the load began, in Unix seconds.
    type: float
  note:
    description: A sentence on why there can be no profiles.
    type: str
    default: ""
  earlier:
    description:
      - What the heaps and goroutines of now are compared with, where the process is the same - a folder of profiles,
        or one of results, of whose runs and captures the latest is taken. Empty is nothing.
    type: path
    default: ""
  show:
    description: Whether to print a table.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: What do they show
  warren.load.profile_report:
    results: "{{ taken.results }}"
    folder: profiles
    show: true
"""

RETURN = r"""
profiles:
  description: >-
    C(captures), the profiles as M(warren.load.profile) returns them, with C(host) and C(at), the seconds since the load
    began; C(overhead) for each process; C(findings) with C(id), C(sentence) and C(because); C(growth), where heaps
    grew, in KB for each of O(services); C(pages), the flame graphs; C(unavailable), a sentence for each thing that is
    missing.
  returned: always
  type: dict
  sample: {captures: [], overhead: [], findings: [], pages: [], unavailable: []}
"""
