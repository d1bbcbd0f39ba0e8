# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.leaks import leaks


def settled(deleted=50, records=150, **more):
    return {
        "deleted": deleted,
        "services_left": 0,
        "records_left": records,
        "orphans": records,
        "running": records,
        **more,
    }


def process(name="manager-1", **held):
    names = ("heap", "private", "rss", "goroutines", "open_files", "database", "raft_log", "log", "containers")
    row = {"name": name, "kind": "manager", "pid": 7, "start": "a", "containers_known": None}
    return row | dict.fromkeys(names) | held


def moment(*rows, host="node-1", unavailable=()):
    return [{"item": {"host": host}, "rows": list(rows), "unavailable": list(unavailable)}]


def rounds(count=3):
    return [settled(records=150 * number) for number in range(1, count + 1)]


def test_records_are_counted_without_error():
    found = leaks(rounds(), [])
    assert (found["rounds"], found["churned"], found["still_running"]) == (3, 150, 450)
    assert found["container_records"] == {"value": 3.0, "unit": "records", "low": 3.0, "high": 3.0, "n": 150}
    assert found["service_records"]["value"] == 0
    assert found["points"][1] == {"churned": 100, "records_left": 300, "orphans": 300, "running": 300}
    assert found["heap"] is None


def test_what_a_process_holds_is_a_slope_with_an_interval():
    sizes = (24, 164, 296, 456)
    found = leaks(rounds(), [moment(process(database=1024 * size, goroutines=29 - (size > 30))) for size in sizes])
    database, routines = ({row["what"]: row for row in found["held"]}[name] for name in ("database", "goroutines"))
    assert database["per_service"]["value"] == pytest.approx(2.856, abs=0.001)
    assert (
        2.4 < database["per_service"]["low"] < database["per_service"]["value"] < database["per_service"]["high"] < 3.3
    )
    assert (database["grew"], database["before"], database["after"], database["unit"]) == (True, 24, 456, "KB")
    assert database["points"] == [[0, 24], [50, 164], [100, 296], [150, 456]]
    assert routines["grew"] is False
    assert found["database"] == database["per_service"]


def test_of_one_round_only_the_difference_is_known():
    found = leaks(rounds(1), [moment(process(database=1024)), moment(process(database=51 * 1024))])
    (row,) = found["held"]
    assert row["per_service"] == {"value": 1.0, "unit": "KB", "low": None, "high": None, "n": 50}
    assert row["grew"] is False


def test_containers_are_counted_too():
    found = leaks(rounds(1), [moment(process(containers=0)), moment(process(containers=150))])
    assert found["containers"] == {"value": 3.0, "unit": "containers", "low": 3.0, "high": 3.0, "n": 50}


def test_the_process_that_grew_most_counts():
    def both(first, second):
        return [*moment(process(heap=1024 * first)), *moment(process("manager-2", heap=1024 * second), host="node-2")]

    found = leaks(rounds(1), [both(0, 0), both(50, 100)])
    assert found["heap"]["value"] == 2.0


def test_a_process_that_was_started_again_is_left_out():
    found = leaks(rounds(1), [moment(process(heap=1)), moment(process(heap=9999, start="b"))])
    assert found["held"] == []
    assert found["unavailable"] == ["What manager-1 kept is not known: it was started again in between."]


def test_a_host_that_is_gone_costs_a_sentence():
    gone = [{"item": {"host": "node-2"}, "msg": "it timed\nout.", "unreachable": True}]
    found = leaks(rounds(1), [moment(process(heap=0)), [*moment(process(heap=1024 * 50)), *gone]])
    assert found["unavailable"] == ["What the processes of node-2 kept is not known: it timed out."]
    assert found["heap"]["value"] == 1.0


def test_where_nothing_was_deleted_nothing_is_said():
    assert leaks([], [moment(process())]) == {}
    assert leaks([settled(deleted=0, records=0)], []) == {}
