#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: process
short_description: Keep a foreground program running on a node, or end it
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Starts a program in a session of its own, waits until it is ready, and leaves it running after Ansible has gone.
  - Finds it again by a pid file that names the very process, by its number and its start.
  - Warren cannot be restarted on a used data directory, hence O(wipe).
extends_documentation_fragment:
  - warren.load.attributes
options:
  name:
    description: What messages call the program.
    type: str
    required: true
  state:
    description:
      - V(started) starts the program if it does not run.
      - V(stopped) ends it and removes O(wipe).
      - V(queried) changes nothing and tells whether it runs.
      - V(signalled) sends it O(signal) if it runs.
    type: str
    choices: [started, stopped, queried, signalled]
    default: started
  argv:
    description: Program and arguments. Needed for V(started).
    type: list
    elements: str
  secrets:
    description: Words in O(argv) that no output may show, such as join tokens.
    type: list
    elements: str
    default: []
  environment:
    description: Environment variables that the program gets besides the module's own.
    type: dict
    default: {}
  chdir:
    description: Directory the program starts in. Made if it is missing.
    type: path
  directories:
    description: Directories to make before a start, for the caller's eyes only (mode 0700).
    type: list
    elements: path
    default: []
  pid_file:
    description: JSON file that holds the process's number, its start, the hash of its arguments and O(labels).
    type: path
    required: true
  log_file:
    description: Where stdout and stderr go. The file of the start before is kept as C(.1). Needed for V(started).
    type: path
  identity:
    description: Counts as a part of O(argv) when the module compares what runs with what is asked for.
    type: str
    default: ""
  labels:
    description: Words to keep in the pid file, for whoever looks at it later.
    type: dict
    default: {}
  only_labels:
    description:
      - With V(stopped), do so only if the program was started with all of these labels. It need not run any more.
    type: dict
    default: {}
  on_change:
    description:
      - What to do when the program runs with other arguments than asked for. Another environment alone is left alone.
      - V(fail) refuses, V(restart) stops and starts it, V(keep) leaves it alone.
    type: str
    choices: [fail, restart, keep]
    default: fail
  kept_labels:
    description: Labels that a program which is started anew by O(on_change=restart) keeps from its start before.
    type: list
    elements: str
    default: []
  wipe:
    description:
      - Files and directories to remove before a start and after a stop.
      - They must lie in the directory of O(pid_file).
    type: list
    elements: path
    default: []
  unused:
    description:
      - Directories that the program can only start without, such as a Warren manager's data.
      - The module refuses to start the program where one is left after O(wipe), and removes them after a start that
        failed.
    type: list
    elements: path
    default: []
  wipe_labels:
    description:
      - A program that was started with all of these labels has its O(unused) wiped, too, when it is stopped, or
        started again after it died.
    type: dict
    default: {}
  free_ports:
    description:
      - Addresses as C(host:port) or C(udp:host:port) besides O(ready_ports) that nothing may listen on before a start.
    type: list
    elements: str
    default: []
  port_remedies:
    description: What else to do, as an end of the sentence, when something listens on one of these addresses.
    type: dict
    default: {}
  unit:
    description:
      - Name of a unit of systemd's, without C(.service), that keeps the program where systemd runs the host and the
        task is root's. Elsewhere the program runs in a session of its own.
    type: str
    default: ""
  ready_pattern:
    description: Regular expression that the log shows when the program is ready.
    type: str
  ready_ports:
    description:
      - Addresses as C(host:port) that accept connections when the program is ready.
      - The module refuses to start the program when one of them does so before.
    type: list
    elements: str
    default: []
  ready_timeout:
    description: Seconds until the program must be ready. Otherwise it is ended and the task fails.
    type: float
    default: 30
  signal:
    description: The signal for V(signalled), such as V(USR1). Needed for it.
    type: str
  stop_timeout:
    description: Seconds between SIGTERM and SIGKILL.
    type: float
    default: 10
attributes:
  check_mode:
    description: Tells whether it would start or stop something, and does neither.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  action:
    description: Has an action plugin that makes a host which cannot be reached a failed task.
    support: full
"""

EXAMPLES = r"""
- name: A manager runs
  warren.load.process:
    name: manager-1
    argv: [/usr/local/bin/warren, cluster, init, --node-id, manager-1, --data-dir, /srv/manager-1/data]
    environment:
      HOME: /srv/manager-1/home
    pid_file: /srv/manager-1/pid.json
    log_file: /srv/manager-1/log
    wipe: [/srv/manager-1/data, /srv/manager-1/home]
    ready_pattern: gRPC API listening on
    ready_ports: ["127.0.0.1:8080"]

- name: The manager is gone, with what it wrote
  warren.load.process:
    name: manager-1
    state: stopped
    pid_file: /srv/manager-1/pid.json
    wipe: [/srv/manager-1]
"""

RETURN = r"""
running:
  description: Whether the program runs now.
  returned: always
  type: bool
  sample: true
pid:
  description: Its process number.
  returned: when it runs
  type: int
  sample: 4711
labels:
  description: The labels it was started with.
  returned: when it runs
  type: dict
  sample: {dialect: containers}
started:
  description: Whether this task started it.
  returned: always
  type: bool
  sample: true
stopped:
  description: Whether this task ended it.
  returned: always
  type: bool
  sample: false
killed:
  description: Whether SIGTERM was not enough.
  returned: always
  type: bool
  sample: false
ready_seconds:
  description: Seconds from the start until it was ready.
  returned: when this task started it
  type: float
  sample: 0.8
