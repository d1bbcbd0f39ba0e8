# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.scenarios import SCENARIOS
from ansible_collections.warren.load.plugins.plugin_utils.findings import RULES, Evidence, find
from ansible_collections.warren.load.plugins.plugin_utils.results import assemble


def sentences(measurements=None, **rest):
    document = {"measurements": measurements or {}, "audit": {}, "run": {}, **rest}
    return [finding.sentence for finding in find(document)]


def test_nothing_measured_nothing_found():
    assert sentences() == []


def test_the_small_run(small):
    found = [finding["id"] for finding in assemble(small)["findings"]]
    assert found == ["placement", "records-purged", "scheduling", "memory-unknown"]


def test_the_large_run_has_it_all(large):
    found = [finding["sentence"] for finding in assemble(large)["findings"]]
    assert found == [
        "3 of 1000 creates failed (2 x no leader elected yet, 1 x deadline of 30 s passed).",
        "The outcome of 1 create is unknown: no answer came, and the name was not found.",
        "1931 of 2988 containers ran after 600 s (the others: 769 pending, 288 without a record).",
        "Hollow workers missed 57 heartbeat deadlines: the managers are overloaded.",
        "4 of 3000 measured calls failed (4 x DEADLINE_EXCEEDED).",
        "12 of 3000 planned calls were not sent, because too many were outstanding.",
        "200 container records of the run could not be removed: Warren leaks them.",
        "Hollow workers met 57 errors (57 x deadline exceeded).",
        "2600 of 2700 containers were placed on worker-1, one node of 10.",
        "Scheduling took 97.2 s at p99, 92.2 s more than one scheduler tick.",
        "worker-1: its process could not be read (no permission).",
        "Looking for running containers took 171 of 600 s: it was a load of its own.",
        "2 services whose create got no answer had been created.",
        "9 creates had to be sent again, to another manager or later.",
        "DeleteService left 2700 container records behind; the run removed 2500 in 300 s.",
        "Whether the memory of manager-0 keeps growing is not known: the load never was steady, as not all containers "
        "ran.",
    ]


@pytest.mark.parametrize(
    ("placement", "ready", "sentence"),
    [
        ({"worker-1": 150}, 2, "150 of 150 containers were placed on one node of 2."),
        ({"worker-1": 150}, 1, None),
        ({"worker-1": 75, "worker-2": 75}, 2, None),
        ({"worker-1": 50, "worker-2": 50, "worker-3": 50}, 4, "150 containers were placed on 3 nodes of 4."),
        ({"worker-1": 100, "worker-2": 50}, 2, "100 of 150 containers were placed on worker-1, one node of 2."),
        ({"a": 60, "b": 20, "c": 20, "d": 20}, 4, "60 of 120 containers were placed on a, one node of 4."),
    ],
)
def test_placement(placement, ready, sentence):
    assert sentences({"await": {"placement": placement, "nodes_ready": ready}}) == ([sentence] if sentence else [])


def test_scheduling_is_set_beside_the_tick():
    within = sentences({"await": {"scheduling_latency": {"p99": {"value": 4.79, "unit": "s"}}}})
    assert within == ["Scheduling took 4.79 s at p99, which is within one 5 s tick of Warren's scheduler."]


def test_a_tick_that_takes_longer_than_a_tick_is_told():
    def told(duration):
        rows = [{"duration": 0.2}, {"duration": duration}]
        burst = {"await": {"expected": 50, "scheduler": {"ticks": 2, "largest": 30, "rows": rows}}}
        return sentences(burst, run={"scenario": "scheduler-burst"})

    placed = "The scheduler placed 50 containers in 2 ticks, 30 of them in the largest."
    assert told(4.0) == [placed]
    assert told(7.25) == ["A tick of the scheduler took 7.25 s, and one is due every 5 s.", placed]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_growth_that_is_not_known_is_told_where_an_objective_asks_for_it(scenario):
    growth = {"resources": {"managers": [{"name": "manager-1", "growth": {"why": "it was short"}}]}}
    asked = scenario in ("load", "api-throughput", "soak")
    assert len(sentences(growth, run={"scenario": scenario})) == asked


def test_audit_and_shared_host():
    audit = {"generator": {"valid": False, "reasons": ["send lag p99 80 ms"], "shares_host_with": ["manager-1"]}}
    assert sentences(audit=audit) == [
        "The generator could not keep up with its plan: send lag p99 80 ms.",
        "The generator shared its host, and so its CPU, with manager-1.",
    ]


