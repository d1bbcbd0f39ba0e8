# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.sampled import merged


def rate(value, low, high):
    return {"value": value, "unit": "MB/min", "low": low, "high": high, "n": 40}


def process(name, kind="manager", peak=30.0, **rest):
    return {
        "name": name,
        "kind": kind,
        "host": "kernel-name",
        "rss_peak": {"value": peak, "unit": "MB", "low": None, "high": None, "n": 42},
        "restarts": 0,
        "ended": False,
        "log": {"error": 1, "warning": 2, "first_error": "x", "first_warning": "y"},
        "growth": {"rate": rate(1.0, 0.5, 1.5), "window": None, "needs": None, "why": ""},
        **rest,
    }


def answer(*rows, host="node-1", unavailable=()):
    sampler = {"host": "kernel-name", "samples": 42}
    return {"rows": list(rows), "sampler": sampler, "unavailable": list(unavailable), "item": {"host": host}}


def test_hosts_are_joined():
    told = merged(
        [
            answer(process("manager-1", peak=30.0)),
            answer(process("manager-2", peak=50.0), process("worker-1", "worker", peak=20.0), host="node-2"),
            answer(process("engine", "other", log=None, growth=None), host="generator", unavailable=["a.", "a."]),
        ],
        managers=2,
    )
    assert [row["name"] for row in told["managers"]] == ["manager-1", "manager-2"]
    assert [row["host"] for row in told["managers"]] == ["node-1", "node-2"]
    assert told["manager_rss_max"] == {"value": 50.0, "unit": "MB", "low": None, "high": None, "n": 2}
    assert told["worker_rss_max"]["value"] == 20.0
    assert [row["name"] for row in told["others"]] == ["engine"]
    assert (told["ended"], told["log_errors"], told["log_warnings"]) == (0, 3, 6)
    assert [row["host"] for row in told["sampler"]] == ["node-1", "node-2", "generator"]
    assert told["unavailable"] == ["a."]


def test_numbers_of_the_process_that_grew_most():
    def rates(first, second):
        return merged([answer(counting("a", first), counting("b", second, kind="worker"))])

    assert rates(rate(0.0, 0.0, 0.0), rate(2.0, 1.0, 3.0))["open_files_growth"]["value"] == 2.0
    # As far as any of them may grow.
    assert rates(rate(0.0, -2.0, 2.0), rate(0.5, 0.0, 1.0))["open_files_growth"]["high"] == 2.0
    assert rates(rate(0.0, 0.0, 0.0), None)["open_files_growth"] is None
    leak = rates(rate(2.0, 1.0, 3.0), None)
    assert leak["open_files_growth"] == rate(2.0, 1.0, None)
    assert leak["unavailable"] == ["Growth of open files of b is not known: it may be more than that which is told."]
    assert rates(None, None)["open_files_growth"] is None
    assert rates(None, None)["goroutines_growth"] is None


def counting(name, growth, number=20, kind="manager"):
    """A process with a number of open files; None: it does not tell them."""
    return process(name, kind, open_files=number, open_files_growth=growth)


def test_of_a_kind_that_tells_nothing_nothing_is_expected():
    flat = rate(0.0, 0.0, 0.0)
    told = merged([answer(counting("manager-1", flat), counting("worker-1", None, None, "worker"))])
    assert told["open_files_growth"] == flat
    assert told["unavailable"] == ["Growth of open files is that of managers alone: no worker tells its number."]
    # One that does tell them is expected to, and so are the others of its kind.
    more = [counting("worker-2", None, 7, "worker"), counting("worker-3", flat, 9, "worker")]
    told = merged([answer(counting("manager-1", flat), counting("worker-1", None, None, "worker"), *more)])
    assert (told["open_files_growth"], told["unavailable"]) == (None, [])
    # Hollow workers are not Warren's program, and are not asked.
    hollow = process("worker-1", "other", open_files=None, open_files_growth=None)
    told = merged([answer(counting("manager-1", flat), hollow)])
    assert (told["open_files_growth"], told["unavailable"]) == (flat, [])


