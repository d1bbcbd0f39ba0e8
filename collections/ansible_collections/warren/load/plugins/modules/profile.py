#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: profile
short_description: Take profiles of the Go programs of a host
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Takes profiles from Warren's managers and workers, on their own host, since they serve them on loopback alone. All
    processes of a host are profiled at once.
  - With O(state=taken), takes goroutines, heap, allocations, CPU, and mutexes and blocking where the program counts
    them, now.
  - With O(state=started), takes what there is before a load, and leaves a small program running that takes the rest.
    O(state=load) tells it that the load begins, which is when it profiles the managers' CPU, and beside that all
    memory. O(state=settled) takes goroutines and heap when that load is removed again. O(state=stopped) ends it when
    the profile on its way is whole, takes what there is after the load, and returns all.
  - A profile that is not whole is not kept. Files stay as they were served, so that C(go tool pprof) opens them.
extends_documentation_fragment:
  - warren.load.attributes
options:
  state:
    description: What to do.
    type: str
    choices: [taken, started, load, settled, stopped]
    default: taken
  dir:
    description: The profiles' own folder on the host. V(taken) and V(started) make it anew.
    type: path
    required: true
  run_id:
    description: The run that profiles are taken for. Needed for V(started); without it V(stopped) returns nothing.
    type: str
  processes:
    description: The processes, as M(warren.load.sampler) takes them. Needed for V(taken) and V(started).
    type: list
    elements: dict
    default: []
  cpu_seconds:
    description: How long CPU is profiled, in seconds. 0 is not at all.
    type: float
    default: 30
  interval:
    description:
      - With V(started), how many seconds lie between two looks at heap and goroutines. 0 is none.
      - The first three are no more than 4, 8 and 16 seconds. It doubles after every ten, so that a long run has no more
        than can be looked at.
    type: float
    default: 0
  seconds:
    description: With V(started), after how many seconds the program ends by itself.
    type: float
    default: 3600
  fetch_to:
    description: The folder on the controller that profiles are fetched to.
    type: path
attributes:
  check_mode:
    description: Takes nothing in check mode.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  action:
    description: Has an action plugin that fetches the profiles, and reads them.
    support: full
"""

EXAMPLES = r"""
- name: Take the manager's profiles
  warren.load.profile:
    dir: /var/tmp/warren-load/mine/profiles
    processes:
      - name: manager-1
        pid_file: /srv/manager-1/pid.json
        metrics_url: http://127.0.0.1:9090/metrics
    cpu_seconds: 10
    fetch_to: profiles
"""

RETURN = r"""
rows:
  description: >-
    A row for each profile, with C(process), C(kind), C(pid), C(moment) (C(baseline), C(load), C(during), C(settled),
    C(after) or C(now)), C(profile), C(url), C(began) in Unix seconds, C(seconds) that it took, C(bytes),
    C(rss_before) and C(rss_after) of the process in bytes, C(cpu) that the process used meanwhile and C(cost), what of
    it was for the profile, in seconds (null where that cannot be told), C(load) (C(services) and running
    C(containers) when it began, as the manager's own page tells), C(file), and where it was fetched, C(top), the
    function that has most.
  returned: with O(state=taken) and O(state=stopped)
  type: list
  elements: dict
  sample:
    - process: manager-1
      kind: manager
      moment: load
      profile: cpu
      seconds: 30.02
      bytes: 18231
      file: manager-1-load-cpu.pb.gz
unavailable:
  description: A sentence for each profile that could not be had, also where the program that takes it was gone.
  returned: with O(state=taken) and O(state=stopped)
  type: list
  elements: str
  sample:
    - "worker-1 has no profile: 127.0.0.1:6060 on node-2, nothing listens there; start the worker with --enable-pprof,
      which serves profiles on port 6060."
pid:
  description: The number of the process that was left running.
  returned: with O(state=started)
  type: int
  sample: 4711
taken:
  description: How many profiles were taken.
  returned: with O(state=settled)
  type: int
  sample: 4
ended:
  description: The run whose program was ended, empty if none ran.
  returned: with O(state=started) and O(state=stopped)
  type: str
  sample: ""
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import profiler, sampling, supervision

ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["taken", "started", "load", "settled", "stopped"], "default": "taken"},
    "dir": {"type": "path", "required": True},
    "run_id": {"type": "str"},
    "processes": {"type": "list", "elements": "dict", "default": []},
    "cpu_seconds": {"type": "float", "default": 30},
    "interval": {"type": "float", "default": 0},
    "seconds": {"type": "float", "default": 3600},
    "fetch_to": {"type": "path"},
}


def act(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the state asks for."""
    targets = [sampling.Target(**raw) for raw in params["processes"]]
    folder, state = params["dir"], params["state"]
    for option in ("cpu_seconds", "interval", "seconds"):
        if params[option] < 0:
            raise supervision.SupervisionError(f"{option} is {params[option]:g}: say 0 or more.")
    if state == "taken":
        return {"changed": False, **profiler.take(folder, targets, "now", params["cpu_seconds"])}
    if state == "started":
        timing = {name: params[name] for name in ("cpu_seconds", "interval", "seconds")}
        pid, replaced = profiler.start(folder, params["run_id"], targets, **timing)
        return {"changed": True, "pid": pid, "ended": replaced}
    if state == "settled":
        return {"changed": False, "taken": profiler.settled(folder)}
    if state == "load":
        return {"changed": profiler.load_begins(folder)}
    if params["run_id"]:
        return {"changed": True, "ended": params["run_id"], **profiler.collect(folder, params["run_id"])}
    ended = profiler.stop(folder)
    supervision.remove([folder])
    return {"changed": bool(ended), "ended": ended}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS, required_if=[("state", "started", ["run_id"])], supports_check_mode=True
    )
    if module.check_mode:
        module.exit_json(changed=module.params["state"] == "started")
    try:
        module.exit_json(**act(module.params))
    except supervision.SupervisionError as error:
        module.fail_json(msg=str(error), log_tail=error.log_tail)
    except OSError as error:
        folder = error.filename or module.params["dir"]
        module.fail_json(msg=f"Profiles cannot be kept in {folder}: {error.strerror}.")
    except TypeError as error:
        module.fail_json(msg=f"processes: {error}.")


if __name__ == "__main__":
    main()
