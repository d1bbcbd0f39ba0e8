#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""See what a fault does to workers and containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery
short_description: See what a fault does to workers and containers, until all is well again
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Looks at nodes and container records from before a fault until every replica runs again, or until that is not to be
    hoped for, as no worker is ready any more.
  - Containers on a worker that is gone do not count as running, whatever their records say.
  - It ends once there are the files C(load-over) and C(fault-over) in O(beside), and not before Warren can know of a
    worker that is gone. C(fault-over) is JSON, and says with C(lost) which workers stay away, and with C(silent)
    whether nothing was heard of those that were hit. When each was hit tells the time of a file C(hit-NAME) there.
  - To run beside another phase it needs a O(work_dir) of its own.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.connection
  - warren.load.run
attributes:
  check_mode:
    description: Changes nothing, also without check mode.
    support: full
  action:
    description: Has an action plugin that shows progress.
    support: full
options:
  beside:
    description: The work folder of the phase that creates the services, with its journal.
    type: path
    required: true
  interval:
    description: Seconds between two looks, at least.
    type: float
    default: 1.0
  clock_factor:
    description: By what Warren's timers are divided, as the simulator does it.
    type: float
    default: 1.0
"""

EXAMPLES = r"""
- name: When does every replica run again
  warren.load.recovery:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
      - {name: manager-2, api_address: 10.0.0.2:8080, raft_address: 10.0.0.2:7946}
      - {name: manager-3, api_address: 10.0.0.3:8080, raft_address: 10.0.0.3:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a/recovery
    beside: /var/tmp/warren-load/runs/20261123-120102-4f1a
"""

RETURN = r"""
measurements:
  description: >-
    What was seen. Times are Unix times of the generator, each known within C(resolution) seconds. C(running) of
    C(expected) containers run, C(settled) if all do, else C(why) it ended. C(touched) services had a container on a
    worker that went down, and all of theirs ran again at C(restored_at). C(replaced) counts the records beyond those
    that the services asked for, the last one seen at C(last_replaced), C(placed_on_lost) the records that the
    scheduler gave to a worker that was gone, as far as a look since then had not seen them yet. C(changes) are those of
    the nodes' status.
  returned: always
  type: dict
  sample:
    started: 1763900000.02
    ended: 1763900120.01
    duration: 119.99
    looks: 118
    resolution: 1.1
    settled: true
    why: ""
    expected: 150
    running: 150
    records: 270
    states: {running/running: 150, shutdown/failed: 120}
    lost: [worker-1]
    touched: 40
    replaced: 120
    last_replaced: 1763900098.2
    placed_on_lost: 6
    restored_at: 1763900107.4
    workers: 2
    ready_most: 2
    ready_end: 1
    changes: [{time: 1763900095.1, node: worker-1, status: down}]
audit:
  description: Nothing here, as for every phase but M(warren.load.latency).
  returned: always
  type: dict
  sample: {}
stopped:
  description: Why the phase ended before it was done, as a clause of a sentence.
  returned: always
  type: str
  sample: the deadline of 300 s has passed
problems:
  description: Sentences about what went wrong beside the phase, such as looks that were not answered.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.warren.load.plugins.module_utils.phases import recovery
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_phase

ARGUMENTS: Arguments = {
    "beside": {"type": "path", "required": True},
    "interval": {"type": "float", "default": 1.0},
    "clock_factor": {"type": "float", "default": 1.0},
}


def main() -> None:
    run_phase("recovery", recovery.run, recovery.Options, ARGUMENTS)


if __name__ == "__main__":
    main()
