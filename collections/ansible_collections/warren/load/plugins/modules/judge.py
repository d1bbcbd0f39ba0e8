#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge the measurements of a run against its objectives."""

from __future__ import annotations

DOCUMENTATION = r"""
module: judge
short_description: Judge the measurements of a load test against its objectives
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Gives every objective a level (V(target), V(acceptable), V(missed) or V(critical)) and a verdict (V(pass), V(fail),
    V(inconclusive), V(invalid) or V(not judged)), and the run an overall verdict.
  - The level says where the measured value falls. A value that is worse than acceptable and short of critical is
    V(missed).
  - The verdict uses the interval of the value. The limit that decides is the one that parts the levels that pass from
    O(fail_at). The objective passes if the whole interval is on its good side, fails if the whole interval is on its
    bad side, and is V(inconclusive) otherwise.
  - The module measures nothing and sends nothing. A run in which an objective fails is not a failed task, see
    RV(green).
extends_documentation_fragment:
  - warren.load.attributes
requirements:
  - jmespath
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  action:
    description: Has an action plugin that makes a host which cannot be reached a failed task.
    support: full
options:
  measurements:
    description:
      - What the phases of the run returned, one key a phase (V(create), V(await), V(latency), V(resources),
        V(cleanup)).
      - Without it the module only checks O(objectives).
    type: dict
  audit:
    description:
      - What the generator says about itself, by generator or flat. One that says V(valid=false) makes every objective
        V(invalid) whose value passed through the generator's clock.
    type: dict
    default: {}
  objectives:
    description:
      - The rows to judge, as in C(roles/load/files/objectives.yml). An unknown key, a bad expression, a path that is
        not in the measurements, an unknown unit or limits out of order are an error.
    type: list
    elements: dict
    required: true
  changes:
    description:
      - Rows to lay over O(objectives), by C(id). A row that is in O(objectives) needs only the keys that change; limits
        are changed one by one, and one that is given without a scale holds at every scale for which none is given.
      - C(disabled=true) takes a row out. Any other C(id) adds a row.
    type: raw
  scale:
    description: The scale of the run. Limits can differ by scale.
    type: str
    choices: [small, medium, large, massive, custom]
    default: custom
  scenario:
    description: What kind of run it is. Rows with C(scenarios) are judged in those alone.
    type: str
    choices: [load, api-throughput, scheduler-burst, leader-loss, worker-loss, soak, leak-detection]
    default: load
  fail_at:
    description:
      - The mildest level at which an objective fails. One without a critical limit fails when it is missed, since
        nothing is worse.
    type: str
    choices: [acceptable, missed, critical]
    default: missed
  marks:
    description:
      - What the run was not made of. V(simulator), the managers are simulated. V(hollow), the workers run no
        containers. V(shared-host), the generator shared a host with what it measured.
      - Judgements that a mark touches carry it.
    type: list
    elements: str
    choices: [simulator, hollow, shared-host]
    default: []
"""

EXAMPLES = r"""
- name: Judge the run
  warren.load.judge:
    measurements: "{{ measurements }}"
    audit: "{{ audit }}"
    objectives: "{{ lookup('file', 'objectives.yml') | from_yaml }}"
    scale: small
    marks: [simulator, hollow]
  register: judgement

- name: Only check changes to the objectives
  warren.load.judge:
    objectives: "{{ lookup('file', 'objectives.yml') | from_yaml }}"
    changes:
      - id: api-latency-p99
        limits: {target: 100}
      - id: worker-memory
        disabled: true
"""

RETURN = r"""
judgements:
  description: One a row, in the order of O(objectives).
  returned: when O(measurements) is given
  type: list
  elements: dict
  sample:
    - id: manager-memory
      label: Manager memory
      sentence: The resident memory of every manager stays low.
      source: "load testing guide, Performance Targets: Manager Memory"
      statistic: max
      direction: below
      inclusive: false
      value: 184.0
      unit: MB
      low: null
      high: null
      n: null
      level: target
      verdict: pass
      limit: 512.0
      limits: {target: 256.0, acceptable: 512.0, critical: 512.0}
      marks: [simulator]
      note: ""
      advice: []
verdict:
  description:
    - The overall verdict.
    - It is V(pass) only if at least one objective passed and every other one passed or was not judged.
  returned: when O(measurements) is given
  type: str
  sample: pass
green:
  description: Whether the run may end with exit code 0.
  returned: when O(measurements) is given
  type: bool
  sample: true
counts:
  description: How many objectives got each verdict.
  returned: when O(measurements) is given
  type: dict
  sample: {pass: 10, fail: 0, inconclusive: 0, invalid: 0, not judged: 3}
summary:
  description: The overall verdict in a sentence.
  returned: always
  type: str
  sample: "pass: 10 of 13 objectives passed, 3 were not judged"
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.libraries import lacking
from ansible_collections.warren.load.plugins.module_utils.objectives.judging import FAIL_AT, judge
from ansible_collections.warren.load.plugins.module_utils.objectives.merging import merge
from ansible_collections.warren.load.plugins.module_utils.objectives.rows import (
    MARKS,
    SCALES,
    ObjectiveError,
    load_rows,
)
from ansible_collections.warren.load.plugins.module_utils.scenarios import SCENARIOS

try:
    import jmespath
except ImportError:
    jmespath = None


def main() -> None:
    """Check the rows; with measurements, judge them."""
    module = AnsibleModule(
        argument_spec={
            "measurements": {"type": "dict"},
            "audit": {"type": "dict", "default": {}},
            "objectives": {"type": "list", "elements": "dict", "required": True},
            "changes": {"type": "raw"},
            "scale": {"type": "str", "choices": list(SCALES), "default": "custom"},
            "scenario": {"type": "str", "choices": list(SCENARIOS), "default": "load"},
            "fail_at": {"type": "str", "choices": list(FAIL_AT), "default": "missed"},
            "marks": {"type": "list", "elements": "str", "choices": list(MARKS), "default": []},
        },
        supports_check_mode=True,
    )
    if jmespath is None:
        module.fail_json(msg=lacking("jmespath"))
    try:
        module.exit_json(changed=False, **_judged(module.params))
    except ObjectiveError as error:
        module.fail_json(msg=str(error))


def _judged(options: dict[str, t.Any]) -> dict[str, t.Any]:
    rows = load_rows(merge(options["objectives"], options["changes"]))
    if options["measurements"] is None:
        return {"summary": f"{len(rows)} objectives are well formed"}
    return judge(
        options["measurements"],
        options["audit"],
        rows,
        scale=options["scale"],
        scenario=options["scenario"],
        fail_at=options["fail_at"],
        marks=options["marks"],
    )


if __name__ == "__main__":
    main()
