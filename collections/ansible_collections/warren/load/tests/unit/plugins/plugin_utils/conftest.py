# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recorded runs: realistic measurements, and the arguments of the module ``report`` that go with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.warren.load.plugins.module_utils.objectives.judging import judge
from ansible_collections.warren.load.plugins.module_utils.objectives.rows import load_rows

HERE = Path(__file__).parent
COLLECTION = HERE.parents[3]


def measurements(name):
    return json.loads((HERE / f"fixtures/measurements-{name}.json").read_text())


def environment(marks):
    host = {
        "name": "generator",
        "kind": "generator",
        "os": "Debian GNU/Linux 12 (bookworm)",
        "kernel": "6.1.0-18-amd64",
        "arch": "x86_64",
        "cpu_model": "AMD EPYC 7763 64-Core Processor",
        "cores": 2,
        "memory": 3915,
        "memory_available": 3310,
        "disk_free": 17040,
        "open_files_limit": 1024,
        "clock_offset": {"value": 0.0, "unit": "s", "low": -0.1, "high": 0.1, "n": 1},
        "shared_with": ["manager-1"],
    }
    simulator = "simulator" in marks
    return {
        "program": {
            "name": "simulator" if simulator else "warren",
            "path": "/opt/warren",
            "sha256": "9f86d081884c7d65" * 4,
            "version": None if simulator else "v1.6.0",
            "simulator": simulator,
        },
        "hosts": [host, {**host, "name": "manager-1", "kind": "manager"}],
        "managers": [{"name": "manager-1", "api_address": "127.0.0.1:17000", "leader": True, "pin": "88a56b04" * 8}],
        "workers_ready": 2,
        "hollow_workers": 2,
        "generator": "generator",
        "controller": {
            "host": "desk",
            "system": "Linux",
            "python": "3.11.7",
            "ansible_core": "2.19.14",
            "collection": "0.1.0",
            "cpus": 2,
        },
    }


def options(name, scale, services, marks, **changes):
    rows = yaml.safe_load((COLLECTION / "roles/load/files/objectives.yml").read_text())
    measured = measurements(name)
    audit = {"generator": {"valid": True, "reasons": [], "shares_host_with": []}}
    given = {
        "run": {
            "id": "20261123-120102-4f1a",
            "cluster": "sandbox",
            "scale": scale,
            "services": services,
            "replicas": 3,
            "started": "2026-11-23T12:01:02Z",
            "finished": 1795435290.2,
        },
        "results_dir": "results",
        "measurements": measured,
        "audit": audit,
        "judgement": judge(measured, audit, load_rows(rows), scale=scale, marks=marks),
        "environment": environment(marks),
        "marks": marks,
        "phases": [],
        "plan": {},
        "findings": [],
        "work_dir": None,
    }
    return {**given, **changes}


@pytest.fixture
def small():
    """A run that passed, on the simulator."""
    return options("small", "small", 50, ["simulator", "hollow"])


@pytest.fixture
def large():
    """A run that went wrong in every way that findings know."""
    return options("large-failed", "large", 1000, ["hollow"])
