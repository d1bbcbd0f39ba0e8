# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.module_utils.phases.fitness import (
    Wanted,
    findings,
    leaderless,
    memory_needed,
    nobody,
    refusals,
)

RAFT = {f"manager-{number}": f"10.0.0.{number}:7946" for number in (1, 2, 3)}
WANTED = Wanted(workers=2, worker_names=["worker-1", "worker-2"], listed=True, image="registry.k8s.io/pause:3.9")


def manager(number: int, **other: Any) -> dict[str, Any]:
    return {
        "name": f"manager-{number}",
        "api_address": f"10.0.0.{number}:8080",
        "raft_address": f"10.0.0.{number}:7946",
        "listed": True,
        "reachable": True,
        "voters": RAFT,
        "pinned_now": False,
        **other,
    }


def cluster(**other: Any) -> dict[str, Any]:
    return {
        "leader": "manager-1",
        "managers": [manager(1), manager(2), manager(3)],
        "voters": sorted(RAFT),
        "voter_addresses": RAFT,
        "workers_ready": ["worker-1", "worker-2"],
        "nodes": {"ready": 2},
        "services_foreign": [],
        "leftovers": {},
        "container_records": 0,
        **other,
    }


def host(name: str, kind: str = "manager", *, sha256: str = "aa", clock: float = 0.0, **other: Any) -> dict[str, Any]:
    process = {
        "name": name,
        "kind": "manager",
        "open_files_limit": other.pop("files", 1024),
        "data_dir": "/data",
        "disk_free": other.pop("disk", 5000),
        "program": {"sha256": sha256},
    }
    facts = {"open_files_limit": other.pop("own_files", 1024), "memory_available": other.pop("memory", 4000)}
    offset = {"low": clock - 0.1, "high": clock + 0.1}
    return {
        "host": {"name": name, "kind": kind, **facts, "clock_offset": offset},
        "processes": [process] if kind == "manager" else [],
        "unavailable": [],
        **other,
    }


def test_a_fit_cluster() -> None:
    wanted = dataclasses.replace(WANTED, hosts=[host("generator", "generator"), host("manager-1"), host("manager-2")])
    assert refusals(cluster(), wanted) == []
    assert findings(cluster(), wanted) == []


@pytest.mark.parametrize(
    ("seen", "wanted", "sentence"),
    [
        ({"workers_ready": [], "nodes": {}}, {}, "No worker is registered, so containers would never run: start"),
        (
            {"workers_ready": [], "nodes": {"down": 2}},
            {},
            "No worker is ready (nodes now: 2 down), so containers would never run: start",
        ),
        (
            {"workers_ready": ["worker-2"]},
            {},
            "Only 1 of the 2 workers that were asked for are ready (worker-1 is missing): start the others",
        ),
        ({"workers_ready": ["a"]}, {}, "Only 1 of the 2 workers that were asked for are ready: start the others"),
        (
            {"services_foreign": ["a", "b"]},
            {},
            "2 services are there that no run of ours made (a, b): a load test would disturb them; set "
            "warren_load_allow_foreign",
        ),
        ({}, {"image": "nginx:alpine"}, "warren_load_image is 'nginx:alpine', which names no registry"),
        (
            {"managers": [manager(1), manager(2, voters={"manager-1": "10.0.9.1:7946"})]},
            {},
            "Manager manager-2 (10.0.0.2:8080) belongs to another cluster (that of manager-1 at 10.0.9.1:7946), ",
        ),
        ({"managers": [manager(1), manager(2, voters={})]}, {}, "Manager manager-2 (10.0.0.2:8080) has joined no"),
        (
            {"managers": [manager(1), {**manager(4), "reachable": False}]},
            {},
            "Manager manager-4 (10.0.0.4:8080) does not answer, and the cluster counts no such manager",
        ),
        (
            {},
            {"hosts": [host("manager-1", disk=120)], "containers": 3000},
            "The disk of manager-1 has 120 MB left for /data, and 3000 containers may need 130 MB there",
        ),
        (
            {},
            {"hosts": [host("manager-1", disk=230)], "containers": 150, "hold": 90_000.0},
            "The disk of manager-1 has 230 MB left for /data, and a load of 150 containers that is held for 25:00:00 "
            "may need 238 MB there: hold it for less (warren_load_hold), or make room",
        ),
        (
            {},
            {"hosts": [host("manager-1", files=66)]},
            "manager-1 may have 66 files open, and 2 workers need about 68: start it again with a higher limit",
        ),
        (
            {},
            {"hosts": [host("here", "generator", own_files=70)], "outstanding": 16},
            "The generator here may have 70 files open, and 16 calls at a time need about 96: raise its limit",
        ),
    ],
)
def test_a_cluster_that_is_not_fit(seen: dict[str, Any], wanted: dict[str, Any], sentence: str) -> None:
    (found,) = refusals(cluster(**seen), dataclasses.replace(WANTED, **wanted))
    assert found.startswith(sentence)
    assert found.endswith(".")
    assert "\n" not in found


