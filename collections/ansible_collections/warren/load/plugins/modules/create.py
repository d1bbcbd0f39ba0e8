#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create the services of a run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: create
short_description: Create the services of a load test
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Creates services named C(wl-RUN_ID-0001) and so on, one after another or several at a time, and clocks each.
  - Follows the leader. A create whose outcome is unknown is never blindly repeated, its name is looked for instead.
  - Every intent is in the journal before it is sent, every acknowledgement after.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.connection
  - warren.load.run
attributes:
  action:
    description: Has an action plugin that shows progress.
    support: full
options:
  services:
    description: How many services to create.
    type: int
    required: true
  replicas:
    description: How many containers each service asks for.
    type: int
    required: true
  image:
    description: The image of their containers. Warren passes it to containerd as it is, so it must be fully qualified.
    type: str
    default: registry.k8s.io/pause:3.9
  concurrency:
    description: How many creates are outstanding at a time.
    type: int
    default: 1
  rate:
    description:
      - How many creates a second are planned, evenly spaced. One that is due while O(concurrency) are outstanding is
        sent late, and its response time counts from when it was due.
      - V(0) plans nothing. Each create is sent as soon as O(concurrency) allows.
    type: float
    default: 0.0
  first:
    description: The number of the first service, more than V(1) where the run has created some before.
    type: int
    default: 1
  service_deadline:
    description: How many seconds one create may take, all tries and the search for an unknown outcome included.
    type: float
    default: 30.0
"""

EXAMPLES = r"""
- name: Create 50 services of 3 containers each
  warren.load.create:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a
    services: 50
    replicas: 3
"""

RETURN = r"""
measurements:
  description: >-
    What was measured. C(rate) is created services over the time from the first send to the last acknowledgement of this
    phase alone. C(service_time) is over acknowledged creates, and so are C(response_time) and C(send_lag) where a
    O(rate) was planned. C(causes) counts the creates that failed or are ambiguous by the text of their error.
    C(first_sent) and C(last_acknowledged) are Unix times, or null where nothing was.
  returned: always
  type: dict
  sample:
    services: 50
    replicas: 3
    created: 50
    found: 0
    failed: 0
    ambiguous: 0
    left_out: 0
    causes: {}
    attempts: 50
    retries: 0
    concurrency: 1
    rate_planned: null
    duration: 0.21
    rate: {value: 238.1, unit: 1/s, low: null, high: null, n: 50}
    service_time: {p50: {value: 3.1, unit: ms, low: 2.9, high: 3.3, n: 50}}
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

from ansible_collections.warren.load.plugins.module_utils.phases import create
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import Arguments, run_phase

ARGUMENTS: Arguments = {
    "services": {"type": "int", "required": True},
    "replicas": {"type": "int", "required": True},
    "image": {"type": "str", "default": "registry.k8s.io/pause:3.9"},
    "concurrency": {"type": "int", "default": 1},
    "rate": {"type": "float", "default": 0.0},
    "first": {"type": "int", "default": 1},
    "service_deadline": {"type": "float", "default": 30.0},
}


def main() -> None:
    run_phase("create", create.run, create.Options, ARGUMENTS, changing=("created", "found", "ambiguous"))


if __name__ == "__main__":
    main()