def test_a_word_that_was_not_kept_is_a_problem():
    assert sentences({"audit_writes": {"lost": 1, "doubled": 2, "resurrected": 0, "unasked": 0, "ambiguous": 5}}) == [
        "1 service is acknowledged, and gone after the fault.",
        "2 services are there more than once after the fault.",
    ]


def test_what_a_lost_leader_cost():
    failover = {"was": "manager-2", "election": {"value": 0.93}, "write_outage": {"value": 1.02}}
    assert sentences({"failover": failover}) == [
        "After the loss of manager-2 nothing was written for 1.02 s; another leader was there after 0.93 s."
    ]
    assert sentences({"probe": {"writes": {"recovered": False}}}) == [
        "No write was acknowledged any more after the fault."
    ]
    assert sentences({"probe": {"writes": {"recovered": True}}, "failover": {"write_outage": {"value": 0.0}}}) == []


def test_kept_services_are_not_called_leftovers():
    measured = {"create": {"created": 50}, "cleanup": {"containers_left": 150}}
    assert sentences(measured, run={"keep": True}) == ["50 services stayed on the cluster as asked (keep)."]


def test_send_lag_is_set_against_the_response_time():
    measured = {"latency": {"send_lag": {"p99": {"value": 60.0}}, "response_time": {"p99": {"value": 80.0}}}}
    assert sentences(measured) == ["60 of the 80 ms response time at p99 are the generator's own send lag."]
    measured["latency"]["send_lag"]["p99"]["value"] = 0.9
    assert sentences(measured) == []


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["create", "await", "latency", "cleanup", "failed", "placement", "p99", "value", "resources"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["create", "await", "latency", "cleanup", "resources", "hollow"]), JUNK))
def test_no_rule_stumbles_over_odd_measurements(measurements):
    for rule in RULES:
        for finding in rule(Evidence({"measurements": measurements})):
            assert finding.sentence


def watched(*rows, **rest):
    return {"resources": {"managers": list(rows), "workers": [], "others": [], "memory_growth": None, **rest}}


def test_crashes_restarts_and_logs():
    log = {"error": 3, "warning": 1, "first_error": "Scheduler error: x", "first_warning": "2026 [WARN] raft: y"}
    log |= {"refused": 2, "first_refused": "Failed to schedule: not the leader"}
    assert sentences(
        watched(
            {"name": "manager-1", "ended": True, "restarts": 0, "log": log},
            {"name": "manager-2", "ended": False, "restarts": 1, "log": None},
            {"name": "manager-3", "ended": True, "restarts": 2},
        )
    ) == [
        "manager-1 ended while the run went on.",
        "manager-2 ended and was started again, once.",
        "manager-3 ended and was started again, 2 times.",
        "manager-3 ended while the run went on.",
        "manager-1 logged 3 errors; the first: Scheduler error: x.",
        "manager-1 logged 1 warning; the first: 2026 [WARN] raft: y.",
        "manager-1 logged 2 refused writes; the first: Failed to schedule: not the leader.",
    ]


def test_what_several_processes_logged_is_one_finding():
    rows = [{"name": f"worker-{number}", "log": {"error": number, "first_error": "x"}} for number in range(1, 101)]
    assert sentences(watched(*rows)) == [
        "100 processes logged 5050 errors, the most of them (100) worker-100; its first: x."
    ]


def growth(value, low, high):
    return {"rate": {"value": value, "unit": "MB/min", "low": low, "high": high, "n": 40}, "why": ""}


def test_growing_memory():
    found = find(
        {"measurements": watched({"name": "m", "growth": growth(240, 230, 250)}, memory_growth={"value": 240})}
    )
    assert [(each.severity, each.sentence) for each in found] == [
        ("warning", "The memory of m grew by 240 MB a minute (230 to 250) while the load was steady.")
    ]
    steady = watched({"name": "m", "growth": growth(0.2, -1, 1)}, memory_growth={"value": 0.2})
    assert find({"measurements": steady}) == []


def test_memory_that_was_not_watched_for_long_enough():
    why = "the load was steady for only 4 s, and it takes 90 s to tell"
    rows = [{"name": name, "growth": {"rate": None, "why": why}} for name in ("manager-1", "manager-2")]
    (found,) = find({"measurements": watched(*rows)})
    assert found.sentence == f"Whether the memory of manager-1 keeps growing is not known: {why}."
    assert "warren_load_latency_calls" in found.because


