# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a JUnit report while a load test runs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: junit
type: aggregate
short_description: Write a JUnit report of a load test
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Writes one test case for every objective and every phase of a load test, for every task that failed outside of
    them, and for every host that could not be reached.
  - A missed objective is a failure. What could not be measured or done is an error. What was not judged, or not
    decided, is skipped. Names are the same in every run.
  - The file is written anew, as a whole, after every result that changes it, so that an interrupted run has one too.
    Until the playbook has ended, it holds an error that says so.
  - Of a load test it goes to C(junit.xml) in the folder of all results (C(warren_load_results_dir)), from the first
    task on, so that there is a report whatever happened; and, as soon as M(warren.load.plan) or M(warren.load.report)
    has named that, to C(junit.xml) in the results folder of the run.
  - Values of variables that are named like a secret (C(ansible_password), for example) are taken out, and so is what
    looks like a join token or a private key.
  - In check mode nothing is written.
requirements:
  - enabling it, C(callbacks_enabled = warren.load.junit) in C(ansible.cfg)
  - the Python package junit-xml on the controller
options:
  path:
    description:
      - Another place for the report than the folder of all results; then for every playbook that runs, not only for
        load tests.
      - A relative path in C(ansible.cfg) starts where that file is.
    type: path
    env:
      - name: WARREN_LOAD_JUNIT_PATH
    ini:
      - section: callback_warren_load_junit
        key: path
  case_properties:
    description:
      - Whether each case of an objective carries its value, limit and level as properties.
      - Without them the report keeps to the strict schema (C(junit-10.xsd)) of the xunit plugin of Jenkins.
    type: bool
    default: false
    env:
      - name: WARREN_LOAD_JUNIT_CASE_PROPERTIES
    ini:
      - section: callback_warren_load_junit
        key: case_properties