def test_some_workers_may_be_missing() -> None:
    names = [f"worker-{number}" for number in range(1, 11)]
    wanted = dataclasses.replace(WANTED, workers=10, worker_names=names, to_spare=1)
    ready = cluster(workers_ready=[name for name in names if name != "worker-7"])
    assert refusals(ready, wanted) == []
    assert findings(ready, wanted) == [
        "9 of the 10 workers that were asked for are ready (worker-7 is missing); the run goes on without the others, "
        "as warren_load_missing_workers lets it."
    ]
    (found,) = refusals(cluster(workers_ready=names[2:]), wanted)
    assert found.startswith("Only 8 of the 10 workers that were asked for are ready (worker-1, worker-2 are missing)")
    assert found.endswith("or raise warren_load_missing_workers.")
    # Without any there is nothing to go on with.
    assert refusals(cluster(workers_ready=[]), dataclasses.replace(wanted, workers=1))


def worker(name: str, memory: int | None, kind: str = "worker") -> dict[str, Any]:
    return {**host(name, "worker", memory=memory), "processes": [{"name": name, "kind": kind}]}


def test_memory_of_real_containers() -> None:
    hosts = [worker("worker-1", 1000), worker("worker-2", 100)]
    wanted = dataclasses.replace(WANTED, hosts=hosts, containers=150, container_memory=5.0)
    assert refusals(cluster(), wanted) == []
    assert memory_needed(cluster(), wanted) == {"name": "worker-1", "needed": 750, "available": 1000}
    (found,) = refusals(cluster(), dataclasses.replace(wanted, container_memory=10.0))
    assert found.startswith("worker-1 has 1000 MB of memory left, and 150 containers of 10 MB each, all of which")
    assert "need 1500 MB: lower warren_load_services or warren_load_replicas, or set warren_load_container_mem" in found
    # Without the first, the second gets them all.
    alone = cluster(workers_ready=["worker-2"])
    assert refusals(alone, dataclasses.replace(wanted, workers=1))[0].startswith("worker-2 has 100 MB")


@pytest.mark.parametrize(
    "first", [worker("worker-1", 10, "other"), worker("worker-1", None), {"name": "worker-1", "unreachable": True}]
)
def test_memory_is_not_asked_of_hollow_workers_and_of_hosts_that_are_not_known(first: dict[str, Any]) -> None:
    wanted = dataclasses.replace(WANTED, hosts=[first], containers=150, container_memory=10.0)
    assert memory_needed(cluster(), wanted) == {}
    assert refusals(cluster(), wanted) == []
    hidden = worker("worker-1", 10)
    assert memory_needed(cluster(), dataclasses.replace(wanted, hosts=[hidden], container_memory=0.0)) == {}
    # A hollow fleet's names come first.
    seen = cluster(workers_ready=["wl-hollow-1", "worker-1"])
    assert memory_needed(seen, dataclasses.replace(wanted, hosts=[hidden])) == {}


