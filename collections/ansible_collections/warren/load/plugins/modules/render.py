#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: render
short_description: Make the reports of a load test anew from its results
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Reads C(results.json) of a run, writes C(report.txt), C(report.md) and C(junit.xml) beside it, and prints the
    banner.
  - The verdict is that of the results; nothing is measured or judged again.
  - Of a C(junit.xml) that is there, the cases of hosts and tasks are kept, because only the playbook of the run knew
    them.
  - Runs on the controller, with Python's standard library alone, and needs no cluster.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: Can run in check mode. Then it prints and writes nothing.
    support: full
options:
  run:
    description:
      - The run, by its id, as V(latest) or V(previous) (the one before the latest), or as a path of its folder or its
        C(results.json).
    type: str
    default: latest
  results_dir:
    description: The folder of all results. By default C(results) beside the playbooks of the checkout, else in the
      current directory.
    type: path
"""

EXAMPLES = r"""
- name: Make the reports of the latest run anew
  warren.load.render:

- name: And those of a run that came from elsewhere
  warren.load.render:
    run: downloads/20261123-120102-4f1a
"""

RETURN = r"""
results_path:
  description: The folder of the run's results.
  returned: always
  type: str
  sample: /home/me/warren/results/20261123-120102-4f1a
verdict:
  description: The overall verdict.
  returned: always
  type: str
  sample: pass
green:
  description: Whether the run may end with exit code 0.
  returned: always
  type: bool
  sample: true
summary:
  description: The overall verdict in a sentence.
  returned: always
  type: str
  sample: "pass: 10 of 14 objectives passed, 4 were not judged"
files:
  description: What was written, relative to RV(results_path).
  returned: always
  type: list
  elements: str
  sample: [report.txt, report.md, junit.xml]
"""
