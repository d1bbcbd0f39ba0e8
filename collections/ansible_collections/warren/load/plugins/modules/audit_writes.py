#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look whether a cluster kept its word after a fault."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_writes
short_description: Look whether every acknowledged create is there once, and no refused one
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Compares the journal of the creates of a run with the services that the leader lists, before they are removed.
  - An acknowledged create that is not there, or is there twice, is a broken word whatever latencies say, and so is a
    refused one that is there. A create whose outcome nobody could say is counted apart, and so is one that is there
    twice after such an outcome, since it may have been sent again.
  - Waits until writes that were never answered can no longer take effect, and asks a leader that has acknowledged a
    write after them.
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
"""

EXAMPLES = r"""
- name: Did the cluster lose what it acknowledged
  warren.load.audit_writes:
    managers:
      - {name: manager-1, api_address: 10.0.0.1:8080, raft_address: 10.0.0.1:7946}
      - {name: manager-2, api_address: 10.0.0.2:8080, raft_address: 10.0.0.2:7946}
      - {name: manager-3, api_address: 10.0.0.3:8080, raft_address: 10.0.0.3:7946}
    run_id: 20261123-120102-4f1a
    work_dir: /var/tmp/warren-load/runs/20261123-120102-4f1a
"""

RETURN = r"""
measurements:
  description: >-
    What was found. C(broken) is the sum of C(lost) (acknowledged, and not there under its id), C(doubled) (there more
    than once), C(resurrected) (refused, and there) and C(unasked) (there, and never sent). C(examples) names the first
    of each. C(ambiguous) creates are C(ambiguous_present) or C(ambiguous_absent), and neither is wrong.
    C(resent_doubled) are there more than once, and may have been sent again after nobody could say what had become of
    the first, so that it cannot be told who doubled them.
  returned: always
  type: dict
  sample:
    manager: manager-2
    listed: 581
    acknowledged: 581
    refused: 3
    ambiguous: 1
    ambiguous_present: 0
    ambiguous_absent: 1
    lost: 0
    doubled: 0
    resent_doubled: 0
    resurrected: 0
    unasked: 0
    broken: 0
    examples: {}
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
  description: A sentence for each kind of broken word, and for what may be one.
  returned: always
  type: list
  elements: str
  sample: ["1 service was acknowledged and is gone (lost writes): wl-20261123-120102-4f1a-0007."]
"""

from ansible_collections.warren.load.plugins.module_utils.phases import audit_writes
from ansible_collections.warren.load.plugins.module_utils.phases.wiring import run_phase


def main() -> None:
    run_phase("audit_writes", audit_writes.run, audit_writes.Options, {})


if __name__ == "__main__":
    main()
