#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delete the services of a run as a user does, and count what is left."""

from __future__ import annotations

DOCUMENTATION = r"""
module: settle
short_description: Delete the services of a run as a user does, wait, and count what is left of them
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Deletes every service of a run with Warren's own call, and nothing else. Then it waits, and counts the services and
    the container records that are left.
  - M(warren.load.cleanup) removes what is left.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.connection
  - warren.load.run
attributes:
  action:
    description: Has an action plugin that shows progress.
    support: full
options:
  seconds:
    description: How long to wait after the last service is gone. O(deadline) should be later.
    type: float
    required: true
  interval:
    description: Seconds between two looks at what is left.
    type: float
    default: 5.0
  outstanding:
    description: How many deletes are outstanding at a time.
    type: int
    default: 16
"""

EXAMPLES = r"""
- name: Delete the services, and see what is left after five minutes
  warren.load.settle:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a
    seconds: 300
    deadline: 500
"""

RETURN = r"""
measurements:
  description: >-
    What was left. C(records_left) counts container records of the run, those of earlier rounds included, C(orphans)
    those whose service is gone, C(running) those that run, and should by what their record says, C(states) all by
    their state.
  returned: always
  type: dict
  sample:
    seconds: 300
    deleted: 50
    services_left: 0
    records_left: 150
    orphans: 150
    running: 150
    states: {running: 150}
    duration: 300.4
audit:
  description: Nothing here, as for every phase but M(warren.load.latency).
  returned: always
  type: dict
  sample: {}
stopped:
  description: Why the phase ended before it was done, or what could not be written, as a clause of a sentence.
  returned: always
  type: str
  sample: the deadline of 300 s has passed
problems:
  description: Sentences about what went wrong beside the phase.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.warren.load.plugins.module_utils.phases import settle
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_phase

ARGUMENTS: Arguments = {
    "seconds": {"type": "float", "required": True},
    "interval": {"type": "float", "default": 5.0},
    "outstanding": {"type": "int", "default": 16},
}


def main() -> None:
    run_phase("settle", settle.run, settle.Options, ARGUMENTS, changing=("deleted",))


if __name__ == "__main__":
    main()
