#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: run_lock
short_description: One load test at a time on a cluster
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Takes or gives up a lock on a cluster. The lock is a file on the generator that names its owner and expires.
  - A lock whose owner has ended, or whose time is over, is taken over, and the result says so.
extends_documentation_fragment:
  - warren.load.attributes
options:
  path:
    description: The lock file.
    type: path
    required: true
  cluster:
    description: The cluster's name in messages. Needed for V(present).
    type: str
  run_id:
    description:
      - The run that takes the lock, or gives it up. Needed for V(present).
      - With V(absent), no run removes the lock of any run that has ended, and fails when the lock is in use.
    type: str
  runs_dir:
    description:
      - The folder of the runs' work folders.
      - Engines there that nobody waits for any more are made to stop when a stale lock is taken over, and with
        V(absent) and no O(run_id).
    type: path
  expiry:
    description: Seconds after which the lock binds nobody.
    type: float
    default: 3600
  state:
    description: Whether the lock is to be held.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Tells whether it would take or give up the lock, and does neither.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  action:
    description: Has an action plugin that makes a host which cannot be reached a failed task.
    support: full
"""

EXAMPLES = r"""
- name: Nobody else tests this cluster now
  warren.load.run_lock:
    path: /var/tmp/warren-load/locks/sandbox.json
    cluster: sandbox
    run_id: 20261123-120102-ab12
    expiry: 900
"""

RETURN = r"""
note:
  description: Whose lock was taken over or removed, and why that was right. Empty if there was none.
  returned: always
  type: str
  sample: "The lock of run 20261123-110000-aaaa was taken over: its owner root@host:4711 has ended."
owner:
  description: The owner as written into the lock, C(user@host:pid).
  returned: when the lock is taken
  type: str
  sample: root@host:4711
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import lock as locks

ARGUMENTS: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "cluster": {"type": "str"},
    "run_id": {"type": "str"},
    "runs_dir": {"type": "path"},
    "expiry": {"type": "float", "default": 3600},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


PATIENCE = 15.0  # seconds for an engine to notice that its lease is gone, flush and exit


def take(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Take the lock; raises Locked."""
    now = time.time()
    lock = locks.new_lock(params["cluster"], params["run_id"], params["expiry"], now, locks.controller_pid())
    if check_mode:
        held = locks.read(params["path"])
        if held is not None and held.run_id != lock.run_id and held.stale(now, params["runs_dir"]) is None:
            raise locks.Locked(held)
        return {"changed": True, "note": "", "owner": lock.owner}
    note = locks.acquire(params["path"], lock, now, params["runs_dir"])
    if note and params["runs_dir"]:
        locks.end_runs(params["runs_dir"], PATIENCE)
    return {"changed": True, "note": note or "", "owner": lock.owner}


def give_up(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Give up the run's lock, or any stale one; raises Locked for one in use."""
    now, run_id = time.time(), params["run_id"]
    if check_mode:
        held = locks.read(params["path"])
        return {"changed": held is not None and run_id in (None, held.run_id), "note": ""}
    gone = locks.release(params["path"], run_id, now, params["runs_dir"])
    notes = [f"The lock of run {gone[0].run_id} was removed: {gone[1]}."] if gone and run_id is None else []
    ended = locks.end_runs(params["runs_dir"], PATIENCE) if run_id is None and params["runs_dir"] else []
    notes += [f"The engine of run {run} was stopped." for run in ended]
    return {"changed": gone is not None or bool(ended), "note": " ".join(notes)}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "present", ["cluster", "run_id"])],
        supports_check_mode=True,
    )
    try:
        act = take if module.params["state"] == "present" else give_up
        result = act(module.params, module.check_mode)
    except locks.Locked as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"The lock {module.params['path']} cannot be used: {error.filename}: {error.strerror}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
