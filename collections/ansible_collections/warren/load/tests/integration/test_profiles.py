# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of managers and workers, as a person asks for them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof import reading

from .conftest import Sandbox

FEW: dict[str, Any] = {
    "services": 10,
    "replicas": 2,
    "warren_load_latency_calls": 200,
    "warren_load_objectives_file": str(Path(__file__).with_name("counts.yml")),
}
NONE = "Simulated managers have no profiles"


def test_simulated_managers_have_no_profiles_and_that_fails_nothing(sandbox: Sandbox) -> None:
    run = sandbox.play("load-small", profile=True, **FEW)
    assert run.rc == 0
    results = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    assert results["run"]["profiling"] is True
    assert results["measurements"]["profiles"]["captures"] == []
    assert [one["severity"] for one in results["findings"] if one["sentence"].startswith(NONE)] == ["warning"]
    assert not (sandbox.results / "latest/profiles").exists()
    shown = next(line for line in run.progress if "Warren Load Test Results" in line)
    assert "Profiling: true" in shown

    run = sandbox.play("capture-profiles")
    assert run.rc == 0
    assert sum(NONE in line for line in run.progress) == 1


@pytest.mark.real
def test_profiles_of_the_real_program(sandbox: Sandbox) -> None:
    binary = os.environ.get("WARREN_BINARY")
    if not binary:
        pytest.skip("WARREN_BINARY does not name a real Warren")
    sandbox.variables |= {"warren_load_binary": binary, "warren_load_profile_seconds": 3}
    assert sandbox.play("cluster-up").rc == 0
    run = sandbox.play("load-small", **{**FEW, "profile": True, "warren_load_profile_interval": 2})
    assert run.rc == 0
    folder = (sandbox.results / "latest").resolve()
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    captures = {
        (one["moment"], one["profile"]): one
        for one in results["measurements"]["profiles"]["captures"]
        if one["process"] == "manager-1"
    }
    assert {moment for moment, _profile in captures} == {"baseline", "load", "during", "after"}
    for one in captures.values():
        assert f"profiles/{one['file']}" in results["files"]
        profile = reading.read(folder / "profiles" / one["file"])
        assert profile.types
    # It has the beginning of the load in it.
    cpu = captures["load", "cpu"]
    assert -2 <= cpu["at"] <= 1
    assert cpu["seconds"] >= 3
    assert captures["baseline", "heap"]["at"] < 0 < captures["after", "heap"]["at"]
    assert captures["baseline", "heap"]["cost"] < 1
    for name in results["measurements"]["profiles"]["pages"]:
        assert "github.com/cuemby/warren" in (folder / "profiles" / name).read_text(encoding="utf-8")

    run = sandbox.play("capture-profiles")
    assert run.rc == 0
    (taken,) = sandbox.results.glob("profiles-*")
    assert {"manager-1-now-cpu.pb.gz", "manager-1-now-heap.pb.gz", "index.json"} <= {
        path.name for path in taken.iterdir()
    }
    assert not any(path.stat().st_mode & 0o077 for path in taken.glob("*.pb.gz"))

    assert sandbox.play("cluster-down").rc == 0
    run = sandbox.play("capture-profiles")
    assert run.rc == 2
    assert "manager-1 has no profile: 127.0.0.1:9090" in run.stdout
    assert "nothing listens there" in run.stdout
