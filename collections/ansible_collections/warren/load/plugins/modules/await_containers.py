#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the containers of a run are running."""

from __future__ import annotations

DOCUMENTATION = r"""
module: await_containers
short_description: Wait until the containers of a load test run
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Polls the leader for the container records of the run until all are running or the deadline has passed.
  - Scheduling latency is the time between the leader's own stamps of a service and of its containers. No clock of
    ours is in it.
  - The time from create to running starts when the create was sent, as the journal says, and ends with the poll that
    saw it first. C(create_to_running_resolution) says within how many seconds each is known.
  - A poll reads every container record of the cluster. So polls are further apart the longer one takes, and take at
    most 5 % of the time. What they cost is told.
  - A container that never came is counted in both with the time waited so far, so that a percentile is a lower bound
    and never too kind.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.connection
  - warren.load.run
attributes:
  action:
    description: Has an action plugin that shows progress.
    support: full
options:
  expected:
    description:
      - How many containers must run.
      - By default what the journal in O(work_dir) and the cluster say of the run's services.
    type: int
  interval:
    description: Seconds between two polls, at least.
    type: float
    default: 1.0
  first:
    description: The number of the first service that counts, as M(warren.load.create) was given it.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: Wait for the containers
  warren.load.await_containers:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a
    deadline: 300
"""

RETURN = r"""
measurements:
  description: >-
    What was measured. C(records) counts container records of the run, replaced ones included. C(unscheduled) and
    C(not_running) count expected containers that did not come, C(missing) says why, as far as it can be seen. C(ticks)
    counts, C(t) seconds after the first create, the containers of the services created, those that had a node (Warren
    makes a record with its node) and those seen running. C(scheduler) has the ticks of Warren's scheduler itself, told
    by the records they made. C(poll_time) is the time all polls took together in s,
    C(poll_share) the same in percent of the phase, C(poll_cpu_estimate) about what they cost the managers in s of CPU.
  returned: always
  type: dict
  sample:
    expected: 150
    records: 150
    running: 150
    settled: true
    unscheduled: 0
    not_running: 0
    duration: 8.1
    states: {running: 150}
    scheduling_latency: {p50: {value: 2.4, unit: s, low: 2.3, high: 2.5, n: 150}}
    create_to_running: {p50: {value: 6.2, unit: s, low: 6.1, high: 6.3, n: 150}}
    create_to_running_resolution: {value: 1.0, unit: s, low: null, high: null, n: 150}
    ticks: [{t: 5.0, created: 150, assigned: 150, running: 0}, {t: 10.0, created: 150, assigned: 150, running: 150}]
    scheduler:
      ticks: 1
      largest: 150
      duration: {value: 3.1, unit: s, low: null, high: null, n: 150}
      rate: {value: 2903.2, unit: 1/min, low: null, high: null, n: 150}
      rows: [{t: 2.4, duration: 0.7, containers: 150, services: 50, nodes: {worker-1: 150}, running: 0}]
    missing: []
    placement: {worker-1: 150}
    nodes_ready: 2
    polls: 9
    poll_interval: 1.0
    poll_interval_max: 1.0
    poll_time: 0.02
    poll_share: 0.25
    poll_bytes: 291000
    poll_cpu_estimate: 0.01
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

from ansible_collections.warren.load.plugins.module_utils.phases import await_containers
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_phase

ARGUMENTS: Arguments = {
    "expected": {"type": "int"},
    "interval": {"type": "float", "default": 1.0},
    "first": {"type": "int", "default": 1},
}


def main() -> None:
    run_phase("await", await_containers.run, await_containers.Options, ARGUMENTS)


if __name__ == "__main__":
    main()
