#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the latency of RPCs by planned arrivals."""

from __future__ import annotations

DOCUMENTATION = r"""
module: latency
short_description: Measure the latency of Warren API calls
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Sends calls at moments that were drawn before the first one, whatever is outstanding, so that a stall of the
    server is in the numbers of every call that was due during it.
  - Send lag is the generator's own delay, service time is from sent to done, response time from planned to done.
    Calls are clocked on raw bytes, nothing is decoded.
  - Calls that fail are counted by their text and are in no percentile.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.connection
  - warren.load.run
  - warren.load.calls
attributes:
  action:
    description: Has an action plugin that shows progress.
    support: full
options:
  calls:
    description: How many calls are planned.
    type: int
    default: 1000
  rate:
    description: How many calls a second are planned.
    type: float
    default: 250.0
  concurrency:
    description:
      - V(0) sends by plan. Otherwise a closed loop with so many callers, each of which waits for its reply before it
        calls again, and O(rate) and O(arrivals) do not count.
      - A closed loop hides stalls, so it has no response times, which is what objectives judge. Use it to find out how
        much a server can do.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Measure how long a list of all services takes
  warren.load.latency:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a
    calls: 3000
"""

RETURN = r"""
measurements:
  description: >-
    What was measured. Times are in ms, with 95 % intervals that do not take calls which follow each other for
    independent (C(effective) says how many independent ones they are worth). C(methods) has the same for each method,
    C(method) names all of them.
  returned: always
  type: dict
  sample:
    method: ListServices
    mix: {ListServices: 1}
    manager: manager-1
    calls: 1000
    ok: 1000
    errors: {}
    error_count: 0
    unsent: 0
    rate_planned: 200.0
    rate_achieved: 199.2
    arrivals: poisson
    seed: 1
    concurrency: 0
    send_lag: {p99: {value: 0.4, unit: ms, low: 0.3, high: 0.7, n: 1000}}
    service_time: {p99: {value: 2.1, unit: ms, low: 1.8, high: 2.9, n: 1000}}
    response_time: {p99: {value: 2.3, unit: ms, low: 1.9, high: 3.0, n: 1000}}
    reply_bytes: 6322
    duration: 5.02
    methods:
      - method: ListServices
        write: false
        calls: 1000
        ok: 1000
        errors: {}
        error_count: 0
        service_time: {p99: {value: 2.1, unit: ms, low: 1.8, high: 2.9, n: 1000}}
        response_time: {p99: {value: 2.3, unit: ms, low: 1.9, high: 3.0, n: 1000}}
audit:
  description: Whether the generator was fit to measure, with what explains it if it was not.
  returned: always
  type: dict
  sample: {generator: {valid: true, reasons: [], send_lag_p99_ms: 0.4, run_delay_ms_per_s: 3.1}}
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

from ansible_collections.warren.load.plugins.module_utils.phases import latency
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import CALLS, Arguments, run_phase

ARGUMENTS: Arguments = {
    **CALLS,
    "calls": {"type": "int", "default": 1000},
    "rate": {"type": "float", "default": 250.0},
    "concurrency": {"type": "int", "default": 0},
}


def main() -> None:
    run_phase("latency", latency.run, latency.Options, ARGUMENTS)


if __name__ == "__main__":
    main()