def test_a_costly_sampler():
    row = {"host": "node-1", "cpu_share": {"value": 2.5, "unit": "%"}}
    (sentence,) = sentences(watched(sampler=[row]))
    assert sentence == "The sampler on node-1 used 2.5 % of a core: it was a load of its own."


def test_why_containers_are_missing_stands_below_that_they_are():
    why = ["3 containers without a record: the scheduler was still creating them."]
    measured = {"await": {"expected": 6, "running": 3, "missing": why, "nodes_ready": 2}}
    (found,) = [finding for finding in find({"measurements": measured}) if finding.id == "not-running"]
    assert found.because == why[0]
    measured["hollow"] = {"missed_deadlines": 2}
    (found,) = [finding for finding in find({"measurements": measured}) if finding.id == "not-running"]
    assert found.because.startswith(why[0])
    assert "Workers missed the deadlines of their heartbeats" in found.because


def test_one_look_is_no_load():
    measured = {"await": {"polls": 1, "poll_time": 0.03, "duration": 0.06}}
    assert sentences(measured) == []
    measured["await"]["polls"] = 5
    assert len(sentences(measured)) == 1


CHURN = {"deleted": 70, "records_left": 210, "records_purged": 210, "purge": True, "late": 0, "cycles": 14, "slow": 0}


def test_a_load_that_did_not_stay():
    held = {"looks": 180, "short_looks": 3, "running_least": {"value": 98.0, "unit": "%"}, "churn": None}
    assert sentences({"hold": held}) == ["At 3 of 180 looks not all containers of the load ran, 98 % of them at worst."]
    assert sentences({"hold": held | {"short_looks": 0}}) == []


def test_what_churn_left():
    held = {"looks": 180, "short_looks": 0, "churn": CHURN}
    assert sentences({"hold": held}) == [
        "70 services that were replaced left 210 container records behind; the run removed 210."
    ]
    late = CHURN | {"purge": False, "late": 2, "slow": 1}
    assert sentences({"hold": held | {"churn": late}}) == [
        "70 services that were replaced left 210 container records behind, where they stayed.",
        "The containers of 1 replaced service did not run within 60 s.",
        "2 of 14 churns took longer than the interval between them: give a longer warren_load_churn_interval.",
    ]


def kept(what, value, low, high, unit="KB", grew=True):
    figure = {"value": value, "unit": unit, "low": low, "high": high, "n": 150}
    return {"process": "manager-1", "what": what, "unit": unit, "grew": grew, "per_service": figure}


def test_leaks_are_named():
    found = {
        "churned": 150,
        "container_records": {"value": 3.0, "unit": "records"},
        "still_running": 450,
        "held": [kept("database", 2.86, 2.51, 3.21), kept("heap", 1, -1, 3, grew=False), kept("log", 20, 7, 32)],
        "unavailable": ["What worker-1 kept is not known: it was started again in between."],
    }
    assert sentences({"leaks": found}) == [
        "Warren leaks container records: 150 services were deleted and 450 records of theirs stayed, 3 for each, and "
        "450 of them are still to run.",
        "manager-1 keeps 2.86 KB (2.51 to 3.21) more in its database for each service that came and went.",
        "What worker-1 kept is not known: it was started again in between.",
    ]
    clean = {**found, "container_records": {"value": 0.0}, "held": [], "unavailable": []}
    assert sentences({"leaks": clean}) == ["150 deleted services left no container record behind."]


def test_containers_that_containerd_still_knows_are_named():
    known = kept("containers_known", 3, 3, 3, "containers") | {"process": "worker-1"}
    found = {"churned": 150, "container_records": None, "held": [known], "unavailable": []}
    assert sentences({"leaks": found}) == [
        "worker-1 keeps 3 containers in containerd for each service that was deleted."
    ]


def test_what_stays_of_rounds_that_were_deleted_is_records():
    measured = {"create": {"services": 150, "created": 150}, "settle": {"services_left": 0, "records_left": 450}}
    (finding,) = [one for one in find({"measurements": measured, "run": {"keep": True}}) if one.id == "kept"]
    assert (
        finding.sentence
        == "0 services and 450 container records of deleted ones stayed on the cluster as asked (keep)."
    )


LOSS = {"targets": ["manager-1"], "workers": 5, "down": 5, "ready_end": 0, "replaced": 0, "missing": 150, "why": "none"}


