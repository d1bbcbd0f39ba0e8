# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.warren.load.plugins.module_utils.objectives.shape import MEASUREMENTS
from ansible_collections.warren.load.plugins.plugin_utils import timeline as timelines

SCHEMA = json.loads((Path(timelines.__file__).parents[2] / "docs/results.schema.json").read_text(encoding="utf-8"))
FAULT = {"kind": "pause", "target": "manager-1", "host": "manager-1", "undone_by": "deadline", "outcome": "goes on"}
HOSTS: list[dict[str, t.Any]] = [
    {"name": "gen", "clock_offset": {"value": 1.0, "low": 0.9, "high": 1.1}},
    {"name": "manager-1", "clock_offset": {"value": 3.0, "low": 2.8, "high": 3.2}},
    {"name": "manager-2", "clock_offset": None},
]


def outage(start, end, until=1060.0):
    return {"start": start, "end": end, "seconds": (until if end is None else end) - start}


def probe(writes=(), reads=(), terms=(), views=()):
    return {
        "started": 1000.0,
        "ended": 1060.0,
        "resolution": {"value": 50.0, "unit": "ms"},
        "writes": {"outages": list(writes)},
        "managers": [
            {"name": "manager-2", "outages": list(reads), "outage_count": 0, "longest_outage": {"value": 0.0}}
        ],
        "terms": [{"leader": who, "start": start, "end": end} for who, start, end in terms],
        "views": [{"time": moment, "manager": who, "leader": leader} for moment, who, leader in views],
    }


def one_clock(**more):
    faults = [{**FAULT, "began": 1032.0, "ended": 1052.0, **more}]
    return timelines.on_one_clock(faults, timelines.offsets(HOSTS, "gen"))


def test_a_fault_is_put_on_the_generators_clock():
    (fault,) = one_clock()
    assert (fault["start"], fault["end"], fault["uncertainty"]) == (1030.0, 1050.0, pytest.approx(0.3))
    (fault,) = one_clock(host="manager-2", ended=None)
    assert (fault["start"], fault["end"], fault["uncertainty"]) == (1032.0, None, None)
    assert one_clock(began=None) == []


def test_everything_is_in_seconds_since_the_run_began_and_fits_the_schema():
    seen = probe(
        writes=[outage(1030.1, 1031.2)],
        reads=[outage(1040.0, None)],
        terms=[("manager-1", 1000.1, 1030.1), ("manager-2", 1031.2, 1059.9)],
    )
    told = timelines.timeline(990.0, one_clock(), {"probe": seen})
    assert [(one["kind"], one["what"], one["target"], one["start"], one["end"]) for one in told["intervals"]] == [
        ("phase", "probe", None, 10.0, 70.0),
        ("leader", "acknowledges writes", "manager-1", 10.1, 40.1),
        ("fault", "pause", "manager-1", 40.0, 60.0),
        ("outage", "writes", None, 40.1, 41.2),
        ("leader", "acknowledges writes", "manager-2", 41.2, 69.9),
        ("outage", "reads", "manager-2", 50.0, None),
    ]
    jsonschema.Draft202012Validator(SCHEMA["properties"]["timeline"]).validate(told)
    assert timelines.timeline(990.0, [], {})["intervals"] == []


def test_phases_nodes_and_replicas_are_on_the_same_clock():
    changes = [
        {"time": 1064.5, "node": "worker-1", "status": "down"},
        {"time": 1070.0, "node": "worker-2", "status": "down"},
        {"time": 1071.0, "node": "worker-2", "status": "ready"},
    ]
    measured = {
        "create": {"first_sent": 1000.0, "last_acknowledged": 1050.0},
        "recovery": {**recovered(changes=changes), "started": 1000.5, "ended": 1080.0},
        "cleanup": {"first_delete": 1090.0, "last_gone": None},
        "audit_writes": {"acknowledged": 3},
    }
    told = timelines.timeline(990.0, one_clock(), measured)
    assert [(one["kind"], one["what"], one["target"], one["start"], one["end"]) for one in told["intervals"]] == [
        ("phase", "create", None, 10.0, 60.0),
        ("phase", "recovery", None, 10.5, 90.0),
        ("fault", "pause", "manager-1", 40.0, 60.0),
        ("replicas", "not all run", None, 40.0, 85.0),
        ("node", "down", "worker-1", 74.5, None),
        ("node", "down", "worker-2", 80.0, 81.0),
        ("phase", "cleanup", None, 100.0, None),
    ]
    jsonschema.Draft202012Validator(SCHEMA["properties"]["timeline"]).validate(told)


