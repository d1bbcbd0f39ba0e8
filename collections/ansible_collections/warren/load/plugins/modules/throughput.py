#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the highest rate of RPCs, and measure their latency at half of it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: throughput
short_description: Measure the throughput of the Warren API
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - The API Throughput Test of Warren's load testing guide. First two closed loops, O(calls) calls with O(concurrency)
    outstanding on one connection (the guide's C(ab -n 1000 -c 10)), and O(clients) connections with O(calls_each) calls
    one after another on each (its shell loop). The higher of their rates is the highest rate.
  - Then O(planned_calls) calls at planned moments, at half of the highest rate, on one connection.
  - A closed loop asks less while the server stalls, so that its times hide the stall (coordinated omission). They are
    reported, and objectives judge the response times of the planned calls.
  - Calls that fail are counted by their text and are in no rate and no percentile.
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
    description: How many calls are made with O(concurrency) outstanding.
    type: int
    default: 1000
  concurrency:
    description: How many of them are outstanding at a time.
    type: int
    default: 10
  clients:
    description: How many connections call at the same time.
    type: int
    default: 10
  calls_each:
    description: How many calls each of O(clients) makes, one after another.
    type: int
    default: 100
  planned_calls:
    description: How many calls are planned at half of the highest rate.
    type: int
    default: 1000
"""

EXAMPLES = r"""
- name: Measure how many lists of all services a second there can be
  warren.load.throughput:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a
    planned_calls: 3000
"""

RETURN = r"""
measurements:
  description: >-
    What was measured. C(highest_rate) is the higher rate of C(ab) and C(parallel), in answered calls a second.
    C(planned) is what M(warren.load.latency) returns, or null where no call was answered.
  returned: always
  type: dict
  sample:
    method: ListServices
    mix: {ListServices: 1}
    manager: manager-1
    reply_bytes: 6322
    ab:
      calls: 1000
      concurrency: 10
      connections: 1
      ok: 1000
      errors: {}
      error_count: 0
      rate: {value: 4312.0, unit: 1/s, low: null, high: null, n: 1000}
      service_time: {p99: {value: 5.1, unit: ms, low: 4.8, high: 5.9, n: 1000}}
    parallel:
      calls: 1000
      clients: 10
      calls_each: 100
      connections: 10
      ok: 1000
      errors: {}
      error_count: 0
      rate: {value: 4105.0, unit: 1/s, low: null, high: null, n: 1000}
      service_time: {p99: {value: 5.4, unit: ms, low: 5.0, high: 6.3, n: 1000}}
    highest_rate: {value: 4312.0, unit: 1/s, low: null, high: null, n: 1000}
    planned:
      calls: 1000
      rate_planned: 2156.0
      response_time: {p99: {value: 2.3, unit: ms, low: 1.9, high: 3.0, n: 1000}}
    duration: 1.02
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
  description: Sentences about what went wrong beside the phase, such as samples that could not be written.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.warren.load.plugins.module_utils.phases import throughput
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import CALLS, Arguments, run_phase

ARGUMENTS: Arguments = {
    **CALLS,
    "calls": {"type": "int", "default": 1000},
    "concurrency": {"type": "int", "default": 10},
    "clients": {"type": "int", "default": 10},
    "calls_each": {"type": "int", "default": 100},
    "planned_calls": {"type": "int", "default": 1000},
}


def main() -> None:
    run_phase("throughput", throughput.run, throughput.Options, ARGUMENTS)


if __name__ == "__main__":
    main()