def test_of_processes_that_gave_no_answer_no_growth_is_told():
    def lost(kind, growth, *others):
        item = {"host": "node-2", "processes": [{"name": "x", "kind": kind}]}
        told = merged([answer(counting("manager-1", growth), *others), {"unreachable": True, "item": item}])
        return told["memory_growth"], told["open_files_growth"]

    flat, leak = rate(0.0, 0.0, 0.0), rate(2.0, 1.0, 3.0)
    assert lost("manager", flat) == (rate(1.0, 0.5, None), None)
    assert lost("manager", leak) == (rate(1.0, 0.5, None), rate(2.0, 1.0, None))
    assert lost("worker", flat) == (rate(1.0, 0.5, None), None)
    # Where no worker that answered tells open files, this one is not expected to either.
    assert lost("worker", flat, counting("worker-1", None, None, "worker")) == (rate(1.0, 0.5, None), flat)
    assert lost("other", flat) == (rate(1.0, 0.5, 1.5), flat)


def test_memory_of_containers_stands_apart():
    def holding(count, size, shims):
        known = {name: {"value": value} for name, value in (("memory_peak", size), ("shims_peak", shims))}
        return {"count": 0, "count_peak": count, **known}

    rows = [
        process("worker-1", "worker", peak=20.0, containers=holding(20, 50.0, 200.0)),
        process("worker-2", "worker", peak=21.0, containers=holding(1, 2.5, 10.0)),
        process("worker-3", "worker", peak=10.0, containers=None),
    ]
    told = merged([answer(*rows)])
    assert told["container_memory"] == {"value": 262.5, "unit": "MB", "low": None, "high": None, "n": 21}
    assert told["worker_rss_max"]["value"] == 21.0
    assert merged([answer(rows[2])])["container_memory"] is None


def test_memory_is_told_when_every_managers_is_known():
    assert merged([answer(process("manager-1"))], managers=2)["manager_rss_max"] is None
    assert merged([answer(process("manager-1"))], managers=1)["manager_rss_max"]["value"] == 30.0


def test_a_host_that_cannot_be_reached_costs_a_sentence():
    told = merged(
        [
            answer(process("manager-1")),
            {"unreachable": True, "msg": "ssh: no route to host", "item": {"host": "node-2"}},
            {"failed": True, "msg": "The sampler cannot use /x: No space left on device.", "item": {"host": "node-3"}},
            {"skipped": True, "item": {"host": "node-4"}},
        ]
    )
    assert told["unavailable"] == [
        "Nothing is known of the processes on node-2: Ansible cannot log in to it.",
        "Nothing is known of the processes on node-3: The sampler cannot use /x: No space left on device.",
    ]


def test_nothing_was_asked():
    assert merged([]) == {}
    assert merged([{"skipped": True}]) == {}


def test_what_ended_and_what_was_started_again_is_counted():
    rows = [process("a", ended=True), process("b", restarts=2), process("c"), process("hollow", "other", ended=True)]
    assert merged([answer(*rows)])["ended"] == 3
    assert merged([answer(process("engine", "other"))])["ended"] is None


def grown(*rates, **kinds):
    rows = [process(f"m{index}", growth={"rate": each}) for index, each in enumerate(rates)]
    return merged([answer(*rows)])["memory_growth"]


@pytest.mark.parametrize(
    ("rates", "wanted"),
    [
        ([rate(1, 0.5, 1.5), rate(2, 0.1, 4)], rate(2, 0.5, 4)),
        ([rate(1, None, 1.5)], rate(1, None, 1.5)),
        # Who cannot be told may grow faster.
        ([rate(9, 8, 10), None], rate(9, 8, None)),
        ([rate(3, 2.8, 3.2), None], rate(3, 2.8, None)),
        ([rate(1, 0, 1.5), None], None),
        ([rate(1, None, 1.5), None], None),
        ([None], None),
        ([], None),
    ],
)
def test_growth_is_that_of_whoever_grows_most(rates, wanted):
    assert grown(*rates) == wanted


def test_the_input_is_left_as_it_was():
    results = [answer(process("manager-1"))]
    before = copy.deepcopy(results)
    merged(results)
    assert results == before
