#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delete what runs created, and prove it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cleanup
short_description: Delete what load tests created, and count what is left
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Deletes the services of one run, or of all runs, and then drives their container records out of the cluster.
  - Warren keeps container records of deleted services for ever. They go when they are reported failed, its
    reconciler has taken note, they are reported complete, and its reconciler comes by again, which is every 10 s. So
    this takes 10 s to 22 s for a few hundred.
  - What does not carry the name of a run is never touched.
  - In an outage it tries again until O(deadline), but gives up when no manager has answered for 30 s.
  - In the end it counts what is left at the API.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.connection
  - warren.load.run
attributes:
  check_mode:
    description: Counts what is there and changes nothing.
    support: full
  action:
    description: Has an action plugin that shows progress.
    support: full
options:
  run_id:
    description: The id of the run to clean up after. Required unless O(all_runs).
    type: str
    required: false
  all_runs:
    description: Whether to clean up after every run of this collection, also one that is still going on.
    type: bool
    default: false
  outstanding:
    description: How many writes are outstanding at a time.
    type: int
    default: 16
  interval:
    description: Seconds between two looks at what is left.
    type: float
    default: 0.5
  hollow_workers:
    description: >-
      Pid file of a fleet of hollow workers on this host. While the records are driven out it leaves container states
      out of its heartbeats, which would undo the purge.
    type: path
"""

EXAMPLES = r"""
- name: Clean up after all runs
  warren.load.cleanup:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    all_runs: true
    work_dir: /var/tmp/warren-load/cleanup
"""

RETURN = r"""
measurements:
  description: >-
    What was done and what is left. C(orphans_found) counts container records of services that were gone before.
    C(forced) counts records that had to be reported failed more than once because their worker went on reporting
    them as running. C(stuck) counts records that are left because their node is gone. C(first_delete) and
    C(last_gone) are Unix times.
  returned: always
  type: dict
  sample:
    services_found: 50
    services_deleted: 50
    services_left: 0
    containers_found: 150
    containers_purged: 150
    containers_left: 0
    orphans_found: 0
    forced: 0
    stuck: 0
    writes: 350
    failures: {}
    runs: [20261123-120102-4f1a]
    duration: 13.4
    first_delete: 1795430462.1
    last_gone: 1795430475.5
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

from ansible_collections.warren.load.plugins.module_utils.phases import cleanup
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_phase

ARGUMENTS: Arguments = {
    "run_id": {"type": "str", "required": False},
    "all_runs": {"type": "bool", "default": False},
    "outstanding": {"type": "int", "default": 16},
    "interval": {"type": "float", "default": 0.5},
    "hollow_workers": {"type": "path"},
}


def main() -> None:
    run_phase(
        "cleanup",
        cleanup.run,
        cleanup.Options,
        ARGUMENTS,
        changing=("services_deleted", "containers_purged"),
        would_change=("services_left", "containers_left"),
        patience=cleanup.PATIENCE,
    )


if __name__ == "__main__":
    main()
