#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compare
short_description: Put two runs of a load test side by side
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Prints values, changes and verdicts of two runs, and what differs in their settings and environment so that they
    cannot be compared. Writes the same as Markdown to the folder of O(new).
  - There are no statistics in it. Of one run each it cannot be said whether a change is more than chance.
  - Runs on the controller, with Python's standard library alone, and needs no cluster.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: Can run in check mode. Then it prints and writes nothing.
    support: full
options:
  base:
    description:
      - The run to compare with, by its id, as V(latest) or V(previous) (the one before the latest), or as a path of its
        folder or its C(results.json).
    type: str
    default: previous
  new:
    description: The run to compare, in the same ways.
    type: str
    default: latest
  results_dir:
    description: The folder of all results. By default C(results) beside the playbooks of the checkout, else in the
      current directory.
    type: path
"""

EXAMPLES = r"""
- name: Compare the latest run with the one before
  warren.load.compare:

- name: Compare two runs
  warren.load.compare:
    base: 20261123-120102-4f1a
    new: 20261124-120102-77c0
"""

RETURN = r"""
comparable:
  description: Whether the runs differ at most in the program that was tested.
  returned: always
  type: bool
  sample: true
differences:
  description: What else differs, a sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Not the same scale: small, now medium."]
program:
  description: Whether both ran the same program.
  returned: always
  type: str
  sample: Both runs tested the same program.
path:
  description: The Markdown file.
  returned: always
  type: str
  sample: /home/me/warren/results/20261124-120102-77c0/compare-20261123-120102-4f1a.md
rows:
  description: The lines of the table, as texts.
  returned: always
  type: list
  elements: dict
  sample:
    - label: Manager memory
      base: 59.1 MB
      new: 60.7 MB
      change: "+1.6"
      percent: "+2.71 %"
      verdicts: ✓ → ✓
"""
