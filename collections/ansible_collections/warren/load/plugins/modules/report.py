#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write the results of a load test and print its banner
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Writes C(results.json) (schema in C(docs/results.schema.json)), C(report.txt), C(report.md) (a comment for a pull
    request) and C(junit.xml) to a folder of the run's own, fetches the raw samples and the journal from the generator,
    points the link C(latest) at the folder, and prints the banner.
  - Values of variables that are named like a secret (C(ansible_password), for example) are taken out of all of them,
    and so is what looks like a join token, a private key or a password.
  - Results of more than 1 MB are cut; C(results.json) and a finding say what.
  - Runs on the controller, with Python's standard library alone. Of the generator it only copies files.
  - A run that failed its objectives is not a failed task, see RV(green).
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: Can run in check mode. Then it prints and writes nothing.
    support: full
options:
  run:
    description:
      - The run. V(id) is required. Known keys are V(id), V(cluster), V(scale), V(services), V(replicas), V(image),
        V(dialect), V(started) and V(finished) (ISO 8601, or seconds since 1970), V(fail_at), V(seed), V(keep),
        V(profiling), V(scenario). Others are kept.
    type: dict
    required: true
  results_dir:
    description: The folder of all results. Those of this run go to a folder in it that is named like the run.
    type: path
    required: true
  measurements:
    description: What the phases returned, one key a phase.
    type: dict
    default: {}
  audit:
    description: What the generator says about itself.
    type: dict
    default: {}
  judgement:
    description: What M(warren.load.judge) returned. Without it the run counts as not judged.
    type: dict
    default: {}
  environment:
    description:
      - Which program was tested, on what.
      - V(program) is its V(name), V(sha256), V(version) and whether it is the V(simulator), V(hosts) a list of what
        each host is, as M(warren.load.host_info) says.
    type: dict
    default: {}
  marks:
    description: What the run was not made of, as for M(warren.load.judge).
    type: list
    elements: str
    choices: [simulator, hollow, shared-host]
    default: []
  phases:
    description:
      - How each phase ended, as a list of V(name), V(status) (V(ok), V(failed) or V(skipped)), V(duration) in seconds
        and V(error).
    type: list
    elements: dict
    default: []
  plan:
    description: What M(warren.load.plan) returned as RV(warren.load.plan#module:plan).
    type: dict
    default: {}
  findings:
    description: Sentences to add to the findings, for example from preflight.
    type: list
    elements: str
    default: []
  work_dir:
    description: The run's folder on the generator. Samples and journal are fetched from there. Without it nothing is.
    type: str
"""

EXAMPLES = r"""
- name: Write the results and print the banner
  warren.load.report:
    run: {id: 20261123-120102-4f1a, scale: small, services: 50, replicas: 3}
    measurements: "{{ measurements }}"
    audit: "{{ audit }}"
    judgement: "{{ judgement }}"
    results_dir: results
    work_dir: "{{ work_dir }}"
    marks: [simulator, hollow]
"""

RETURN = r"""
results_path:
  description: The folder of this run's results.
  returned: always
  type: str
  sample: /home/me/warren/results/20261123-120102-4f1a
verdict:
  description: The overall verdict. V(error) where no objective was missed, but a phase failed.
  returned: always
  type: str
  sample: pass
green:
  description: Whether the run may end with exit code 0. It is V(false) too if a phase failed.
  returned: always
  type: bool
  sample: true
summary:
  description: The overall verdict in a sentence, for the task that fails the run.
  returned: always
  type: str
  sample: "fail: Manager memory is 612 MB (limit < 512 MB)"
findings:
  description: What the run has evidence for, most serious first.
  returned: always
  type: list
  elements: str
  sample: ["150 of 150 containers were placed on one node of 2."]
files:
  description: What was written or fetched, relative to RV(results_path).
  returned: always
  type: list
  elements: str
  sample: [results.json, report.txt, report.md, junit.xml, samples/latency-samples.csv.gz]
"""