def test_what_a_lost_leader_cost():
    seen = probe(
        writes=[outage(1010.0, 1010.3), outage(1029.98, 1031.2)],
        terms=[("manager-3", 1000.1, 1005.0), ("manager-1", 1005.1, 1029.98), ("manager-2", 1031.2, 1059.9)],
        views=[(1000.0, "manager-2", "manager-1"), (1030.9, "manager-2", "manager-2")],
    )
    (fault,) = one_clock()
    cost = timelines.failover(fault, seen)
    assert (cost["was"], cost["leader"], cost["recovered"]) == ("manager-1", "manager-2", True)
    assert cost["election"]["value"] == pytest.approx(0.9)
    assert (cost["election"]["low"], cost["election"]["high"]) == (pytest.approx(0.55), pytest.approx(1.2))
    assert cost["first_write"]["value"] == pytest.approx(1.2)
    assert cost["write_outage"]["value"] == pytest.approx(1.22)  # not the one long before
    assert (cost["write_outage"]["low"], cost["write_outage"]["n"]) == (pytest.approx(1.12), 1)
    assert cost["reads"]["manager-2"]["value"] == 0


def test_a_cluster_that_never_recovers():
    (fault,) = one_clock(ended=None)
    cost = timelines.failover(fault, probe(writes=[outage(1030.0, None)], terms=[("manager-1", 1000.0, 1030.0)]))
    assert (cost["leader"], cost["recovered"]) == (None, False)
    assert (cost["election"]["value"], cost["first_write"]["value"]) == (None, None)
    assert cost["write_outage"]["value"] == 30.0


def test_an_outage_of_another_time_is_not_the_faults():
    """One that ended just before it, and one long after it."""
    (fault,) = one_clock(ended=None)
    fault["kind"] = "kill"
    near = [outage(1025.8, 1029.5), outage(1030.1, 1031.1), outage(1040.0, 1045.0)]
    cost = timelines.failover(fault, probe(writes=near))
    assert cost["write_outage"]["value"] == pytest.approx(1.0)
    assert (cost["later_outage"]["value"], cost["later_outage"]["n"]) == (5.0, 1)
    assert cost["recovered"] is True
    assert timelines.failover(fault, probe(writes=[*near, outage(1055.0, None)]))["recovered"] is False
    # What only slows a manager down may be missed at any time that it lasts.
    slow = {**fault, "kind": "slow_disk", "end": 1050.0}
    assert timelines.failover(slow, probe(writes=near))["write_outage"]["value"] == 5.0


@pytest.mark.parametrize(
    ("terms", "views", "wrong"),
    [
        ([("manager-1", 1000.0, 1029.9), ("manager-2", 1031.0, 1059.0)], [], 0),
        ([("manager-1", 1000.0, 1028.0), ("manager-2", 1029.0, 1059.0)], [], 1),
        # Nobody wrote since, and the others say who leads.
        ([("manager-1", 1000.0, 1028.0)], [(1029.0, "manager-3", "manager-2")], 1),
        ([("manager-1", 1000.0, 1029.9)], [(1029.0, "manager-3", "manager-2"), (1029.5, "manager-3", "")], 0),
        ([], [], 0),
    ],
)
def test_the_leader_was_meant(terms, views, wrong):
    (fault,) = one_clock()
    assert timelines.failover(fault, probe(terms=terms, views=views), "leader")["wrong_target"] == wrong
    assert timelines.failover(fault, probe(terms=terms, views=views), "follower")["wrong_target"] is None


def test_a_leader_that_nobody_missed():
    (fault,) = one_clock()
    cost = timelines.failover(fault, probe(terms=[("manager-1", 1000.0, 1059.0)]))
    assert cost["write_outage"]["value"] == 0
    assert cost["recovered"] is True


def test_the_measurements_of_a_run_with_a_fault():
    rows = [{**FAULT, "target": "worker-1", "began": 1031.0}, {**FAULT, "target": "manager-2", "began": 1032.0}]
    found = timelines.measured(rows, probe(), HOSTS, "gen")
    assert found["faults"]["count"] == 2
    assert found["failover"]["was"] == "manager-2"
    for name in ("faults", "failover"):  # objectives can ask for all of it
        shape: t.Any = MEASUREMENTS.of[name]
        assert set(found[name]) <= set(shape.of)
    rows_shape: t.Any = MEASUREMENTS.of["faults"]
    assert set(found["faults"]["faults"][0]) <= set(rows_shape.of["faults"].of.of)
    assert "failover" not in timelines.measured(rows[:1], probe(), HOSTS, "gen")
    assert "failover" not in timelines.measured(rows)


def recovered(**more):
    return {
        "changes": [{"time": 1064.5, "node": "worker-1", "status": "down"}],
        "resolution": 1.0,
        "ready_most": 2,
        "ready_end": 1,
        "touched": 5,
        "replaced": 15,
        "last_replaced": 1068.0,
        "restored_at": 1075.0,
        "expected": 30,
        "running": 30,
        "placed_on_lost": 3,
        "why": "",
        **more,
    }