def test_an_address_alone_is_compared_with_nothing() -> None:
    wanted = dataclasses.replace(WANTED, listed=False)
    seen = cluster(managers=[manager(1, name="10.0.0.1:8080", raft_address=None)])
    assert refusals(seen, wanted) == []
    assert findings(seen, wanted) == []


@pytest.mark.parametrize(
    ("seen", "wanted", "sentence"),
    [
        (
            {"leftovers": {"r1": {"services": 1, "containers": 3}}, "container_records": 3},
            {},
            "Earlier runs left 1 services and 3 container records (r1): cleanup.yml removes them.",
        ),
        ({"container_records": 3}, {}, "3 container records are there that no run of ours made"),
        (
            {"managers": [manager(1), manager(2), manager(3, reachable=False)]},
            {},
            "Manager manager-3 (10.0.0.3:8080) does",
        ),
        (
            {"managers": [manager(1), manager(2)]},
            {},
            "The cluster has 1 manager more than the inventory (manager-3), whose memory is not measured",
        ),
        ({"workers_ready": ["worker-1", "worker-2", "x"]}, {}, "3 workers are ready, 1 more than the inventory"),
        ({}, {"hosts": [host("manager-1", memory=200)]}, "manager-1 has 200 MB of memory left, which is little for 1"),
        (
            {},
            {"hosts": [host("manager-1", sha256="a"), host("manager-2", sha256="b")]},
            "The managers run 2 different programs (manager-1: a; manager-2: b).",
        ),
        (
            {},
            {"hosts": [{"name": "manager-2", "unreachable": True, "msg": "Connection timed out"}]},
            "Ansible cannot log in to manager-2, so nothing is known of that host and its processes: correct its "
            "ansible_host or its key (Connection timed out).",
        ),
        (
            {},
            {"hosts": [host("here", "generator"), host("manager-1", clock=3.0)]},
            "The clock of manager-1 is at least 2.8 s ahead of the generator's",
        ),
        (
            {},
            {"hosts": [host("here", "generator", clock=3.0), host("manager-1")]},
            "The clock of manager-1 is at least 2.8 s behind the generator's",
        ),
        (
            {},
            {"hosts": [host("here", unavailable=["How much is not known of here."])]},
            "How much is not known of here.",
        ),
    ],
)
def test_what_does_not_forbid_a_run(seen: dict[str, Any], wanted: dict[str, Any], sentence: str) -> None:
    wants = dataclasses.replace(WANTED, **wanted)
    assert refusals(cluster(**seen), wants) == []
    (found,) = findings(cluster(**seen), wants)
    assert found.startswith(sentence)


def test_a_clock_that_may_be_right_is_not_accused() -> None:
    slow = host("manager-1")
    slow["host"]["clock_offset"] = {"low": -0.5, "high": 6.0}
    assert findings(cluster(), dataclasses.replace(WANTED, hosts=[host("here", "generator"), slow])) == []


@pytest.mark.parametrize(
    ("hosts", "remedy"),
    [
        ([], "start the cluster, or correct warren_load_endpoint"),
        ([{"name": "m1", "unreachable": True}], "start the machine (a Lima VM: limactl start m1)"),
        ([{"name": "m1", "absent": {"m1": "x"}}], "no manager process runs for m1: start it (warren cluster init"),
    ],
)
def test_why_nobody_answers(hosts: list[dict[str, Any]], remedy: str) -> None:
    assert remedy in nobody("nobody answers at x:1", hosts)


def test_who_answers_where_nobody_leads() -> None:
    seen = cluster(managers=[manager(1), manager(2, reachable=False)])
    assert leaderless(seen, 15) == "no manager named one within 15 s, and of its 3 managers manager-1 answered"
