#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""See when a cluster can be written and read, and who leads it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: See when a cluster can be written and read while a fault goes on
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Sends every manager O(rate) writes, reads and questions who leads a second, at planned times, whatever is answered.
    The write deletes a secret that does not exist, which is one Raft commit and changes nothing.
  - A time without an acknowledged write of any manager is an outage of writes, and one without an answered read of a
    manager is an outage of that manager's reads. Both are known as finely as C(resolution) says.
  - A connection that gives no answer is given up and opened again ten times a second.
  - Ends after O(seconds), or as soon as there is a file C(probe-end) in O(work_dir).
  - To run beside another phase it needs a O(work_dir) of its own.
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
    description: How long it asks.
    type: float
    required: true
  rate:
    description: How many probes of each kind a manager gets a second, at least 10.
    type: float
    default: 20.0
  timeout:
    description: After how many seconds a probe is given up.
    type: float
    default: 1.0
  least_outage:
    description: How many seconds without an answer are an outage.
    type: float
    default: 0.2
  shares_host_with:
    description: What else runs on the host that sends, for the audit.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: When can the cluster be written
  warren.load.probe:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
      - {name: manager-2, api_address: 10.0.0.2:8080, raft_address: 10.0.0.2:7946}
      - {name: manager-3, api_address: 10.0.0.3:8080, raft_address: 10.0.0.3:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a/probe
    seconds: 60
"""

RETURN = r"""
measurements:
  description: >-
    What was seen. All times are Unix times of the generator. C(resolution) is the longest time between two probes of a
    kind to a manager; each outage says with C(within) how long that was around it, in s: so finely it is known.
    C(longest_outage) reaches from the last answer before to the first after, and its low end is twice that less. A time
    in which the generator did not ask is no outage. An outage that goes on has no C(end), and C(recovered) is
    false. C(terms) says whose writes were acknowledged from when to when. C(views) says when a manager began to name
    another leader.
  returned: always
  type: dict
  sample:
    started: 1763900000.02
    ended: 1763900060.01
    duration: 59.99
    rate: 20.0
    least_outage: 0.2
    resolution: {value: 51.2, unit: ms, low: null, high: null, n: 10800}
    unsent: 0
    writes:
      probes: 3600
      acknowledged: 1181
      errors: {"DeleteSecret: no leader elected yet (UNKNOWN)": 38}
      outages: [{start: 1763900030.11, end: 1763900031.13, seconds: 1.02, within: 0.05}]
      outage_count: 1
      longest_outage: {value: 1.02, unit: s, low: 0.92, high: 1.02, n: 1}
      recovered: true
    managers:
      - name: manager-1
        probes: 1200
        answered: 600
        errors: {"ListNodes: connection refused (UNAVAILABLE)": 600}
        writes_acknowledged: 598
        service_time: {p99: {value: 3.1, unit: ms, low: 2.8, high: 3.9, n: 600}}
        outages: [{start: 1763900030.1, end: null, seconds: 29.9, within: 0.05}]
        outage_count: 1
        longest_outage: {value: 29.9, unit: s, low: 29.8, high: 29.9, n: 1}
        recovered: false
    terms:
      - {leader: manager-1, start: 1763900000.05, end: 1763900030.11}
      - {leader: manager-2, start: 1763900031.13, end: 1763900059.98}
    views:
      - {time: 1763900030.94, manager: manager-2, leader: manager-2}
audit:
  description: Whether the generator was fit to measure, with what explains it if it was not.
  returned: always
  type: dict
  sample: {generator: {valid: true, reasons: [], send_lag_p99_ms: 0.4, run_delay_ms_per_s: 3.1}}
stopped:
  description: Why the phase ended before it was done, as a clause of a sentence.
  returned: always
  type: str
  sample: the deadline of 300 s has passed
problems:
  description: Sentences about what went wrong beside the phase, such as a manager that did not answer at the start.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.warren.load.plugins.module_utils.phases import probe
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_phase

ARGUMENTS: Arguments = {
    "seconds": {"type": "float", "required": True},
    "rate": {"type": "float", "default": 20.0},
    "timeout": {"type": "float", "default": 1.0},
    "least_outage": {"type": "float", "default": 0.2},
    "shares_host_with": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    run_phase("probe", probe.run, probe.Options, ARGUMENTS)


if __name__ == "__main__":
    main()
