# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check finds what it is about, and a healthy cluster has nothing wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.diagnosis import Picture, diagnose, text


def process(name: str, kind: str, **values: Any) -> dict[str, Any]:
    row = {"name": name, "kind": kind, "pid": 7, "why": "", "rss": 30 << 20, "signs": {}, "page": "", "cpu_share": 3.0}
    return row | values


def sign(**lines: str) -> dict[str, dict[str, Any]]:
    return {name: {"count": 9, "last": line} for name, line in lines.items()}


HEALTHY: dict[str, Any] = {
    "managers": ["m1"],
    "workers": ["w1", "w2"],
    "hosts": {
        "m1": {"processes": [process("m1", "manager")], "ports": {"9090": "ours"}, "disk_free": 9 << 30},
        "w1": {"processes": [process("w1", "worker")], "disk_free": 9 << 30, "containerd": True},
        "w2": {"processes": [process("w2", "worker")], "disk_free": 9 << 30, "containerd": True},
    },
    "cluster": {
        "leader": "m1",
        "managers": [{"name": "m1", "reachable": True}],
        "voters": ["m1"],
        "workers_ready": ["w1", "w2"],
        "services": 2,
        "orphans": 0,
        "containers": {"running": 4},
        "node_list": [
            {"name": name, "status": "ready", "heartbeat_age": 2.0, "containers": {"running": 2}}
            for name in ("w1", "w2")
        ],
    },
}


def found(change: Any) -> list[Any]:
    picture = copy.deepcopy(HEALTHY)
    change(picture)
    return [one for findings in diagnose(Picture(**picture)).values() for one in findings]


def row(picture: dict[str, Any], host: str) -> dict[str, Any]:
    return picture["hosts"][host]["processes"][0]


def test_a_healthy_cluster() -> None:
    assert found(lambda picture: None) == []
    said = text(diagnose(Picture(**HEALTHY)))
    assert "✗" not in said
    assert said.count("✓") == 8


CASES: dict[str, tuple[Any, str, str, str]] = {
    "host": (lambda p: p["hosts"].update(w2={"error": "refused"}), "hosts", "w2 cannot be reached", "lets you in"),
    "manager": (
        lambda p: row(p, "m1").update(pid=None, last_words=["bye"]),
        "managers",
        "of m1 does not run",
        "cluster-up",
    ),
    "used data": (
        lambda p: row(p, "m1").update(pid=None, signs=sign(bootstrap="bootstrap only works")),
        "managers",
        "does not run",
        "wipe=true",
    ),
    "worker": (lambda p: row(p, "w1").update(pid=None), "workers", "worker of w1 does not run", "cluster-up"),
    "no containerd": (
        lambda p: row(p, "w1").update(pid=None, signs=sign(containerd="failed to dial")),
        "workers",
        "does not run",
        "containerd and runc",
    ),
    "not registered": (lambda p: p["cluster"]["node_list"].pop(), "workers", "w2 is not registered", "register"),
    "no leader": (lambda p: p["cluster"].update(leader=None), "leader", "has no leader", "majority"),
    "no answer": (lambda p: p.update(cluster={"msg": "nobody"}), "leader", "does not answer", "managers"),
    "busy": (lambda p: row(p, "m1").update(cpu_share=99.0), "load", "uses 99 % of a core", "fewer"),
    "full disk": (lambda p: p["hosts"]["m1"].update(disk_free=1 << 20), "disk", "has 1 MB left", "room"),
    "memory": (lambda p: row(p, "m1").update(rss=600 << 20), "memory", "600 MB of memory", "cleanup"),
    "old heartbeat": (
        lambda p: p["cluster"]["node_list"][0].update(heartbeat_age=44.0),
        "nodes",
        "w1 sent no heartbeat",
        "leader",
    ),
    "clock": (lambda p: p["cluster"]["node_list"][0].update(heartbeat_age=-60.0), "clock", "future", "NTP"),
    "not scheduled": (lambda p: p["cluster"].update(workers_ready=[]), "scheduler", "no ready worker", "workers"),
    "one node": (
        lambda p: [
            each.update(containers={"running": n}) for each, n in zip(p["cluster"]["node_list"], (9, 0), strict=True)
        ],
        "placement",
        "All 9 containers are on one node",
        "Warren's",
    ),
    "orphans": (lambda p: p["cluster"].update(orphans=7), "orphans", "7 container records", "cleanup"),
    "pull": (
        lambda p: row(p, "w1").update(signs=sign(pull="failed to pull image nginx")),
        "containers",
        "w1 cannot pull its image",
        "in full",
    ),
    "heartbeat error": (
        lambda p: row(p, "w2").update(signs=sign(heartbeat="Heartbeat error: x")),
        "workers",
        "Heartbeats of w2 failed",
        "leader",
    ),
    "no profiles": (
        lambda p: row(p, "w1").update(page="refused"),
        "profiles",
        "w1 gives no profiles",
        "--enable-pprof",
    ),
    "port": (lambda p: p["hosts"]["m1"]["ports"].update({"9090": "other"}), "ports", "another program", "Stop it"),
    "bare host": (
        lambda p: p["hosts"]["w1"].update(containerd=False),
        "containerd",
        "w1 is without containerd",
        "hollow",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_said_with_how_it_is_known_and_what_to_do(case: str) -> None:
    change, check, what, remedy = CASES[case]
    (one,) = [each for each in found(change) if each.check == check]
    assert what in one.what
    assert one.how
    assert remedy in one.remedy
    assert all(sentence.endswith(".") for sentence in (one.what, one.remedy))