"""

import datetime
import json
import os
import platform
import time
import typing as t
from pathlib import Path

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar

from ansible_collections.warren.load.plugins.plugin_utils.delegation import host_of
from ansible_collections.warren.load.plugins.plugin_utils.files import write_whole
from ansible_collections.warren.load.plugins.plugin_utils.junit import (
    HOSTS,
    MISSING,
    PHASES,
    PLAYBOOK,
    RED,
    TASKS,
    Case,
    build,
    document_cases,
    objective_case,
    suite_name,
    suite_properties,
)
from ansible_collections.warren.load.plugins.plugin_utils.places import results_home
from ansible_collections.warren.load.plugins.plugin_utils.redaction import Secrets, values_in

PHASE_OF = {
    "beforehand": "preflight",
    "cluster_info": "preflight",
    "preflight": "preflight",
    "run_lock": "lock",
    "plan": "plan",
    "create": "create",
    "await_containers": "await",
    "latency": "latency",
    "throughput": "throughput",
    "probe": "probe",
    "fault_target": "faults",
    "recovery": "recovery",
    "audit_writes": "audit_writes",
    "hold": "hold",
    "settle": "settle",
    "sampler": "resources",
    "cleanup": "cleanup",
    "judge": "judge",
    "report": "report",
}
"""Module of this collection -> phase."""

LOAD_ROLE = "warren.load.load"
_VERDICT_ACTIONS = ("ansible.builtin.fail", "ansible.builtin.assert", "fail", "assert")
_LONG = 10_000  # characters of one text


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "warren.load.junit"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._cases: dict[tuple[str, str], Case] = {}
        self._begun: dict[tuple[str, str], float] = {}
        self._properties: dict[str, str] = {}
        self._suite = "warren.load"
        self._green: bool | None = None
        self._folder = ""
        self._path = ""
        self._case_properties = False
        self._timestamp = ""
        self._playbook: Case | None = None
        self._play: t.Any = None
        self._load_test = False
        self._secrets: Secrets | None = None

    # What Ansible calls. None of them may raise: a callback that does is only a warning, and the report would be lost.

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        self._safely(self._start, playbook)

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        self._play = play

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        self._safely(self._task_begins, host, task)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._safely(self._ok, result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._safely(self._failed, result, ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._safely(self._unreachable, result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._safely(self._skipped, result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._safely(self._end, stats)

    def _safely(self, handler: t.Callable[..., None], *args: t.Any) -> None:
        try:
            handler(*args)
        except Exception as error:
            self.disabled = True
            self._display.warning(f"warren.load.junit writes no more: {type(error).__name__}: {error}")

    def _start(self, playbook: t.Any) -> None:
        if MISSING:
            self.disabled = True
            self._display.warning(MISSING)
            return
        if context.CLIARGS.get("check"):
            self.disabled = True
            return
        self._path = str(self.get_option("path") or "")
        self._case_properties = bool(self.get_option("case_properties"))
        self._timestamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
        name = os.path.splitext(os.path.basename(str(getattr(playbook, "_file_name", ""))))[0].replace("_", "-")
        self._playbook = Case(
            classname=PLAYBOOK,
            name=f"{name or 'playbook'} runs to its end",
            state="error",
            kind="interrupted",
            message="The run was interrupted, or is still going on.",
        )
        plays = playbook.get_plays()
        self._load_test = any(_has_plan(play.tasks) or LOAD_ROLE in map(str, play.roles) for play in plays)
        self._put(self._playbook)

    def _task_begins(self, host: t.Any, task: t.Any) -> None:
        self._begun[task._uuid, host.get_name()] = time.monotonic()
        if self._secrets is None and self._play is not None:
            self._look_at_variables(host)

    def _look_at_variables(self, host: t.Any) -> None:
        """Once, at the first task: what must not be written down, and where results go unless the plan says."""
        variables = self._play.get_variable_manager().get_vars(play=self._play, host=host)
        templar = Templar(loader=self._play.get_loader(), variables=variables)
        self._secrets = Secrets(values_in(variables, templar.template))
        if self._load_test and not self._path:
            folder = str(templar.template(variables.get("warren_load_results_dir")) or results_home())
            self._path = os.path.join(folder, "junit.xml")
            self._write()

    def _ok(self, result: t.Any) -> None:
        data = result.result
        action, phase = _action_of(result)
        if phase is None:
            return
        if action == "judge" and "judgements" not in data:
            if not data.get("msg"):
                return  # it only checked the objectives
            # The role goes on without a judgement, to write the results; it is none the less an error.
            self._phase(result, phase, "error", _message(data))
            return
        self._phase(result, phase, "passed")
        if action == "judge" and isinstance(data.get("judgements"), list):
            self._green = data.get("green")
            self._properties["verdict"] = str(data.get("verdict"))
            for judgement in data["judgements"]:
                self._put(objective_case(judgement), write=False)
        if action in ("plan", "report"):
            self._learn(action, data)
        self._write()

    def _failed(self, result: t.Any, ignore_errors: bool) -> None:
        data = result.result
        message = _message(data)
        action, phase = _action_of(result)
        if phase is not None:
            self._phase(result, phase, "error", message)
            if action == "report":
                self._learn(action, data)
                self._write()
            return
        if ignore_errors:
            return
        red = [case.message for case in self._cases.values() if case.state in RED and case is not self._playbook]
        if action in _VERDICT_ACTIONS and red and (self._green is False or message in red):
            return  # the task that fails the run: what it says is in the cases of objectives and phases
        task = str(result.task.get_name())
        name = f"[{host_of(result)}] {task}"
        self._put(Case(TASKS, name, "error", self._seconds(result), "task-failed", message, _details(data)))

    def _unreachable(self, result: t.Any) -> None:
        message = _message(result.result)
        phase = _action_of(result)[1]
        ignored = bool(getattr(result.task, "ignore_unreachable", False))
        if phase is not None:
            self._phase(result, phase, "skipped" if ignored else "error", message)
        if ignored:
            return
        name = f"[{host_of(result)}] is reachable"
        self._put(Case(HOSTS, name, "error", self._seconds(result), "unreachable", message))

    def _skipped(self, result: t.Any) -> None:
        phase = _action_of(result)[1]
        if phase is not None and (PHASES, phase) not in self._cases:
            self._phase(result, phase, "skipped", "the phase was skipped")

    def _end(self, stats: t.Any) -> None:
        if self._playbook is None:
            return
        summaries = {host: stats.summarize(host) for host in stats.processed}
        bad = [host for host, counts in summaries.items() if counts.get("failures") or counts.get("unreachable")]
        red = any(case.state in RED and case is not self._playbook for case in self._cases.values())
        if bad and not red:
            self._playbook.kind, self._playbook.message = "failed", f"Failed on {', '.join(sorted(bad))}."
        else:
            self._playbook.state, self._playbook.kind, self._playbook.message = "passed", "", ""
        self._write()

    def _phase(self, result: t.Any, phase: str, state: str, message: str = "") -> None:
        """One case a phase, whatever number of tasks and hosts it has: the worst of them counts."""
        before = self._cases.get((PHASES, phase))
        if before is not None:
            before.seconds = max(before.seconds, self._seconds(result))
            if before.state in RED or (state == "skipped"):
                return
        text = _details(result.result) if state == "error" else ""
        case = Case(PHASES, phase, state, self._seconds(result), "phase-failed", message, text)
        if before is not None:
            case.seconds = before.seconds
        self._put(case)

    def _learn(self, action: str, data: t.Mapping[str, t.Any]) -> None:
        """Where the results of the run go, and what it is called; when they are written, all that they say."""
        if data.get("results_path"):
            self._folder = str(data["results_path"])
            self._properties["results"] = self._folder
        for name in ("run_id", "scale", "scenario"):
            if data.get(name):
                self._properties[name] = str(data[name])
        self._suite = suite_name(self._properties)
        if action != "report":
            return
        self._green = data.get("green", self._green)
        try:
            document = json.loads((Path(self._folder) / "results.json").read_bytes())
        except (OSError, ValueError):
            return  # it could not be written, and the task says so
        self._suite = suite_name(document["run"])
        self._properties = suite_properties(document, self._folder)
        cases = document_cases(document, self._folder)
        # A phase that was skipped because this scenario has none such is no phase of it.
        known = {case.name for case in cases if case.classname == PHASES}
        for key, case in list(self._cases.items()):
            if case.classname == PHASES and case.state == "skipped" and case.name not in known:
                del self._cases[key]
        for case in cases:
            own = self._cases.get((case.classname, case.name))
            if own is None:
                self._put(case, write=False)
            elif own.state not in RED:
                # A phase that stopped early is no failed task.
                if case.state in RED:
                    own.state, own.kind, own.message = case.state, case.kind, case.message
                own.output = case.output

    def _seconds(self, result: t.Any) -> float:
        begun = self._begun.get((result.task._uuid, result.host.get_name()))
        return time.monotonic() - begun if begun is not None else 0.0

    def _put(self, case: Case, *, write: bool = True) -> None:
        if self._secrets is not None:
            for name in ("name", "message", "text", "output"):
                setattr(case, name, self._secrets.out_of(getattr(case, name)))
        self._cases[(case.classname, case.name)] = case
        if write:
            self._write()

    def _write(self) -> None:
        targets = [self._path] if self._path else []
        if self._folder:
            targets.append(os.path.join(self._folder, "junit.xml"))
        if not targets:
            return
        content = build(
            list(self._cases.values()),
            name=self._suite,
            timestamp=self._timestamp,
            hostname=platform.node(),
            properties=self._properties,
            case_properties=self._case_properties,
        )
        for target in dict.fromkeys(os.path.abspath(os.path.expanduser(target)) for target in targets):
            path = Path(target)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)


def _has_plan(blocks: t.Iterable[t.Any]) -> bool:
    """Whether a task that plans a load test is among these tasks and blocks."""
    for entry in blocks:
        if hasattr(entry, "block"):
            if _has_plan((*entry.block, *entry.rescue, *entry.always)):
                return True
        elif getattr(entry, "action", "") == "warren.load.plan":
            return True
    return False


def _action_of(result: t.Any) -> tuple[str, str | None]:
    """The module of a result, by its short name if it is ours, and the phase that it is, if it is one."""
    task = result.task
    action = str(getattr(task, "resolved_action", None) or task.action)
    name = action.removeprefix("warren.load.")
    if name == action:
        return action, None
    return name, PHASE_OF.get(name)


def _message(data: t.Mapping[str, t.Any]) -> str:
    """The message of a result in one line; of a loop, that of its first failed item."""
    for item in data.get("results") or []:
        if isinstance(item, dict) and (item.get("failed") or item.get("unreachable")):
            return _message(item)
    text = data.get("msg") or data.get("censored") or data.get("stderr") or "failed without a message"
    return " ".join(str(text).split())[:_LONG]


def _details(data: t.Mapping[str, t.Any]) -> str:
    """What else a failed result says: its streams, and no more, because it could be anything."""
    parts = [f"{key}:\n{data[key]}" for key in ("msg", "stdout", "stderr", "log_tail") if data.get(key)]
    return "\n\n".join(parts)[:_LONG]
