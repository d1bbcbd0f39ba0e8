# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of a fault, with stubs in place of the modules: who is asked what, when, and what is remembered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.tests.support.worlds import COLLECTION

RUN = "20261123-120102-4f1a"
NODES = ("worker-1", "worker-2", "worker-3")
STUB = """
#!{python}
# WANT_JSON
import json, os, sys, time

home, name = {home!r}, {name!r}
args = json.load(open(sys.argv[1]))
args = {{key: value for key, value in args.items() if not key.startswith("_")}}
with open(home + "/calls.jsonl", "a") as calls:
    calls.write(json.dumps({{"t": time.time(), "module": name, **args}}) + "\\n")
fails = json.load(open(home + "/fails.json")).get(args.get("state", name))


def answer():
    if name == "fault_target":
        left = [one for one in {nodes!r} if one not in args.get("hit", [])]
        if fails and len(left) == len({nodes!r}) - fails:
            return {{"failed": True, "msg": "Not enough workers are left."}}
        return {{"targets": left[: args["count"]], "notes": []}}
    if name == "audit_writes":
        return {{"measurements": {{"broken": 0}}, "problems": []}}
    if fails:
        return {{"failed": True, "msg": "worker: the host cannot be reached."}}
    path, now = home + "/faults.json", time.time()
    faults = json.load(open(path)) if os.path.exists(path) else []
    if args["state"] == "armed":
        faults.append({{"id": args["id"], "kind": args["kind"], "target": args["target"], "run_id": args["run_id"],
                       "began": now, "ended": None, "until": now + float(args["seconds"])}})
        json.dump(faults, open(path, "w"))
        return {{"faults": faults[-1:]}}
    for one in faults:
        one["ended"] = min(now, one["until"]) if args["state"] == "queried" or one["until"] <= now else None
    return {{"faults": [one for one in faults if args["state"] == "queried" or one["ended"] is None]}}


print(json.dumps(answer()))
"""
PLAY = """
- hosts: faults
  gather_facts: false
  vars_files: [vars.json]
  tasks:
    - ansible.builtin.include_role: {name: warren.load.load, tasks_from: TASKS, rolespec_validate: false}
    - ansible.builtin.copy:
        content: >-
          {{ {'rows': load_fault_rows | default([]), 'trouble': load_trouble, 'broken': load_broken} | to_json }}
        dest: "{{ load_work_dir }}/told.json"
        mode: "0600"
"""


class Tasks:
    """Task files of role load on this machine."""

    def __init__(self, folder: Path) -> None:
        self.work_dir = folder / "work"
        self.work_dir.mkdir()
        collection = folder / "collections/ansible_collections/warren/load"
        modules = collection / "plugins/modules"
        modules.mkdir(parents=True)
        (collection / "roles").symlink_to(COLLECTION / "roles")
        (collection / "meta").symlink_to(COLLECTION / "meta")
        for name in ("fault", "fault_target", "audit_writes"):
            stub = STUB.format(python=sys.executable, home=str(self.work_dir), name=name, nodes=NODES)
            (modules / f"{name}.py").write_text(stub.lstrip(), encoding="utf-8")
        (folder / "ansible.cfg").touch()
        self._folder = folder

    def __call__(self, tasks: str, fails: dict[str, Any] | None = None, **variables: Any) -> dict[str, Any]:
        """Runs them; what they remember. ``fails``: which states of module fault do, or after whom the choice does."""
        (self.work_dir / "fails.json").write_text(json.dumps(fails or {}), encoding="utf-8")
        play = self._folder / "play.yml"
        play.write_text(PLAY.replace("TASKS", tasks), encoding="utf-8")
        given = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "load_work_dir": str(self.work_dir),
            "load_run_id": RUN,
            "load_trouble": "",
            "load_broken": {},
            **variables,
        }
        (self._folder / "vars.json").write_text(json.dumps(given), encoding="utf-8")
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "faults,", str(play)],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
                "ANSIBLE_COLLECTIONS_PATH": str(self._folder / "collections"),
                "ANSIBLE_HOME": str(self._folder / "ansible"),
                "ANSIBLE_LOCALHOST_WARNING": "false",
            },
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)
        assert done.returncode == 0
        found: dict[str, Any] = json.loads((self.work_dir / "told.json").read_text(encoding="utf-8"))
        return found

    def calls(self, module: str, state: str | None = None) -> list[dict[str, Any]]:
        """What a module was asked."""
        path = self.work_dir / "calls.jsonl"
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        return [one for one in found if one["module"] == module and state in (None, one.get("state"))]

    def over(self) -> dict[str, Any]:
        """What others are told at the end."""
        found: dict[str, Any] = json.loads((self.work_dir / "fault-over").read_text(encoding="utf-8"))
        return found


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    return Tasks(tmp_path)


