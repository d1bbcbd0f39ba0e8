#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: beforehand
short_description: Look whether the controller can keep what a load test yields, before anything is touched
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Fails, with a sentence for each thing that is wrong, where the results cannot be written, their disk is too full for
    them, or the file with objectives cannot be read.
  - Runs on the controller and changes nothing.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: Changes nothing.
    support: full
options:
  results_dir:
    description: The folder of all results. It need not exist yet.
    type: path
    required: true
  state_dir:
    description: Where a generator on this host keeps its samples until they are results.
    type: path
  objectives_file:
    description: The file with the objectives.
    type: path
    required: true
  services:
    description: How many services will be created.
    type: int
    required: true
  replicas:
    description: How many containers each service asks for.
    type: int
    required: true
  calls:
    description: How many calls will be measured.
    type: int
    default: 1000
  hold:
    description: For how many seconds the load will be held, V(0) for a load that is not.
    type: float
    default: 0.0
  churn:
    description: How many percent of the services are replaced each O(churn_interval) meanwhile.
    type: float
    default: 0.0
  churn_interval:
    description: Seconds between two of these times.
    type: float
    default: 60.0
  processes:
    description: How many processes will be watched.
    type: int
    default: 1
  profiled:
    description: Of how many of them profiles will be taken.
    type: int
    default: 0
  managers_here:
    description: How many managers keep their data in O(state_dir).
    type: int
    default: 0
  containers:
    description: How many container records there will be at most.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Is there a place for the results
  warren.load.beforehand:
    results_dir: results
    objectives_file: objectives.yml
    services: 1000
    replicas: 3
"""

RETURN = r"""
needed:
  description: MB that the results of this run may take, generously.
  returned: success
  type: int
  sample: 24
free:
  description: MB that the disk of the results has left.
  returned: success
  type: int
  sample: 75248
"""
