# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

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


def test_services_that_only_an_early_round_left_are_seen():
    found = leaks([settled(services_left=3), settled()], [])
    assert found["service_records"] == {"value": 0.03, "unit": "services", "low": 0.03, "high": 0.03, "n": 100}


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
    # A value without an interval would be judged as if it were exact.
    assert found["database"] is None


def test_containers_are_counted_too():
    found = leaks(rounds(1), [moment(process(containers=0)), moment(process(containers=150))])
    assert found["containers"] == {"value": 3.0, "unit": "containers", "low": 3.0, "high": 3.0, "n": 50}


def test_a_container_that_only_containerd_knows_is_left_too():
    moments = [moment(process(containers=0, containers_known=2)), moment(process(containers=50, containers_known=152))]
    found = leaks(rounds(1), moments)
    assert found["containers"] == {"value": 3.0, "unit": "containers", "low": 3.0, "high": 3.0, "n": 50}
    assert [row["per_service"]["value"] for row in found["held"] if row["grew"]] == [1.0, 3.0]


def several(what, *processes):
    """A look before the first round and one after each, at processes that hold so much."""
    return [
        [
            part
            for number, held in enumerate(processes, 1)
            for part in moment(process(f"manager-{number}", **{what: held[at]}), host=f"node-{number}")
        ]
        for at in range(len(processes[0]))
    ]


def heap_of(*processes):
    return leaks(rounds(len(processes[0]) - 1), several("heap", *([1024 * each for each in one] for one in processes)))


def test_the_process_that_grew_most_counts_and_as_far_as_any_may_have():
    steady = [1000, 1550, 2100, 2650]
    wild = [3000, 200, 4000, 2000]
    alone, other = (heap_of(one)["heap"] for one in (steady, wild))
    assert (alone["low"], alone["value"], alone["high"]) == (11, 11, 11)
    assert other["low"] < 0 < other["high"]
    both = heap_of(wild, steady)["heap"]
    # What leaks for certain is not hidden by what varies, nor is it known that nothing else leaks.
    assert both == {**alone, "high": other["high"]}
    assert both == heap_of(steady, wild)["heap"]
    calm = heap_of([1000, 1250, 1500, 1750], wild)["heap"]
    assert (calm["value"], calm["high"]) == (5, other["high"])


def test_a_process_without_an_interval_may_have_grown_as_far_as_it_likes():
    # The second was seen twice, which tells no interval.
    moments = several("heap", [0, 51200, 102400, 153600], [0, 0, 0, 0])
    found = leaks(rounds(), [*(part[:1] for part in moments[:2]), *moments[2:]])["heap"]
    assert (found["value"], found["low"], found["high"]) == (1.0, 1.0, None)


def test_growth_that_is_not_named_is_no_failure():
    # All of the interval lies above 0, but one round grew by half of the others.
    filling = heap_of([0, 4000, 8000, 9500])
    (row,) = filling["held"]
    assert row["grew"] is False
    assert row["per_service"]["low"] > 10
    assert filling["heap"] == {**row["per_service"], "low": 0.0}


def test_the_first_of_four_rounds_warms_up():
    found = heap_of([0, 9000, 9500, 10000, 10500])
    assert found["heap"] == {"value": 10.0, "unit": "KB", "low": 10.0, "high": 10.0, "n": 150}
    assert found["held"][0]["before"] == 0


def test_two_rounds_name_only_what_is_counted():
    assert heap_of([0, 500, 1000])["held"][0]["grew"] is False
    routines = leaks(rounds(2), several("goroutines", [30, 180, 330]))
    assert routines["held"][0]["grew"] is True
    assert routines["goroutines"] == {"value": 3.0, "unit": "goroutines", "low": 3.0, "high": 3.0, "n": 100}
    # One more each round is no more than chance.
    assert leaks(rounds(2), several("goroutines", [30, 31, 32]))["held"][0]["grew"] is False


NOISE, RUNS, MANAGERS = 100.0, 300, 5  # KB of a heap that varies by itself


def named(source, rounds_run, size):
    """In how many of the runs any of five managers is named, whose heap is of such a size after a round."""

    def series():
        growing = size(source)
        return [40_000 + growing(at) + source.gauss(0, NOISE) for at in range(rounds_run + 1)]

    runs = [heap_of(*(series() for _manager in range(MANAGERS))) for _run in range(RUNS)]
    return sum(any(row["grew"] for row in found["held"]) for found in runs) / RUNS


def filling(size):
    """A cache that is full after 0.8 to 2.5 rounds."""

    def of(source):
        full = source.uniform(0.8, 2.5)
        return lambda at: size * min(1.0, at / full)

    return of


@pytest.mark.parametrize("rounds_run", [2, 3, 6])
def test_neither_noise_nor_a_cache_that_fills_is_a_leak(rounds_run):
    source = random.Random(11)
    assert named(source, rounds_run, lambda _source: lambda _at: 0.0) <= 0.03
    assert named(source, rounds_run, filling(50 * NOISE)) <= 0.03
    # The hardest: a cache that fills evenly until shortly before the end, and by not much more than the noise.
    assert named(source, rounds_run, filling(10 * NOISE)) <= 0.15


@pytest.mark.parametrize(("rounds_run", "leak"), [(3, 20), (6, 5)])
def test_a_leak_is_found(rounds_run, leak):
    assert named(random.Random(12), rounds_run, lambda _source: lambda at: 50 * leak * NOISE / 50 * at) >= 0.9


def test_a_process_that_was_started_again_is_left_out():
    found = leaks(rounds(1), [moment(process(heap=1)), moment(process(heap=9999, start="b"))])
    assert found["held"] == []
    assert found["unavailable"] == ["What manager-1 kept is not known: it was started again in between."]


def test_a_host_that_is_gone_costs_a_sentence():
    gone = [{"item": {"host": "node-2"}, "msg": "it timed\nout.", "unreachable": True}]
    found = leaks(rounds(1), [moment(process(heap=0)), [*moment(process(heap=1024 * 50)), *gone]])
    assert found["unavailable"] == ["What the processes of node-2 kept is not known: it timed out."]
    assert [row["per_service"]["value"] for row in found["held"]] == [1.0]


def test_goroutines_by_stack_are_told_beside():
    stack = {"process": "worker-1", "function": "worker.monitor", "grew": True}
    assert leaks(rounds(), [])["goroutine_stacks"] == []
    assert leaks(rounds(), [], goroutine_stacks=[stack])["goroutine_stacks"] == [stack]


def test_where_nothing_was_deleted_nothing_is_said():
    assert leaks([], [moment(process())]) == {}
    assert leaks([settled(deleted=0, records=0)], []) == {}
