# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.scenarios import SCENARIOS
from ansible_collections.warren.load.plugins.plugin_utils.planning import (
    durations,
    make_plan,
    plan_facts,
    room_held,
    span_text,
)

OBJECTIVES = [
    {"id": "p50", "label": "API latency p50", "statistic": "p50", "path": "latency.response_time.p50"},
    {"id": "p99", "label": "API latency p99", "statistic": "p99", "path": "latency.response_time.p99"},
    {
        "id": "s",
        "label": "Scheduler",
        "statistic": "p99",
        "path": "await.x.p99",
        "exact": True,
        "samples": "containers",
    },
    {"id": "m", "label": "Memory", "statistic": "max", "path": "resources.manager_rss_max"},
]


def options(**changes):
    given = {
        "run_id": "20261123-120102-4f1a",
        "results_path": "/results/x",
        "cluster": "sandbox",
        "scale": "small",
        "services": 50,
        "replicas": 3,
        "image": "docker.io/library/nginx:alpine",
        "managers": ["manager-1"],
        "workers": 2,
        "generator": "localhost",
        "marks": ["simulator", "hollow"],
        "dialect": "auto",
        "scenario": "load",
        "create_concurrency": 1,
        "create_rate": 0.0,
        "await_deadline": 300.0,
        "latency_methods": ["ListServices"],
        "latency_concurrency": 0,
        "latency_calls": 1000,
        "latency_rate": 200.0,
        "hold": 900.0,
        "churn": 0.0,
        "churn_interval": 60.0,
        "churn_purge": True,
        "settle": 1800.0,
        "rounds": 3,
        "clock_factor": 1.0,
        "heartbeats": "full",
        "costs": "real",
        "objectives": OBJECTIVES,
        "keep": False,
        "memory": {},
        "profiles": {},
        "notes": [],
    }
    return {**given, **changes}


@pytest.mark.parametrize(
    ("services", "phase", "measured"),
    [
        (50, "await", 9.0),  # 8 to 10 s
        (200, "await", 6.5),
        (1000, "await", 102.0),  # all records after 102 s on a busy machine
        (50, "create", 0.2),
        (200, "cleanup", 12.6),
        (1000, "cleanup", 60.0),
    ],
)
def test_what_was_measured_on_a_real_cluster_lies_within_the_plan(services, phase, measured):
    low, high = durations(options(services=services))[phase]
    assert low <= measured <= high


def test_latency_takes_what_it_is_told_to():
    assert durations(options(latency_calls=3000, latency_rate=100.0))["latency"] == (30.0, 30.0)


def test_a_faster_clock_and_a_deadline_shorten_it():
    assert durations(options(clock_factor=10.0))["await"][1] < durations(options())["await"][1]
    assert durations(options(await_deadline=4.0))["await"] == (0.0, 4.0)
    assert "cleanup" not in durations(options(keep=True))


def test_samples():
    found = {entry["id"]: entry for entry in make_plan(options(latency_calls=100))["samples"]}
    assert set(found) == {"p50", "p99", "s"}
    assert found["p50"]["enough"]
    assert (found["p99"]["needed"], found["p99"]["enough"]) == (368, False)
    assert (found["s"]["n"], found["s"]["enough"]) == (150, True)


def test_notes():
    def notes(**changes):
        return " ".join(make_plan(options(**changes))["notes"])

    assert "Warren keeps the container records of deleted services" in notes()
    assert "run cleanup.yml" in notes(keep=True)
    assert "No worker is ready" in notes(workers=0)
    assert "passes its deadline of 5 s" in notes(services=1000)
    assert "passes its deadline" not in notes(services=1000, costs="ideal")
    assert "it can fail, but not pass" in notes(latency_calls=100)


def test_facts():
    facts = dict(plan_facts(options(), make_plan(options())))
    assert facts["Cluster"] == "sandbox: 1 manager (simulator), 2 hollow workers"
    assert facts["Creates"] == "50 services x 3 = 150 containers, one after another"
    assert facts["API latency p99"] == "1000 calls, enough for an upper bound (368); 3000 make it sharp"
    assert facts["Scheduler"] == "150 containers, all of them counted"
    assert "latency 5 s" in facts["Takes"]


@pytest.mark.parametrize(
    ("changes", "measures"),
    [
        ({}, "1000 calls of ListServices at 200/s, from localhost"),
        (
            {"latency_methods": ["ListServices:8", "UpdateService:1"]},
            "1000 calls of ListServices x 8, UpdateService x 1 at 200/s, from localhost",
        ),
        ({"latency_concurrency": 10}, "1000 calls of ListServices, 10 at a time, from localhost"),
        (
            {"scenario": "api-throughput"},
            "1000 calls of ListServices, 10 at a time on one connection; 10 clients x 100 calls on connections "
            "of their own; then 1000 calls planned at half of the highest rate, from localhost",
        ),
        (
            {"scenario": "scheduler-burst"},
            "when the scheduler gave each container a node, tick by tick, by the leader's clock, and when it was seen "
            "running",
        ),
    ],
)
def test_what_is_measured(changes, measures):
    given = options(**changes)
    plan = make_plan(given)
    assert dict(plan_facts(given, plan))["Measures"] == measures
    assert ("throughput" in plan["seconds"]) == (given["scenario"] == "api-throughput")
    assert ("latency" in plan["seconds"]) == (given["scenario"] == "load")


