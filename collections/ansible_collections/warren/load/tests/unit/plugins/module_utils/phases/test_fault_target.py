# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import json
import time

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.phases.fault_target import Options, choose, run


def found(managers=3, dead=(), workers=None, leader="manager-2", dialect="tasks"):
    """A cluster as cluster_info.look() has it; ``workers``: how many containers each holds."""
    names = [f"manager-{number}" for number in range(1, managers + 1)]
    workers = {"worker-1": 0, "worker-2": 0} if workers is None else workers
    return {
        "leader": leader if managers > 1 else leader and "manager-1",
        "managers": [{"name": name, "reachable": name not in dead} for name in names],
        "voters": names,
        "dialect": dialect,
        "workers_ready": sorted(workers),
        "node_list": [
            {"name": name, "role": "worker", "status": "ready", "held": held} for name, held in workers.items()
        ],
    }


def test_the_leader_is_who_leads_now():
    choice = choose(found(), Options("leader", "pause"))
    assert (choice.targets, choice.refusals) == (["manager-2"], [])
    assert choice.notes == [
        "Workers know one manager alone: those of manager-2 stay with it, so from 30 s on all are taken for down, and "
        "they never attach to the new leader."
    ]
    assert choose(found(leader="manager-3"), Options("leader", "pause")).targets == ["manager-3"]


def test_a_killed_manager_needs_an_empty_directory():
    choice = choose(found(workers={}), Options("leader", "kill"))
    assert choice.refusals == []
    assert choice.notes[0].startswith("manager-2 cannot start again on its data: ")


def test_a_follower_is_one_that_answers():
    assert choose(found(dead=["manager-1"]), Options("follower", "pause")).targets == ["manager-3"]
    assert choose(found(managers=5), Options("follower", "pause", count=2)).targets == ["manager-1", "manager-3"]
    with pytest.raises(ValueError, match="a fault of a follower needs as many that answer, and manager-1 has 0"):
        choose(found(managers=1), Options("follower", "pause", anyway=True))


@pytest.mark.parametrize(("kind", "until"), [("kill", "ever again"), ("pause", "until the fault is undone")])
def test_one_manager_is_refused(kind, until):
    refused = choose(found(managers=1), Options("leader", kind)).refusals[0]
    assert refused == (
        f"The cluster has one manager, manager-1: nobody takes over, so nothing is written or read {until}; start 3 "
        "managers, or set warren_load_fault_anyway to true to do it all the same."
    )
    assert choose(found(managers=1), Options("leader", "slow_disk")).refusals == []
    newer = choose(found(managers=1, dialect="containers"), Options("leader", kind)).refusals[0]
    assert "; start 3 managers of a Warren before v1.1, or set " in newer


def test_a_quorum_that_would_be_lost_for_good_is_refused():
    (refused,) = choose(found(dead=["manager-3"]), Options("leader", "kill")).refusals
    assert refused.startswith("Fault kill of manager-2 leaves 1 of 3 managers, and 2 are the least that can elect")
    assert "killed managers stay voters for ever" in refused
    (refused,) = choose(found(managers=2), Options("leader", "kill")).refusals
    assert "leaves 1 of 2 managers" in refused
    (refused,) = choose(found(managers=5), Options("follower", "kill", count=3)).refusals
    assert "manager-1, manager-3 and manager-4 leaves 2 of 5 managers" in refused


def test_a_quorum_that_comes_back_is_a_note():
    choice = choose(found(dead=["manager-3"]), Options("leader", "pause"))
    assert choice.refusals == []
    assert choice.notes[0].endswith("nothing is written until the fault is undone.")


def test_where_no_manager_can_join_again_none_is_killed():
    (refused,) = choose(found(dialect="containers"), Options("leader", "kill")).refusals
    assert refused.startswith("manager-2 cannot come back: from Warren v1.1 on no manager can join a cluster")
    assert choose(found(dialect="containers"), Options("leader", "pause")).refusals == []


def test_told_to_all_the_same_a_refusal_is_a_note():
    choice = choose(found(managers=1, dialect="containers"), Options("leader", "kill", anyway=True))
    assert (choice.targets, choice.refusals) == (["manager-1"], [])
    assert len(choice.notes) == 3


def test_no_leader_no_fault():
    for role in ("leader", "follower"):
        with pytest.raises(ValueError, match="the cluster has no leader"):
            choose(found(leader=None), Options(role, "kill"))


def test_the_worker_that_holds_most_is_hit_first():
    workers = {"worker-1": 4, "worker-2": 9, "worker-3": 9, "worker-4": 1}
    assert choose(found(workers=workers), Options("worker", "kill")).targets == ["worker-2"]
    assert choose(found(workers=workers), Options("worker", "kill")).notes == []
    choice = choose(found(workers=workers), Options("worker", "kill", count=3))
    assert (choice.targets, choice.refusals) == (["worker-2", "worker-3", "worker-1"], [])
    choice = choose(found(workers={"worker-1": 6, "worker-2": 0}), Options("worker", "kill"))
    assert choice.notes == ["worker-1 holds all 6 containers, as Warren's scheduler places them."]


