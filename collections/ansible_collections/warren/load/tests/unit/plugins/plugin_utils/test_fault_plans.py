# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.cluster_facts import Public
from ansible_collections.warren.load.plugins.plugin_utils.fault_plans import (
    candidates,
    fault_plan,
    meaning,
    recovering,
    unfair,
    what,
)


def planned(role="leader", there=3, services=50, rate=0.0, endpoint="", **values):
    """The plan, and the sentences against it."""
    given = {
        f"warren_load_fault{name and '_'}{name}": value for name, value in values.items() if name != "clock_factor"
    }
    public = Public(given | {"warren_load_clock_factor": values.get("clock_factor")})
    plan = fault_plan(public, role, there, services, rate, endpoint)
    return plan, public.errors


def test_creates_surround_the_fault():
    plan, errors = planned()
    assert errors == []
    assert (plan["after"], plan["last"], plan["span"], plan["create_rate"]) == (30.0, 30.0, 50.0, 1.0)
    plan, _errors = planned("worker", 5, services=160)
    assert (plan["after"], plan["span"], plan["create_rate"]) == (60.0, 80.0, 2.0)
    plan, _errors = planned(**{"": "pause"}, seconds=40, after=10)
    assert (plan["last"], plan["span"]) == (50.0, 70.0)
    plan, _errors = planned("worker", 5, count=3, seconds=15, after=10)
    assert plan["last"] == 40.0  # a killed one is gone at once, the next two follow
    assert planned(rate=2, services=100)[0]["span"] == 50.0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"there": 1},
            "The cluster has one manager, and fault kill of it leaves nobody to take over: start 3 managers",
        ),
        ({"role": "follower", "there": 3, "count": 2}, "Fault kill of 2 leaves 1 of 3 managers, and 2 are the least"),
        ({"role": "worker", "there": 2, "count": 2}, "Not enough workers are left: fault kill of 2 leaves 0 of 2"),
        ({"endpoint": "10.0.0.1:8080"}, "A fault needs the hosts that it is done to"),
        (
            {"count": 2, "there": 5},
            "warren_load_fault_count is 2, and a cluster has one leader: ask for 1, or set warren_load_fault_target to",
        ),
        ({"seconds": 3601}, "warren_load_fault_seconds is 3601, and a fault lasts 3600 s at most: ask for less"),
        (
            {"rate": 10.0},
            "warren_load_create_rate of 10 creates 50 services within 5 s, and the fault is over only after",
        ),
    ],
)
def test_what_is_refused_at_once(given, sentence):
    _plan, errors = planned(**given)
    assert len(errors) == 1
    assert errors[0].startswith(sentence)
    assert errors[0].endswith(".")


def test_what_is_done_all_the_same():
    assert planned(there=1, anyway=True)[1] == []
    assert planned(there=1, **{"": "slow_disk"})[1] == []


def test_the_plan_says_what_will_be():
    plan, _errors = planned()
    assert what(plan) == "kill of who leads by then, 30 s after the first create, for good"
    assert "Workers stay with the manager that they know" in meaning(plan)[0]
    assert "a manager joins again with a clean directory" in meaning(plan)[1]
    assert recovering(plan, 1.0, 1.0) == (30.0, 59.0)
    rolling, _errors = planned("worker", 5, count=3, seconds=15)
    assert (rolling["last"], recovering(rolling, 1.0, 1.0)[0]) == (90.0, 30.0)
    plan, _errors = planned("worker", 5, count=2, **{"": "cut"})
    assert what(plan) == "cut of 2 workers, one after another, 60 s after the first create, for 90 s"
    assert meaning(plan)[0].startswith("Warren takes a worker for down 30 to 40 s after its last heartbeat, and places")
    assert "within 30 s once this controller is gone" in meaning(plan)[-1]


def test_a_worker_is_silent_for_long_enough_to_be_missed():
    assert planned("worker", 5, **{"": "pause"})[0]["seconds"] == 90.0
    assert planned("worker", 5, **{"": "pause"}, clock_factor=10)[0]["seconds"] == 9.0
    assert planned("worker", 5, **{"": "slow_disk"})[0]["seconds"] == 20.0
    plan, _errors = planned("worker", 5, **{"": "pause"}, seconds=30)
    assert plan["noticed"] is False
    assert "it will not notice so short a fault" in meaning(plan)[0]
    assert planned("worker", 5, **{"": "pause"}, seconds=30, clock_factor=2)[0]["noticed"] is True


def test_a_fault_that_would_hit_the_load_as_well():
    plan, _errors = planned(**{"": "cut"})
    plan["candidates"] = [{"name": "m1", "host": "m1"}, {"name": "m2", "host": "m2"}]
    assert list(unfair(plan, "gen")) == []
    (sentence,) = unfair(plan, "m1")
    assert sentence.startswith("The load is sent from the host of m1, which fault cut would hit as well: put another")
    assert list(unfair({**plan, "kind": "kill"}, "m1")) == []
    assert list(unfair({**plan, "anyway": True}, "m1")) == []


def test_who_can_be_hit_and_where():
    plan, _errors = planned(**{"": "cut"})
    samplers = [
        {
            "host": "m1",
            "dir": "/state/c/runs/sampler",
            "processes": [{"name": "m1", "pid_file": "/state/c/m1/pid.json"}, {"name": "other", "pid_file": "/x"}],
        },
        {"host": "w1", "dir": "/w/c/runs/sampler", "processes": [{"name": "w1", "pid_file": "/w/c/w1/pid.json"}]},
    ]
    managers = [{"name": "m1", "api_address": "10.0.0.1:8080", "raft_address": "10.0.0.1:7946"}]
    (found,) = candidates(plan, samplers, ["m1", "m2"], managers, lambda host: host == "m1")
    assert (found["name"], found["host"], found["dir"]) == ("m1", "m1", "/state/c/faults")
    assert found["ask"]["addresses"] == ["10.0.0.1:8080", "10.0.0.1:7946"]
    assert found["ask"]["shares_kernel"] is True
    assert found["ask"]["anyway"] is False
    (found,) = candidates(plan, samplers, ["w1"], managers, lambda host: False)
    assert found["ask"]["addresses"] == ["10.0.0.1:8080"]  # it listens nowhere
    # Who leads calls the others, and theirs may be other ports.
    managers.append({"name": "m2", "api_address": "10.0.0.2:8081", "raft_address": "10.0.0.2:7947"})
    (found,) = candidates(plan, samplers, ["m1", "m2"], managers, lambda host: True)
    assert found["ask"]["addresses"] == ["10.0.0.1:8080", "10.0.0.2:8081", "10.0.0.1:7946", "10.0.0.2:7947"]
    (found,) = candidates(plan, samplers, ["w1"], managers, lambda host: False)
    assert found["ask"]["addresses"] == ["10.0.0.1:8080", "10.0.0.2:8081"]
    (found,) = candidates(planned(anyway=True)[0], samplers, ["m1"], managers, lambda host: True)
    assert found["ask"]["anyway"] is True
