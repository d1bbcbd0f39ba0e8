#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Print what a load test will do, before anything is created
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Prints what will be created, on what, how long it should take given Warren's own timers, and how many samples each
    percentile has.
  - Runs on the controller, touches no host and needs no running cluster.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
options:
  run_id:
    description: The id of the run.
    type: str
    required: true
  results_dir:
    description: The folder of all results. Those of this run go to a folder in it that is named like the run.
    type: path
    required: true
  cluster:
    description: The name of the cluster.
    type: str
    default: ""
  scale:
    description: The scale of the run.
    type: str
    choices: [small, medium, large, massive, custom]
    default: custom
  services:
    description: How many services will be created.
    type: int
    required: true
  replicas:
    description: How many containers each service asks for.
    type: int
    required: true
  image:
    description: The image of the services.
    type: str
    default: ""
  managers:
    description: The names of the managers.
    type: list
    elements: str
    default: []
  workers:
    description: How many workers are, or will be, ready.
    type: int
    default: 0
  generator:
    description: The name of the host that sends the load.
    type: str
    default: localhost
  marks:
    description: What the run is not made of, as for M(warren.load.judge).
    type: list
    elements: str
    choices: [simulator, hollow, shared-host]
    default: []
  dialect:
    description: The dialect of the cluster, or V(auto) as long as it is not known.
    type: str
    choices: [auto, tasks, containers]
    default: auto
  scenario:
    description: What kind of run it is. V(load) is the load test, the others are the playbooks of these names.
    type: str
    choices: [load, api-throughput, scheduler-burst, leader-loss, worker-loss, soak, leak-detection]
    default: load
  create_concurrency:
    description: How many creates are outstanding at a time.
    type: int
    default: 1
  create_rate:
    description: How many creates a second are planned, V(0) for as many as O(create_concurrency) allows.
    type: float
    default: 0.0
  await_deadline:
    description: After how many seconds the run stops waiting for containers.
    type: float
    default: 300.0
  latency_methods:
    description: The RPCs whose latency is measured, each with its parts of the calls, such as V(ListServices:8).
    type: list
    elements: str
    default: [ListServices]
  latency_calls:
    description: How many calls are planned.
    type: int
    default: 1000
  latency_rate:
    description: How many calls a second are planned.
    type: float
    default: 250.0
  latency_concurrency:
    description: How many callers make them in a closed loop instead, V(0) for none.
    type: int
    default: 0
  hold:
    description: How many seconds scenario V(soak) holds its load.
    type: float
    default: 3600.0
  churn:
    description: How many percent of its services it replaces at a time.
    type: float
    default: 0.0
  churn_interval:
    description: Seconds between two of these times.
    type: float
    default: 60.0
  churn_purge:
    description: Whether the records that the replaced ones leave are removed.
    type: bool
    default: true
  settle:
    description: How many seconds scenario V(leak-detection) lets the cluster settle, over all rounds.
    type: float
    default: 1800.0
  rounds:
    description: How often it creates and deletes its services.
    type: int
    default: 3
  clock_factor:
    description: By what the simulator divides Warren's timers.
    type: float
    default: 1.0
  heartbeats:
    description: Whether heartbeats of the workers carry all their containers, or only changes.
    type: str
    choices: [full, changes]
    default: full
  costs:
    description: The simulator's cost model. V(real) is Warren itself.
    type: str
    choices: [ideal, measured, real]
    default: real
  objectives:
    description: The rows that will be judged.
    type: list
    elements: dict
    default: []
  objective_changes:
    description: Rows to lay over O(objectives), as module M(warren.load.judge) takes them.
    type: raw
  notes:
    description: Sentences to print with the plan.
    type: list
    elements: str
    default: []
  profiles:
    description:
      - What is profiled - C(managers) and C(workers), how many, C(seconds) of CPU, and the C(interval) of the looks at
        memory. Empty if nothing is.
    type: dict
    default: {}
  memory:
    description: As M(warren.load.preflight) returns it.
    type: dict
    default: {}
  fault:
    description: Of a run with a fault what it does and when, as the settings say.
    type: dict
    default: {}
  keep:
    description: Whether the services stay after the run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what will be done
  warren.load.plan:
    run_id: 20261123-120102-4f1a
    results_dir: results
    scale: small
    services: 50
    replicas: 3
    managers: [manager-1]
    workers: 2
"""

RETURN = r"""
lines:
  description: What was printed.
  returned: always
  type: list
  elements: str
  sample: ["Plan of run 20261123-120102-4f1a, scale small"]
plan:
  description: The same as data. Seconds are the shortest and the longest that Warren's timers allow for.
  returned: always
  type: dict
  sample:
    services: 50
    containers: 150
    seconds: {create: [0.1, 5.0], await: [0.0, 13.0], latency: [5.0, 5.0], cleanup: [10.0, 22.0], total: [15.1, 45.0]}
    samples:
      - {id: latency-p99, statistic: p99, n: 1000, needed: 368, enough: true}
    notes: []
results_path:
  description: The folder of this run's results. It need not exist yet.
  returned: always
  type: str
  sample: /home/me/warren/results/20261123-120102-4f1a
run_id:
  description: As O(run_id).
  returned: always
  type: str
  sample: 20261123-120102-4f1a
scale:
  description: As O(scale).
  returned: always
  type: str
  sample: small
scenario:
  description: As O(scenario).
  returned: always
  type: str
  sample: load
"""