def test_workers_that_are_not_enough():
    (refused,) = choose(found(workers={"worker-1": 6}), Options("worker", "kill")).refusals
    assert refused.startswith("Not enough workers are left: fault kill of worker-1 leaves 0 of 1")
    assert choose(found(workers={"worker-1": 6}), Options("worker", "slow_disk")).refusals == []
    with pytest.raises(ValueError, match="a fault of 3 workers needs as many that are ready, and there are 2"):
        choose(found(workers={"worker-1": 6, "worker-2": 1}), Options("worker", "kill", count=3))
    with pytest.raises(ValueError, match="no worker holds a container"):
        choose(found(), Options("worker", "kill"))


def test_who_was_hit_is_hit_no_more():
    """A killed worker is ready for 30 s more and holds most of all."""
    workers = {"worker-1": 9, "worker-2": 0, "worker-3": 4}
    assert choose(found(workers=workers), Options("worker", "kill", hit=["worker-1"])).targets == ["worker-3"]
    nowhere = {**workers, "worker-3": 0}
    choice = choose(found(workers=nowhere), Options("worker", "kill", hit=["worker-1"]))
    assert (choice.targets, choice.refusals, choice.notes) == (["worker-2"], [], [])
    (refused,) = choose(found(workers=workers), Options("worker", "kill", hit=["worker-1", "worker-3"])).refusals
    assert refused.startswith("Not enough workers are left: fault kill of worker-2 leaves 0 of 1")
    # Who was paused goes on again.
    choice = choose(found(workers=workers), Options("worker", "pause", hit=["worker-1", "worker-3"]))
    assert (choice.targets, choice.refusals) == (["worker-2"], [])
    with pytest.raises(ValueError, match="needs as many that are ready, and there are 0 besides worker-1 and worker-2"):
        choose(found(workers={"worker-1": 1, "worker-2": 1}), Options("worker", "pause", hit=["worker-1", "worker-2"]))


def test_a_later_turn_is_a_followers_of_who_leads_by_then():
    later = found(managers=5, leader="manager-3", dead=["manager-1"])
    choice = choose(later, Options("follower", "kill", hit=["manager-1"]))
    assert (choice.targets, choice.refusals) == (["manager-2"], [])
    # It does not matter whether the one that was killed is said to answer.
    later = found(managers=5, leader="manager-3", dead=["manager-4"])
    (refused,) = choose(later, Options("follower", "kill", hit=["manager-1"])).refusals
    assert refused.startswith("Fault kill of manager-2 leaves 2 of 5 managers, and 3 are the least")
    assert choose(later, Options("follower", "pause", hit=["manager-1", "manager-2"])).targets == ["manager-5"]
    with pytest.raises(ValueError, match="manager-2 has 0 besides manager-1 and manager-3: start"):
        choose(found(), Options("follower", "pause", hit=["manager-1", "manager-3"]))


def test_wrong_use():
    with pytest.raises(ValueError, match="count: 0 is not at least 1"):
        Options("worker", "kill", count=0)
    with pytest.raises(ValueError, match="count: a cluster has one leader"):
        Options("leader", "kill", count=2)


def test_a_cluster_is_asked(cluster):
    async def opened():
        return cluster

    def ask(**options):
        return asyncio.run(run(opened, Options(**options)))

    cluster.add_container(cluster.add_service("web"))
    assert ask(role="leader", kind="slow_disk")["targets"] == ["manager-1"]
    with pytest.raises(ValueError, match=r"^The cluster has one manager, manager-1: .* all the same$"):
        ask(role="leader", kind="kill")
    asked = ask(role="worker", kind="kill", anyway=True)
    assert asked["targets"] == ["worker-1"]
    assert asked["held"] == {"worker-1": 1}
    assert asked["notes"][0].startswith("Not enough workers are left: ")


def test_records_of_what_is_to_run_no_more_do_not_count(cluster):
    """Warren keeps them, and they say that they run where the worker could not say anything else."""

    async def opened():
        return cluster

    cluster.nodes.append(message("Node")(id="worker-2", role="worker", status="ready"))
    service = cluster.add_service("web")
    for _each in range(3):
        cluster.add_container(service, node="worker-1").desired_state = "shutdown"
    for state in ("running", "pending"):
        cluster.add_container(service, state=state, node="worker-2")
    asked = asyncio.run(run(opened, Options("worker", "kill")))
    assert (asked["targets"], asked["held"]) == (["worker-2"], {"worker-2": 2})


def test_it_waits_until_it_is_due(cluster, tmp_path):
    """So many seconds after the first create, as the journal says; never once the load is over."""

    async def opened():
        return cluster

    def ask(after):
        options = Options("worker", "pause", anyway=True, beside=str(tmp_path), after=after)
        return asyncio.run(run(opened, options))

    service = cluster.add_service("wl-20261123-120102-4f1a-0001")
    cluster.add_container(service)
    begun = time.time()
    event = {"t": begun, "phase": "create", "event": "create", "service": service.name, "replicas": 1}
    (tmp_path / "journal.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
    assert ask(0.5)["targets"] == ["worker-1"]
    assert time.time() >= begun + 0.5
    (tmp_path / "load-over").touch()
    with pytest.raises(ValueError, match="the load was over before the fault was due"):
        ask(60.0)