def test_what_a_fault_did_to_workers():
    lost = {**LOSS, "detection": {"value": 38.9, "unit": "s"}}
    assert sentences({"loss": lost}) == [
        "After the loss of manager-1 all 5 workers went down, the first after 38.9 s, and none came back: 150 "
        "containers ran nowhere in the end."
    ]
    (sentence,) = sentences({"loss": {**lost, "replaced": 111}})
    assert sentence.endswith("in the end, and 111 were placed anew on workers that went down as well.")
    one = {**lost, "targets": ["worker-1"], "down": 1, "ready_end": 4, "missing": 0, "placed_on_lost": 39}
    assert sentences({"loss": {**one, "restored": {"value": 45.7, "unit": "s"}}}) == [
        "worker-1 was taken for down 38.9 s after the fault, and all its replicas ran elsewhere after 45.7 s.",
        "39 containers were placed on a worker that was gone already.",
    ]
    two = {**one, "targets": ["worker-1", "worker-2"], "down": 2, "placed_on_lost": 0}
    assert sentences({"loss": {**two, "restored": {"value": 95.7, "unit": "s"}}}) == [
        "worker-1 and worker-2 were hit, and 2 taken for down, at the latest 38.9 s after the fault of each, and all "
        "their replicas ran elsewhere after 95.7 s from the first fault on."
    ]
    assert (
        sentences({"loss": {**one, "missing": 2, "placed_on_lost": 0}})[0] == "2 containers did not run again (none)."
    )
    assert sentences({"loss": {**LOSS, "down": 0}}) == []


def test_whom_we_killed_did_not_crash():
    rows = [{"name": "manager-1", "ended": True}, {"name": "manager-2", "ended": True}]
    faults = [{"kind": "kill", "target": "manager-1"}, {"kind": "pause", "target": "manager-2"}]
    found = sentences({"resources": {"managers": rows}, "faults": {"faults": faults}})
    assert found == ["manager-2 ended while the run went on."]


@pytest.mark.parametrize(
    ("leaders", "was", "words"),
    [
        ("31", None, "from manager-3 to manager-1, though the fault did not hit the leader"),
        ("3", None, None),
        ("3|1", "3", None),  # that was the fault
        ("23|1", "3", "from manager-2 to manager-3, before the fault"),
        ("3|12", "3", "from manager-1 to manager-2, after another one led"),
        ("3|2", "1", "from manager-3 to manager-2, though the fault did not hit the leader"),
        ("3|", "1", None),
    ],
)
def test_a_leadership_that_moves_by_itself(leaders, was, words):
    before = len(leaders.partition("|")[0])
    terms = [
        {"leader": f"manager-{who}", "start": 1000.0 + 10 * number if number < before else 1100.0 + 10 * number}
        for number, who in enumerate(leaders.replace("|", ""))
    ]
    measured: dict[str, Any] = {"probe": {"terms": terms}}
    if was:
        measured["failover"] = {"was": f"manager-{was}"}
        measured["faults"] = {"faults": [{"kind": "kill", "target": f"manager-{was}", "start": 1090.0}]}
    expected = [f"The leadership moved by itself, {words}."] if words else []
    assert sentences(measured) == expected


def test_what_is_wrong_with_an_outage():
    assert sentences({"failover": {"was": "manager-1", "wrong_target": 1}}) == [
        "The leadership had just moved when manager-1 was hit: no leader was lost."
    ]
    later = {"value": 3.5, "unit": "s"}
    assert sentences({"failover": {"was": "manager-1", "wrong_target": 0, "later_outage": later}}) == [
        "Later nothing was written for 3.50 s again, which the fault itself does not explain."
    ]


@pytest.mark.parametrize(
    ("scenario", "rate", "severity"), [("load", 3.0, "note"), ("load", 5.0, "warning"), ("soak", 3.0, "warning")]
)
def test_growth_is_a_warning_where_it_misses_its_objective(scenario, rate, severity):
    growth = {"rate": {"value": rate, "unit": "MB/min", "low": rate - 0.1, "high": rate + 0.1}}
    measured = {"resources": {"managers": [{"name": "manager-1", "growth": growth}], "memory_growth": growth["rate"]}}
    (found,) = find({"measurements": measured, "run": {"scenario": scenario}})
    assert (found.id, found.severity) == ("memory-grows", severity)
