# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done on the controller with the profiles that a host has taken."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tarfile
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure
from ansible.template import Templar, trust_as_template

from ansible_collections.warren.load.plugins.action import profile, profile_report
from ansible_collections.warren.load.plugins.plugin_utils import screen
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE
from ansible_collections.warren.load.tests.unit.plugins.plugin_utils.test_profiles import row

COLLECTION = Path(__file__).parents[4]


class Host:
    """A connection to this very machine, as far as the plugin uses one."""

    become = None

    def __init__(self):
        self._shell = Mock(quote=shlex.quote, join_path=os.path.join, tmpdir=None)
        self.broken = False

    def fetch_file(self, there, here):
        if self.broken:
            raise AnsibleConnectionFailure("connection lost")
        shutil.copy(there, here)


@pytest.fixture
def taken(tmp_path):
    """What the module returns that has taken two profiles."""
    rows = [row("load", "heap"), row("load", "cpu")]
    archive = tmp_path / "profiles.tar"
    with tarfile.open(archive, "w") as out:
        out.add(HERE / "heap-after.pb.gz", arcname=rows[0]["file"])
        out.add(HERE / "cpu.pb.gz", arcname=rows[1]["file"])
    return {"changed": False, "rows": rows, "archive": str(archive), "unavailable": ["worker-1 has no profile."]}


def fetched(taken, folder, host=None):
    task = Mock(args={"dir": "/x", "fetch_to": str(folder)}, check_mode=False, async_val=0, no_log=False)
    action = profile.ActionModule(task, host or Host(), Mock(), Mock(), Mock(), Mock())
    action._execute_module = lambda **_words: dict(taken)
    return action.run(None, {"inventory_hostname": "node-1"})


def test_profiles_come_to_the_controller(taken, tmp_path):
    told = fetched(taken, tmp_path / "results/profiles")
    assert sorted(path.name for path in (tmp_path / "results/profiles").iterdir()) == [
        "manager-1-load-cpu.pb.gz",
        "manager-1-load-heap.pb.gz",
    ]
    assert all(one["top"]["function"] for one in told["rows"])
    assert told["unavailable"] == ["worker-1 has no profile."]
    assert "archive" not in told


def test_a_host_that_is_lost_meanwhile_costs_a_sentence(taken, tmp_path):
    host = Host()
    host.broken = True
    told = fetched(taken, tmp_path / "profiles", host)
    assert told["rows"] == []
    assert told["unavailable"][1].startswith("The profiles of node-1 were not fetched: connection lost")
    assert not told.get("failed")


@pytest.mark.parametrize(
    ("workers", "told"),
    # One host is told after the other.
    [(2, ["worker-0", "worker-1", "manager-1"]), (10, ["manager-1"])],
)
def test_who_is_told_that_the_load_begins(workers, told):
    (task,) = yaml.safe_load((COLLECTION / "roles/load/tasks/profile_load.yml").read_text(encoding="utf-8"))
    hosts = [{"host": "manager-1", "managers": True}]
    hosts += [{"host": f"worker-{number}", "managers": False} for number in range(workers)]
    found = Templar(variables={"load_cluster": {"profilers": hosts}}).template(trust_as_template(task["loop"]))
    assert [each["host"] for each in found] == told


@pytest.fixture
def report(monkeypatch):
    """Runs the report; returns what it returned and what it showed."""
    lines = []
    monkeypatch.setattr(screen, "Display", lambda: Mock(display=lambda text, **_how: lines.append(text)))
    monkeypatch.setattr(screen, "ANSIBLE_COLOR", False)

    def report(check=False, **args):
        task = Mock(args=args, check_mode=check, async_val=0, no_log=False)
        return profile_report.ActionModule(task, Host(), Mock(), Mock(), Mock(), Mock()).run(None, {}), lines

    return report


def test_index_and_pages_lie_beside_the_profiles(taken, tmp_path, report):
    folder = tmp_path / "profiles"
    results = [{**fetched(taken, folder), "item": {"host": "node-1"}}]
    told, lines = report(results=results, folder=str(folder), first_create=990, show=True)
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    assert index == json.loads(json.dumps(told["profiles"]))
    assert index["captures"][0]["host"] == "node-1"
    assert index["captures"][0]["at"] == 10
    for page in index["pages"]:
        assert (folder / page).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "manager-1: " in lines[0]


def test_nothing_taken_leaves_nothing(tmp_path, report):
    told, lines = report(folder=str(tmp_path / "profiles"), note="Simulated managers have no profiles.", show=True)
    assert told["profiles"]["unavailable"] == ["Simulated managers have no profiles."]
    assert lines == ["! Simulated managers have no profiles."]
    assert not (tmp_path / "profiles").exists()


def test_in_check_mode_nothing_is_read(tmp_path, report):
    told, lines = report(check=True, folder=str(tmp_path), show=True)
    assert told["skipped"]
    assert lines == []
