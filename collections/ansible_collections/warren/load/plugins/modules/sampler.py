#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: sampler
short_description: Watch what the processes of a host use while a load test runs
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - With O(state=started), leaves a small program running that samples memory, CPU, open files and threads of
    processes, and what their own pages tell, until it is stopped or O(seconds) are over. It needs nobody to be alive
    for that, uses less than 1 % of a core, and replaces the sampler of an earlier run.
  - With O(state=stopped) and O(run_id), ends it and returns what it saw, in a size that does not grow with time. The
    series themselves stay in O(dir), packed, and are fetched to O(fetch_to) on the controller.
  - A process is found by its pid file, or by its command line. One that ended, or was started again, is noticed.
  - Linux has all of it in C(/proc). Elsewhere C(ps) is asked, every 10 s, and open files and threads are not known.
extends_documentation_fragment:
  - warren.load.attributes
options:
  state:
    description: Whether the sampler is to run.
    type: str
    choices: [started, stopped]
    default: started
  dir:
    description: The sampler's own folder on the host. It is made anew with each start.
    type: path
    required: true
  run_id:
    description:
      - The run that the sampler works for. Needed for V(started).
      - With V(stopped), says whose samples to return. Without it the sampler of any run ends, and nothing is returned.
    type: str
  processes:
    description: The processes to watch. Needed for V(started).
    type: list
    elements: dict
    suboptions:
      name:
        description: What results call the process.
        type: str
        required: true
      kind:
        description: Where results list it.
        type: str
        choices: [manager, worker, other]
        default: manager
      pid_file:
        description: The pid file that M(warren.load.process) keeps, or the C(status.json) of an engine.
        type: path
      match:
        description: Regular expression on the command line. It must fit one process alone.
        type: str
      metrics_url:
        description:
          - The manager's own page, C(http://127.0.0.1:9090/metrics) with Warren.
          - It tells goroutines and Warren's metrics. It is the only source where the process cannot be found.
        type: str
      pprof_url:
        description: >-
          A page whose first line tells the number of goroutines, such as
          C(http://127.0.0.1:6060/debug/pprof/goroutine?debug=1) of a worker with C(--enable-pprof).
        type: str
      log_file:
        description:
          - Where the process logs. Without it, the file that its standard output goes to.
        type: path
      transient:
        description: It comes and goes with the phases of a run. That it ends says nothing.
        type: bool
        default: false
  interval:
    description: Seconds between two samples.
    type: float
    default: 1.0
  scrape:
    description: Seconds between two looks at the processes' pages.
    type: float
    default: 5.0
  seconds:
    description: After how many seconds the sampler ends by itself.
    type: float
    default: 3600
  steady_from:
    description: Since when the load was steady, in Unix seconds. Growth of memory is judged from then on.
    type: float
  steady_to:
    description: Until when the load was steady.
    type: float
  shortest:
    description: Of how many seconds of steady load, at least, a trend is told.
    type: float
    default: 90.0
  fetch_to:
    description: The folder on the controller that the packed series are fetched to. Without it none are.
    type: path
  label:
    description: What the names of fetched files end with, such as the host's name.
    type: str
    default: host
attributes:
  check_mode:
    description: Starts and stops nothing in check mode.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  action:
    description: Has an action plugin that fetches the series.
    support: full
"""

EXAMPLES = r"""
- name: Watch the manager of this host
  warren.load.sampler:
    dir: /var/tmp/warren-load/mine/runs/sampler
    run_id: 20261123-120102-4f1a
    seconds: 900
    processes:
      - name: manager-1
        pid_file: /srv/manager-1/pid.json
        metrics_url: http://127.0.0.1:9090/metrics

- name: What did it see
  warren.load.sampler:
    state: stopped
    dir: /var/tmp/warren-load/mine/runs/sampler
    run_id: 20261123-120102-4f1a
    fetch_to: results/20261123-120102-4f1a/samples
    label: node-1
"""

RETURN = r"""
pid:
  description: The sampler's process number.
  returned: when it was started
  type: int
  sample: 4711
ended:
  description: The run whose sampler was ended; empty if none ran.
  returned: always
  type: str
  sample: 20261123-110000-aaaa
rows:
  description: >-
    A row for each process that was seen, with C(name), C(kind), C(host), C(pid), C(source), C(rss) and C(rss_peak) in
    MB (1 MB = 1 MiB, as in the guide), C(cpu) in s while it was watched, C(cpu_share) and C(cpu_share_peak) in % of a
    core, C(open_files), C(threads) and C(goroutines) at the end, each with C(_peak), C(restarts), C(ended) (whether it
    is gone), C(log) (lines since the start, with the first of each: C(error), C(warning), and C(refused), what a
    follower tried to write), C(growth) of memory while the load was steady, C(open_files_growth) and
    C(goroutines_growth) a minute (null where that was too short), C(metrics) of managers (C(start),
    C(end), C(max) by name), and C(containers) of workers (C(count), C(count_peak), and in MB C(memory_peak) of their
    processes and C(shims_peak) of containerd's shims, shared pages counted once; null where none ran).
  returned: with O(state=stopped) and O(run_id)
  type: list
  elements: dict
  sample:
    - name: manager-1
      kind: manager
      host: node-1
      pid: 4711
      source: /proc
      rss: {value: 31.2, unit: MB, low: null, high: null, n: 1}
      rss_peak: {value: 33.0, unit: MB, low: null, high: null, n: 42}
      open_files: 21
      threads: 9
      restarts: 0
      ended: false
sampler:
  description: >-
    What the sampler itself cost, with C(samples), C(interval), C(cpu_share), C(rss), C(scrapes) and C(scrape_time).
  returned: with O(state=stopped) and O(run_id)
  type: dict
  sample: {host: node-1, samples: 42, cpu_share: {value: 0.3, unit: "%", low: null, high: null, n: 42}}
unavailable:
  description: A sentence for each thing that cannot be told.
  returned: with O(state=stopped) and O(run_id)
  type: list
  elements: str
  sample: ["Memory and CPU of manager-2 are not known: the process of /srv/manager-2/pid.json does not run."]
files:
  description: The packed series on the host.
  returned: with O(state=stopped) and O(run_id)
  type: list
  elements: str
  sample: [/var/tmp/warren-load/mine/runs/sampler/resources.csv.gz]
fetched:
  description: The packed series on the controller, relative to the run's results.
  returned: with O(fetch_to)
  type: list
  elements: str
  sample: [samples/resources-node-1.csv.gz]
"""

import re
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import sampler, sampling, supervision

ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
    "dir": {"type": "path", "required": True},
    "run_id": {"type": "str"},
    "processes": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": list(sampler.KINDS), "default": "manager"},
            "pid_file": {"type": "path"},
            "match": {"type": "str"},
            "metrics_url": {"type": "str"},
            "pprof_url": {"type": "str"},
            "log_file": {"type": "path"},
            "transient": {"type": "bool", "default": False},
        },
    },
    "interval": {"type": "float", "default": 1.0},
    "scrape": {"type": "float", "default": 5.0},
    "seconds": {"type": "float", "default": 3600},
    "steady_from": {"type": "float"},
    "steady_to": {"type": "float"},
    "shortest": {"type": "float", "default": sampler.SHORTEST},
    "fetch_to": {"type": "path"},
    "label": {"type": "str", "default": "host"},
}


def start(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Let a sampler run, as asked for by O(state=started)."""
    targets = [sampling.Target(**raw) for raw in params["processes"]]
    for target in targets:
        try:
            re.compile(target.match or "")
        except re.error as error:
            raise supervision.SupervisionError(
                f"processes: match {target.match!r} is not a regular expression: {error}."
            ) from error
    for option in ("interval", "scrape", "seconds"):
        if not params[option] > 0:
            raise supervision.SupervisionError(f"{option} is {params[option]:g}: say a number above 0.")
    timing = {name: params[name] for name in ("interval", "scrape", "seconds")}
    pid, replaced = sampler.start(params["dir"], params["run_id"], targets, **timing)
    return {"changed": True, "pid": pid, "ended": replaced}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "started", ["run_id", "processes"])],
        supports_check_mode=True,
    )
    params = module.params
    try:
        if module.check_mode:
            record = supervision.running_record(f"{params['dir']}/pid.json")
            result: dict[str, t.Any] = {"changed": params["state"] == "started" or record is not None, "ended": ""}
        elif params["state"] == "started":
            result = start(params)
        elif params["run_id"]:
            window = (params["steady_from"], params["steady_to"])
            result = {
                "changed": True,
                "ended": params["run_id"],
                **sampler.collect(params["dir"], params["run_id"], window, params["shortest"]),
            }
        else:
            ended = sampler.stop(params["dir"])
            supervision.remove([params["dir"]])
            result = {"changed": bool(ended), "ended": ended}
    except supervision.SupervisionError as error:
        module.fail_json(msg=str(error), log_tail=error.log_tail)
    except OSError as error:
        module.fail_json(msg=f"The sampler cannot use {error.filename or params['dir']}: {error.strerror}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