def test_a_burst_that_is_none_is_told():
    def told(concurrency):
        notes = make_plan(options(scenario="scheduler-burst", create_concurrency=concurrency))["notes"]
        return [note for note in notes if "warren_load_create_concurrency" in note]

    assert told(50) == told(100) == []
    assert len(told(49)) == len(told(1)) == 1


def test_a_closed_loop_is_not_judged_and_the_plan_says_so():
    plan = make_plan(options(latency_concurrency=10))
    assert "p99" not in {entry["id"] for entry in plan["samples"]}
    assert any("warren_load_latency_concurrency" in note for note in plan["notes"])


def test_a_planned_creation_takes_its_time():
    given = options(create_rate=0.5, create_concurrency=4)
    plan = make_plan(given)
    assert plan["seconds"]["create"] == [100.0, 100.0]
    assert any("warren_load_create_rate" in note for note in plan["notes"])
    creates = dict(plan_facts(given, plan))["Creates"]
    assert creates == "50 services x 3 = 150 containers, planned at 0.5/s, at most 4 at a time"
    assert not any("warren_load_create_rate" in note for note in make_plan(options(create_rate=2.0))["notes"])


@pytest.mark.parametrize(
    ("span", "text"), [((5, 5), "5 s"), ((0.1, 12.6), "0.1 to 13 s"), ((120, 300), "2 to 5 min"), ((0, 0), "0 s")]
)
def test_spans(span, text):
    assert span_text(span) == text


@given(
    st.integers(1, 2000),
    st.integers(1, 20),
    st.integers(1, 64),
    st.floats(0.1, 100),
    st.sampled_from(["ideal", "real"]),
)
def test_no_span_runs_backwards(services, replicas, at_once, factor, costs):
    changed = options(
        services=services, replicas=replicas, create_concurrency=at_once, clock_factor=factor, costs=costs
    )
    for span in durations(changed).values():
        assert 0 <= span[0] <= span[1]


def test_memory_of_real_containers_is_a_line_of_the_plan() -> None:
    told = options(memory={"name": "worker-1", "needed": 2250, "available": 7310})
    facts = dict(plan_facts(told, make_plan(told)))
    assert facts["Needs"] == "2250 MB for containers on worker-1, which has 7310 MB"
    assert "Needs" not in dict(plan_facts(options(), make_plan(options())))


def test_the_plan_says_what_is_profiled():
    profiled = {"managers": 3, "workers": 1, "seconds": 30.0, "interval": 15.0}

    def told(profiles):
        given = options(profiles=profiles)
        return dict(plan_facts(given, make_plan(given))).get("Profiles")

    assert told(profiled) == (
        "heap and goroutines of 3 managers and 1 worker before, every 15 s and after; 30 s of the managers' CPU"
    )
    assert told({**profiled, "workers": 0, "interval": 0}) == (
        "heap and goroutines of 3 managers before and after; 30 s of the managers' CPU"
    )
    assert told({}) is None


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"leader-loss", "worker-loss"}))
def test_every_scenario_has_a_plan(scenario):
    """Those with a fault are planned from that, see fault_plans.py."""
    made = make_plan(options(scenario=scenario))
    assert made["seconds"]["total"][0] > 0
    assert ("latency" in made["seconds"]) == (scenario in ("load", "soak"))
    assert all(text for _name, text in plan_facts(options(scenario=scenario), made))


def test_a_soak_says_how_long_and_what_it_replaces():
    given = options(scenario="soak", churn=10)
    plan = make_plan(given)
    facts = dict(plan_facts({**given, "profiles": {}}, plan))
    assert facts["Holds"] == "that load for 15 min, replacing 5 services each 60 s, 70 in all"
    assert list(plan["seconds"]) == ["create", "await", "hold", "latency", "cleanup", "total"]
    assert plan["seconds"]["hold"] == [900, 930]
    assert not [note for note in plan["notes"] if "warren_load_hold" in note]
    short = make_plan(options(scenario="soak", hold=60))["notes"]
    assert any("takes 90 s of steady load" in note for note in short)
    kept = make_plan(options(scenario="soak", churn=10, churn_purge=False))["notes"]
    assert any("leaves its 3 container records behind" in note for note in kept)


def test_leak_detection_repeats_its_load():
    given = options(scenario="leak-detection")
    plan = make_plan(given)
    facts = dict(plan_facts({**given, "profiles": {}}, plan))
    assert (
        facts["Repeats"]
        == "that 3 times: deletes it as a user does, lets the cluster settle for 10 min, and looks what is left"
    )
    assert list(plan["seconds"]) == ["create", "await", "settle", "cleanup", "total"]
    assert plan["seconds"]["settle"][0] == 1800
    assert plan["seconds"]["await"][1] == pytest.approx(3 * make_plan(options())["seconds"]["await"][1])
    assert any("about 450 of them behind" in note for note in plan["notes"])
    assert any("takes two rounds" in note for note in make_plan(options(scenario="leak-detection", rounds=1))["notes"])


def test_room_for_a_load_that_is_held():
    assert room_held(0, 0, 5, 5) == 0
    hour = room_held(3600, 0, 3, 1)
    assert 10 < hour < 30
    # Series and profiles do not grow without end.
    assert room_held(86400, 0, 3, 1) == room_held(30 * 86400, 0, 3, 1) < 2 * hour
    assert room_held(86400, 1_000_000, 3, 1) > 700