def faults(**fault: Any) -> dict[str, Any]:
    """The variables of a run with such faults."""
    candidates = [
        {
            "name": name,
            "host": "faults",
            "dir": f"/nowhere/{name}/faults",
            "ask": {"state": "armed", "kind": fault["kind"], "target": name, "shares_kernel": False},
        }
        for name in NODES
    ]
    planned = {"role": "worker", "count": 1, "anyway": False, "after": 1.0, "candidates": candidates, **fault}
    return {
        "load_cluster": {"connection": {"managers": []}, "python": sys.executable, "fault": planned},
        "load_fault_asked": {"results": [{"item": {"name": name}, "pid": 7} for name in NODES]},
    }


def test_each_turn_is_asked_for_anew_and_comes_so_many_seconds_after_the_one_before(tasks: Tasks) -> None:
    told = tasks("faulting", **faults(kind="kill", seconds=3.0, count=2))
    assert told["trouble"] == ""
    first, second = tasks.calls("fault_target")
    assert (first["count"], first["hit"], first["beside"]) == (2, [], str(tasks.work_dir))
    assert (second["count"], second["hit"]) == (1, ["worker-1"])
    assert "beside" not in second
    armed = tasks.calls("fault", "armed")
    assert [one["target"] for one in armed] == ["worker-1", "worker-2"]
    print(f"{armed[1]['t'] - armed[0]['t']:.2f} s from one to the other")
    assert armed[1]["t"] - armed[0]["t"] >= 2.5
    assert [(one["target"], one["host"], one["own_clock"]) for one in told["rows"]] == [
        ("worker-1", "faults", True),
        ("worker-2", "faults", True),
    ]
    assert all(one["ended"] for one in told["rows"])
    assert tasks.calls("fault", "renewed") == []
    assert tasks.over() == {"lost": ["worker-1", "worker-2"], "silent": True}
    marks = [(tasks.work_dir / f"hit-{name}").stat().st_mtime for name in NODES[:2]]
    assert armed[0]["t"] < marks[0] < armed[1]["t"] < marks[1]


def test_a_refusal_at_a_later_turn_ends_it_with_its_sentence(tasks: Tasks) -> None:
    told = tasks("faulting", {"fault_target": 1}, **faults(kind="kill", seconds=0.1, count=3))
    assert told["trouble"] == "Not enough workers are left."
    assert told["broken"] == {"faults": "Not enough workers are left."}
    assert [one["target"] for one in told["rows"]] == ["worker-1"]
    assert len(tasks.calls("fault_target")) == 2
    assert tasks.over() == {"lost": ["worker-1"], "silent": True}


def test_a_fault_lasts_as_long_as_it_was_asked_for(tasks: Tasks) -> None:
    told = tasks("faulting", load_fault_renewal=10, **faults(kind="pause", seconds=11.0))
    ((armed,), (undone,)) = tasks.calls("fault", "armed"), tasks.calls("fault", "undone")
    print(f"{undone['t'] - armed['t']:.2f} s until it is undone")
    assert 11.0 <= undone["t"] - armed["t"] < 20.0  # and not twice 10
    assert tasks.calls("fault", "renewed")
    assert told["rows"][0]["ended"] - told["rows"][0]["began"] == pytest.approx(11.0)
    assert tasks.over() == {"lost": [], "silent": True}


@pytest.mark.parametrize("unreachable", [["undone"], ["undone", "queried"]])
def test_who_was_hit_is_remembered_though_its_host_cannot_be_reached(tasks: Tasks, unreachable: list[str]) -> None:
    told = tasks("faulting", dict.fromkeys(unreachable, True), **faults(kind="kill", seconds=0.1, count=2))
    assert told["broken"] == {"faults": "worker: the host cannot be reached."}
    (row,) = told["rows"]
    assert (row["target"], row["host"], row["began"] is not None) == ("worker-1", "faults", True)
    assert (row["ended"] is None) is ("queried" in unreachable)
    assert tasks.over() == {"lost": ["worker-1"], "silent": True}


def test_of_a_fault_that_was_refused_nobody_waits_for_anything(tasks: Tasks) -> None:
    told = tasks("faulting", {"armed": True}, **faults(kind="kill", seconds=0.1))
    assert (told["rows"], told["trouble"]) == ([], "worker: the host cannot be reached.")
    assert tasks.over() == {"lost": [], "silent": False}
    assert not list(tasks.work_dir.glob("hit-*"))


@pytest.mark.parametrize("created", [True, False])
def test_the_audit_asks_for_a_journal_and_for_no_result_of_the_creates(tasks: Tasks, created: bool) -> None:
    if created:
        (tasks.work_dir / "journal.jsonl").touch()
    cluster = {"load_cluster": {"connection": {"managers": []}, "python": sys.executable}}
    tasks("audited", load_fault_done=True, load_create={"failed": True, "msg": "its process is gone"}, **cluster)
    assert len(tasks.calls("audit_writes")) == created
