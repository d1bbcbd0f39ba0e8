# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of managers and workers, as a person asks for them."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.pprof import reading
from ansible_collections.warren.load.tests.support.recorded_profiles import RecordedProfiles
from ansible_collections.warren.load.tests.support.worlds import World, simulator
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import Case, pprof
from ansible_collections.warren.load.tests.unit.plugins.module_utils.pprof.test_views import same

from .conftest import Sandbox

FEW: dict[str, Any] = {
    "services": 10,
    "replicas": 2,
    "warren_load_latency_calls": 200,
    "warren_load_objectives_file": str(Path(__file__).with_name("counts.yml")),
}
CLUSTER = "manager-1"  # a listed cluster has the name of its first manager
NONE = "Simulated managers have no profiles"


def test_simulated_managers_have_no_profiles_and_that_fails_nothing(sandbox: Sandbox) -> None:
    run = sandbox.play("load-small", profile=True, warren_load_clock_factor=10, **FEW)
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
    (line,) = (line for line in run.progress if NONE in line)
    assert line.count("\n") <= 1


@pytest.fixture
def listed(sandbox: Sandbox, tmp_path: Path) -> Iterator[tuple[Path, RecordedProfiles]]:
    """A simulated cluster as an inventory lists one that is already there, whose profiles are recorded ones of Go."""
    with World(simulator(Dialect.TASKS), managers=1) as world, RecordedProfiles() as listener:
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        addresses = {
            "warren_load_api_address": world.first.api_address,
            "warren_load_raft_address": world.first.raft_address,
            "warren_load_http_address": f"127.0.0.1:{listener.server_port}",
        }
        groups = {
            "managers": {"hosts": {"manager-1": {**here, **addresses}}},
            "generators": {"hosts": {"localhost": here}},
        }
        inventory = tmp_path / "listed.json"
        inventory.write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
        # The process that is taken for the manager's is the one that listens.
        named = sandbox.state / CLUSTER / "manager-1" / "pid.json"
        named.parent.mkdir(parents=True)
        named.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
        sandbox.variables |= {"warren_load_sandbox": False, "warren_load_clock_factor": 10}
        with world.fleet(2) as fleet:
            fleet.wait_registered()
            yield inventory, listener
        listener.shutdown()


def test_profiles_around_a_load_and_at_any_time(sandbox: Sandbox, listed: tuple[Path, RecordedProfiles]) -> None:
    """The whole way from a listener to sentences, with keep and a capture after it, as the guide has it."""
    inventory, listener = listed
    listener.slow = 2.0
    listener.recorded["heap"] = "heap-before"
    timing = {"warren_load_profile_seconds": 2, "warren_load_profile_interval": 1}
    run = sandbox.play("load-small", inventory=str(inventory), **FEW, **timing, profile=True, keep=True)
    assert run.rc == 0
    folder = (sandbox.results / "latest").resolve()
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    profiles = results["measurements"]["profiles"]
    assert profiles["unavailable"] == []
    taken = {(one["moment"], one["profile"]) for one in profiles["captures"]}
    assert taken == {
        *((moment, name) for moment in ("baseline", "load", "after") for name in ("goroutine", "heap", "allocs")),
        *(("during", name) for name in ("goroutine", "heap")),
        ("load", "cpu"),
    }
    for one in profiles["captures"]:
        assert f"profiles/{one['file']}" in results["files"]
        assert (folder / "profiles" / one["file"]).stat().st_mode & 0o077 == 0
    assert "profile?seconds=2" in " ".join(listener.asked)
    shown = " ".join(" ".join(run.progress).split())
    assert "Flame Graphs: profiles/manager-1-load-cpu.html and 1 more" in shown
    assert "% of the CPU of manager-1 (" in shown
    assert "heap and goroutines of 1 manager before, every 1 s and after; 2 s of the managers' CPU" in shown

    listener.answers["/debug/pprof/allocs"] = (200, b"<html>", None)
    run = sandbox.play("capture-profiles", inventory=str(inventory), **timing)
    assert run.rc == 0
    told = " ".join(" ".join(run.progress).split())
    assert "Heaps are compared with those of " in told
    assert "Nothing in the heap of manager-1 grew by more than chance" in told
    assert "more than before" not in told
    assert "! manager-1 has no allocs profile: 127.0.0.1:" in told
    assert (next(sandbox.results.glob("profiles-*")) / "manager-1-heap-change.html").is_file()

    # An hour later, say: what the recorded program leaks meanwhile.
    listener.recorded["heap"] = "heap-after"
    run = sandbox.play("capture-profiles", inventory=str(inventory), **timing)
    assert run.rc == 0
    told = " ".join(" ".join(run.progress).split())
    assert re.search(r"main\.heaps of manager-1 holds 2[\d.]+ MB more than before \(", told)
    assert "grew by more than chance" not in told
    index = json.loads((max(sandbox.results.glob("profiles-*")) / "index.json").read_text(encoding="utf-8"))
    assert [one["id"] for one in index["findings"]].count("profile-growth") == 1

    listener.shutdown()
    listener.server_close()
    run = sandbox.play("capture-profiles", inventory=str(inventory), **timing)
    assert run.rc == 2
    assert "No profile was taken: manager-1 has no profile: 127.0.0.1:" in run.stdout
    assert f"nothing listens there, though its process {os.getpid()} runs" in run.stdout


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
    assert results["measurements"]["profiles"]["pages"] == [
        f"manager-1-{name}.html" for name in ("heap-change", "load-cpu", "load-heap")
    ]
    page = (folder / "profiles/manager-1-load-cpu.html").read_text(encoding="utf-8")
    assert "github.com/cuemby/warren" in page
    if shutil.which("go"):
        of = {
            name: str(folder / "profiles" / f"manager-1-{name}") for name in ("load-cpu", "load-heap", "baseline-heap")
        }
        for case in (
            Case("cpu", "cum", of["load-cpu"], "cpu"),
            Case("heap", "top", of["load-heap"], "inuse_space"),
            Case("base", "cum", of["load-heap"], "alloc_space", base=of["baseline-heap"]),
        ):
            same(case, pprof(case, {**os.environ, "TZ": "UTC"}))

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