log_tail:
  description: The last lines of its log, tokens masked.
  returned: on failure
  type: list
  elements: str
  sample: ["Error: bootstrap only works on new clusters"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import supervision

ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["started", "stopped", "queried", "signalled"], "default": "started"},
    "argv": {"type": "list", "elements": "str"},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
    "environment": {"type": "dict", "default": {}},
    "chdir": {"type": "path"},
    "directories": {"type": "list", "elements": "path", "default": []},
    "pid_file": {"type": "path", "required": True},
    "log_file": {"type": "path"},
    "identity": {"type": "str", "default": ""},
    "labels": {"type": "dict", "default": {}},
    "only_labels": {"type": "dict", "default": {}},
    "on_change": {"type": "str", "choices": ["fail", "restart", "keep"], "default": "fail"},
    "kept_labels": {"type": "list", "elements": "str", "default": []},
    "wipe": {"type": "list", "elements": "path", "default": []},
    "unused": {"type": "list", "elements": "path", "default": []},
    "wipe_labels": {"type": "dict", "default": {}},
    "free_ports": {"type": "list", "elements": "str", "default": []},
    "port_remedies": {"type": "dict", "default": {}},
    "unit": {"type": "str", "default": ""},
    "ready_pattern": {"type": "str"},
    "ready_ports": {"type": "list", "elements": "str", "default": []},
    "ready_timeout": {"type": "float", "default": 30},
    "signal": {"type": "str"},
    "stop_timeout": {"type": "float", "default": 10},
}


def program_of(params: dict[str, t.Any]) -> supervision.Program:
    """The program that the task's options describe."""
    return supervision.Program(
        name=params["name"],
        argv=params["argv"] or [],
        pid_file=params["pid_file"],
        log_file=params["log_file"] or "",
        chdir=params["chdir"],
        environment={str(key): str(value) for key, value in params["environment"].items()},
        identity=params["identity"],
        labels={str(key): str(value) for key, value in params["labels"].items()},
        directories=params["directories"],
        wipe=[*params["wipe"], *_passing(params)],
        unused=params["unused"],
        free_ports=params["free_ports"],
        port_remedies=params["port_remedies"],
        unit=params["unit"],
        stop_timeout=params["stop_timeout"],
        ready_pattern=params["ready_pattern"],
        ready_ports=params["ready_ports"],
        ready_timeout=params["ready_timeout"],
    )


def start(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Bring the program up, as asked for by O(state=started)."""
    program = program_of(params)
    record = supervision.running_record(program.pid_file)
    result: dict[str, t.Any] = {"changed": False, "started": False, "stopped": False, "killed": False, "running": True}
    if record is not None:
        if record.argv_sha256 == program.fingerprint() or params["on_change"] == "keep":
            return {**result, "pid": record.pid, "labels": record.labels}
        if params["on_change"] == "fail":
            raise supervision.SupervisionError(
                f"{program.name} runs already, but with other settings than asked for: "
                "stop it first (playbook cluster-down), "
                "or ask for what runs."
            )
    if check_mode:
        return {**result, "changed": True, "running": record is not None}
    if record is not None:
        program.labels |= {name: record.labels[name] for name in params["kept_labels"] if name in record.labels}
        result["stopped"], result["killed"] = supervision.stop(program.pid_file, params["stop_timeout"])
    record, seconds = supervision.start(program)
    return {
        **result,
        "changed": True,
        "started": True,
        "pid": record.pid,
        "labels": record.labels,
        "ready_seconds": round(seconds, 3),
    }


def stop(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """End the program and remove what it left, as asked for by O(state=stopped)."""
    pid_file, wipe = params["pid_file"], [*params["wipe"], *_passing(params)]
    supervision.check_wipe(pid_file, wipe)
    record = supervision.running_record(pid_file)
    if params["only_labels"] and not _labelled(pid_file, params["only_labels"]):
        return {**query(params), "changed": False}
    leftovers = supervision.existing([pid_file, *wipe])
    result = {"changed": record is not None or bool(leftovers), "started": False, "stopped": False, "killed": False}
    if check_mode:
        return {**result, "running": record is not None}
    result["stopped"], result["killed"] = supervision.stop(pid_file, params["stop_timeout"])
    supervision.remove(wipe)
    return {**result, "running": False}


def _passing(params: dict[str, t.Any]) -> list[str]:
    """What goes because the program that wrote it was a passing one."""
    return params["unused"] if params["wipe_labels"] and _labelled(params["pid_file"], params["wipe_labels"]) else []


def _labelled(pid_file: str, labels: dict[str, t.Any]) -> bool:
    record = supervision.read_record(pid_file)
    return record is not None and all(record.labels.get(key) == str(value) for key, value in labels.items())


def query(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What runs, as asked for by O(state=queried)."""
    record = supervision.running_record(params["pid_file"])
    found = {"pid": record.pid, "labels": record.labels} if record else {}
    return {"changed": False, "started": False, "stopped": False, "killed": False, "running": bool(record), **found}


def tell(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Send the signal, as asked for by O(state=signalled)."""
    told = query(params)
    if told["running"] and not check_mode:
        supervision.send(params["pid_file"], params["signal"])
    return {**told, "changed": told["running"]}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "started", ["argv", "log_file"]), ("state", "signalled", ["signal"])],
        supports_check_mode=True,
    )
    try:
        if module.params["state"] == "started":
            result = start(module.params, module.check_mode)
        elif module.params["state"] == "stopped":
            result = stop(module.params, module.check_mode)
        elif module.params["state"] == "signalled":
            result = tell(module.params, module.check_mode)
        else:
            result = query(module.params)
    except supervision.SupervisionError as error:
        module.fail_json(msg=str(error), log_tail=error.log_tail, returncode=error.returncode)
    except OSError as error:
        module.fail_json(msg=f"{module.params['name']}: {error.filename or 'system'}: {error.strerror}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
