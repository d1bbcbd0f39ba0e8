# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.phases import await_report

NOW = 1_000_000.0


def record(state="pending", node="worker-1", *, desired="running", error="", image="docker.io/library/nginx:alpine"):
    return message("Container")(
        id=f"c-{node}-{state}", node_id=node, actual_state=state, desired_state=desired, error=error, image=image
    )


def node(name="worker-1", status="ready", age=2.0, role="worker"):
    one = message("Node")(id=name, role=role, status=status)
    one.last_heartbeat.FromNanoseconds(int((NOW - age) * 1e9))
    return one


def missing(records, nodes, **more):
    given = {"unscheduled": 0, "lost": 0, "silent": 1.0, "now": NOW}
    return await_report.missing(records, nodes, **given | more)


def test_ticks_count_what_was_there_at_the_end_of_each():
    rows = await_report.ticks([(0.0, 3), (6.0, 3)], [1.0, 1.0, 1.0, 11.0], [9.0, 9.5, 9.9])
    assert rows == [
        {"t": 5.0, "created": 3, "assigned": 3, "running": 0},
        {"t": 10.0, "created": 6, "assigned": 3, "running": 3},
        {"t": 15.0, "created": 6, "assigned": 4, "running": 3},
    ]


def test_a_long_wait_has_longer_ticks_and_no_more_rows():
    rows = await_report.ticks([(0.0, 1)], [], [3600.0])
    assert len(rows) <= await_report.MOST_TICKS
    assert rows[0]["t"] == 20.0
    assert rows[-1]["running"] == 1


def test_nothing_yet_is_a_row_of_nothing():
    assert await_report.ticks([], [], []) == [{"t": 5.0, "created": 0, "assigned": 0, "running": 0}]


def test_a_tick_of_the_scheduler_is_told_by_the_order_of_its_services():
    """Services go by their ids in each tick: where the order begins again, so did the scheduler."""
    placed = [(2.5, "a", "worker-1"), (2.6, "b", "worker-1"), (2.7, "b", "worker-1")]
    late = [(2.8, "a", "worker-2"), (7.5, "c", "worker-2")]  # a follows b at once, c after a pause
    found = await_report.scheduler_ticks([*late, *placed], [2.65, 9.0])
    assert (found["count"], found["largest"]) == (3, 3)
    assert [(row["t"], row["containers"], row["services"], row["running"]) for row in found["rows"]] == [
        (2.5, 3, 2, 1),
        (2.8, 1, 1, 1),
        (7.5, 1, 1, 1),
    ]
    assert found["rows"][0]["duration"] == pytest.approx(0.2)
    assert [row["nodes"] for row in found["rows"]] == [{"worker-1": 3}, {"worker-2": 1}, {"worker-2": 1}]


def test_many_ticks_are_counted_and_not_all_told():
    found = await_report.scheduler_ticks([(5.0 * turn, "a", "worker-1") for turn in range(500)], [])
    assert found["count"] == 500
    assert len(found["rows"]) == await_report.MOST_TICKS


def test_a_scheduler_that_did_nothing_had_no_tick():
    assert await_report.scheduler_ticks([], []) == {"count": 0, "largest": 0, "rows": []}


@pytest.mark.parametrize(
    ("nodes", "silent", "end"),
    [
        ([node(status="down")], 1.0, "no worker is ready, and Warren creates no containers without one."),
        ([node()], 12.0, "the scheduler is behind, it has created none for 12 s, and its tick is 5 s."),
        ([node()], 2.0, "the scheduler was still creating them."),
        (None, 2.0, "the scheduler was still creating them."),
    ],
)
def test_what_has_no_record(nodes, silent, end):
    assert missing([], nodes, unscheduled=288, silent=silent)[0] == f"288 containers without a record: {end}"


@pytest.mark.parametrize(
    ("nodes", "end"),
    [
        (
            [node(age=41.0)],
            ": its last heartbeat was 41 s ago and one is due every 5 s, so what runs there is not told.",
        ),
        ([node(status="down", age=60.0)], ": the node is down, and its last heartbeat was 60 s ago."),
        ([node("worker-2")], ": the node is not registered any more."),
        ([node()], ", though its heartbeats are in time."),
        (None, "."),
    ],
)
def test_what_does_not_run_on_its_node(nodes, end):
    found = missing([record(), record(), record("running")], nodes)
    assert found[0] == f"2 containers on worker-1 not running yet{end}"


def test_only_the_worst_nodes_have_a_sentence_of_their_own():
    records = [record(node=f"worker-{index}") for index in range(1, 6) for _one in range(index)]
    found = missing(records, [node(f"worker-{index}") for index in range(1, 6)])
    assert [text.partition(" not ")[0] for text in found] == [
        "5 containers on worker-5",
        "4 containers on worker-4",
        "3 containers on worker-3",
        "3 containers on 2 other nodes",
    ]


def test_a_node_that_is_down_is_said_though_nothing_of_the_run_is_on_it():
    assert missing([], [node(), node("worker-2", "down", 99.0)]) == [
        "worker-2 is down: its last heartbeat was 99 s ago."
    ]


def test_that_no_worker_is_ready_is_said_once_and_what_failed_with_its_node_is_no_pull_failure():
    found = missing([record("failed")] * 9, [node(status="down", age=99.0)])
    assert found[0] == "worker-1 is down: its last heartbeat was 99 s ago."
    assert found[1].startswith("None of 1 node is ready: a worker reports to one manager for its life")
    assert len(found) == 2


def test_records_without_a_node_and_services_that_are_lost():
    assert missing([record(node="")], [node()], lost=2) == [
        "2 acknowledged services cannot be found on the cluster any more.",
        "1 container with a record but no node: the scheduler did not assign them.",
    ]


def test_failures_by_their_text_and_those_without_one_by_their_image():
    records = [record("failed", error="no space left on device.")] * 3 + [record("failed", image="nginx")] * 2
    assert missing(records, [node()]) == [
        "3 containers failed: no space left on device.",
        "2 containers of nginx failed without a text: Warren tells why only in the worker's log, and an image that "
        "cannot be pulled is its most frequent reason (is warren_load_image fully qualified?).",
    ]
