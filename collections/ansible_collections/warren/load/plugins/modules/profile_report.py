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
    description: >-
      How many services were created and removed between baseline and end. With 0 these two are not compared, but what
      was taken after each round of a load, or while it was held, is.
    type: int
    default: 0
  held_from:
    description: Since when a load was held, in Unix seconds. Heaps taken while it was are compared with each other.
    type: float
  held_to:
    description: Until when it was held.
    type: float
  held_replaced:
    description: How many of its services were replaced meanwhile.
    type: int
    default: 0
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
    grew, in KB for each service that came and went, and of a load that was held in KB/h; C(pages), the flame graphs;
    C(unavailable), a sentence for each thing that is missing.
  returned: always
  type: dict
  sample: {captures: [], overhead: [], findings: [], pages: [], unavailable: []}
goroutine_stacks:
  description: >-
    Where goroutines are more than before, at most 50 rows, each with C(process), C(function), what they were C(begun)
    as, C(counts) of all moments, C(per_service) of those that came and went, and whether that C(grew) enough to be a
    leak.
  returned: always
  type: list
  elements: dict
  sample:
    - process: worker-1
      function: worker.(*Worker).monitor
      begun: worker.(*Worker).start.func1
      counts: [3, 153, 303]
      per_service: {value: 3.0, unit: goroutines, low: 3.0, high: 3.0, n: 100}
      grew: true
"""
