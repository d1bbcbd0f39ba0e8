#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold the load of a run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hold
short_description: Hold the load of a run for a time, and replace a share of it now and then
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Looks every few seconds whether the services and containers of a run are all there, for as long as it is told.
  - With O(churn) it deletes that share of the services each O(churn_interval), the oldest first, and creates as many
    anew.
  - Reads the lists of services and of containers, and takes at most 2 % of the time for that.
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
    description: How long the load is held. O(deadline) should be a few minutes later.
    type: float
    required: true
  replicas:
    description: How many containers each service asks for that is created.
    type: int
    required: true
  image:
    description: The image of the containers of each service that is created.
    type: str
    default: registry.k8s.io/pause:3.9
  churn:
    description: How many percent of the services are replaced at a time, at least one. V(0) replaces none.
    type: float
    default: 0.0
  churn_interval:
    description: Seconds from the beginning of one churn to that of the next.
    type: float
    default: 60.0
  purge:
    description:
      - Whether the container records that Warren keeps of deleted services are removed, so that the load stays what it
        is. That takes some 20 s each time, in which hollow workers report no states.
      - Without it they add up, and with them what the workers run.
    type: bool
    default: true
  interval:
    description: Seconds between two looks, at least.
    type: float
    default: 5.0
  hollow_workers:
    description: Pid file of a fleet of hollow workers on this host, as M(warren.load.cleanup) takes it.
    type: path
"""

EXAMPLES = r"""
- name: Hold the load for a quarter of an hour, and replace 10 % of it each minute
  warren.load.hold:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a
    seconds: 900
    deadline: 1100
    replicas: 3
    churn: 10
"""

RETURN = r"""
measurements:
  description: >-
    What was seen. C(running_least) is the smallest share of the containers that ran at a look, C(short_looks) counts
    the looks at which a service lacked one; a service that churn created is left out until its containers have run
    once, or 60 s have passed (then it is C(slow)). One that churn deleted is left out for 60 s, and lacks all of them
    from then on until another one is in its place. C(churn) is null without churn; its C(records_left) are container
    records of services that were deleted, C(late) counts churns that took longer than the interval. C(ticks) has at
    most 120 rows, each with the fewest services and running containers and the most records of its part of the time.
    C(started) and C(ended) are Unix times.
  returned: always
  type: dict
  sample:
    seconds: 900
    duration: 900.3
    services: 50
    containers: 150
    looks: 179
    failed_looks: 0
    short_looks: 0
    running_least: {value: 100, unit: "%", low: null, high: null, n: 179}
    records_most: 165
    records_last: 150
    churn: {percent: 10, interval: 60, purge: true, cycles: 14, late: 0, deleted: 70, created: 70, failed: 0, slow: 0}
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

from ansible_collections.warren.load.plugins.module_utils.phases import hold
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_phase

ARGUMENTS: Arguments = {
    "seconds": {"type": "float", "required": True},
    "replicas": {"type": "int", "required": True},
    "image": {"type": "str", "default": "registry.k8s.io/pause:3.9"},
    "churn": {"type": "float", "default": 0.0},
    "churn_interval": {"type": "float", "default": 60.0},
    "purge": {"type": "bool", "default": True},
    "interval": {"type": "float", "default": 5.0},
    "hollow_workers": {"type": "path"},
}


def main() -> None:
    run_phase("hold", hold.run, hold.Options, ARGUMENTS, changing=("churn",))


if __name__ == "__main__":
    main()