def test_what_a_lost_worker_cost():
    faults = [{**FAULT, "kind": "kill", "target": "worker-1", "host": "gen", "began": 1030.0, "ended": 1031.0}]
    found = timelines.measured(faults, probe(), HOSTS, "gen", recovered())
    assert found["faults"]["faults"][0]["end"] is None  # to be dead is not undone
    loss = found["loss"]
    shape: t.Any = MEASUREMENTS.of["loss"]
    assert set(loss) == set(shape.of)
    assert (loss["down"], loss["replaced"], loss["missing"], loss["placed_on_lost"]) == (1, 15, 0, 3)
    assert (loss["detection"]["value"], loss["detection"]["low"]) == (34.5, 33.5)
    assert (loss["replacement"]["value"], loss["restored"]["value"]) == (38.0, 45.0)
    loss = timelines.measured(faults, None, HOSTS, "gen", recovered(changes=[], replaced=0, restored_at=None))["loss"]
    assert (loss["down"], loss["detection"]["value"], loss["replacement"]["value"]) == (0, None, None)
    assert loss["restored"]["value"] is None
    assert "loss" not in timelines.measured([], None, HOSTS, "gen", recovered())


def test_of_several_workers_each_has_its_own_detection():
    rows = [
        {**FAULT, "kind": "kill", "target": name, "host": "gen", "began": began, "ended": None}
        for name, began in (("worker-1", 1030.0), ("worker-2", 1050.0))
    ]
    changes = [
        {"time": 1064.0, "node": "worker-1", "status": "down"},
        {"time": 1089.0, "node": "worker-2", "status": "down"},
    ]
    loss = timelines.measured(rows, None, HOSTS, "gen", recovered(changes=changes))["loss"]
    assert loss["detection"]["value"] == 39.0
    assert loss["all_down"]["value"] == 59.0


def test_a_host_of_the_same_machine_has_the_same_clock():
    (fault,) = one_clock(own_clock=False)
    assert (fault["start"], fault["uncertainty"]) == (1032.0, 0.0)


def test_a_fault_is_known_as_finely_as_its_targets_last_answer():
    """The clocks are known within 0.3 s, the last answer within 0.05 s."""
    rows = [{**FAULT, "kind": "kill", "target": "manager-2", "host": "manager-1", "began": 1032.0, "ended": None}]
    seen = probe(reads=[{**outage(1030.12, None), "within": 0.05}])
    (fault,) = timelines.measured(rows, seen, HOSTS, "gen")["faults"]["faults"]
    assert (fault["start"], fault["uncertainty"]) == (1030.12, 0.05)
    seen = probe(reads=[{**outage(1040.0, None), "within": 0.05}])  # that was something else
    (fault,) = timelines.measured(rows, seen, HOSTS, "gen")["faults"]["faults"]
    assert (fault["start"], fault["uncertainty"]) == (1030.0, pytest.approx(0.3))


def test_whose_clock_was_not_compared_is_known_by_his_outage():
    """The nearest one; of who is killed, the one that does not end."""
    rows = [{**FAULT, "target": "manager-2", "host": "manager-2", "began": 1030.0, "ended": 1050.0}]
    silent = [outage(1005.0, 1005.3), outage(1029.0, 1049.0), outage(1055.0, None)]
    (fault,) = timelines.measured(rows, probe(reads=silent), HOSTS, "gen")["faults"]["faults"]
    assert (fault["start"], fault["uncertainty"]) == (1029.0, 0.05)
    rows[0] |= {"kind": "kill"}
    (fault,) = timelines.measured(rows, probe(reads=silent), HOSTS, "gen")["faults"]["faults"]
    assert (fault["start"], fault["uncertainty"]) == (1055.0, 0.05)
    (fault,) = timelines.measured(rows, probe(reads=silent[:2]), HOSTS, "gen")["faults"]["faults"]
    assert (fault["start"], fault["uncertainty"]) == (1030.0, None)


@pytest.mark.parametrize(
    ("change", "undetected"),
    [
        ({}, 1),
        ({"ended": 1090.0, "kind": "pause"}, 1),
        ({"ended": 1070.0, "kind": "pause"}, None),  # Warren does not notice so short a silence
        ({"kind": "slow_disk", "ended": None}, None),
        ({"target": "manager-2"}, None),  # is no worker
    ],
)
def test_a_loss_that_nobody_notices(change, undetected):
    rows = [{**FAULT, "kind": "kill", "target": "worker-1", "host": "gen", "began": 1030.0, "ended": None, **change}]
    found = timelines.measured(rows, probe(), HOSTS, "gen", recovered(changes=[]))
    assert found["loss"]["undetected"] == undetected
    noticed = timelines.measured(rows, probe(), HOSTS, "gen", recovered())
    assert noticed["loss"]["undetected"] == (undetected and 0)
