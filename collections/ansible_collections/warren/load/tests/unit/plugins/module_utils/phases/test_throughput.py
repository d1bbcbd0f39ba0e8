# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.errors import Unreachable
from ansible_collections.warren.load.plugins.module_utils.phases import throughput

from .conftest import RUN_ID


def options(**more):
    few = {"calls": 60, "concurrency": 5, "clients": 3, "calls_each": 20, "planned_calls": 40}
    return throughput.Options(RUN_ID, **few | more)


def test_both_closed_loops_then_planned_calls_at_half_the_highest_rate(run_phase, cluster, tmp_path):
    ran = run_phase(throughput, options(shares_host_with=["manager-1"]))
    measured = ran.measurements
    ab, parallel, planned = measured["ab"], measured["parallel"], measured["planned"]
    assert (ab["calls"], ab["ok"], ab["concurrency"], ab["connections"]) == (60, 60, 5, 1)
    assert (parallel["calls"], parallel["ok"], parallel["clients"], parallel["connections"]) == (60, 60, 3, 3)
    assert measured["highest_rate"]["value"] == max(ab["rate"]["value"], parallel["rate"]["value"]) > 0
    assert planned["rate_planned"] == pytest.approx(measured["highest_rate"]["value"] / 2, rel=1e-3)
    assert (planned["calls"], planned["ok"], planned["method"]) == (40, 40, "ListServices")
    assert planned["response_time"]["p50"]["n"] == planned["send_lag"]["p50"]["n"] == 40
    assert "response_time" not in ab
    assert "response_time" not in parallel
    assert cluster.connections == 1 + 3 + 1
    assert ran.reporter.audit["generator"]["shares_host_with"] == ["manager-1"]
    assert ran.status["done"] == ran.status["total"] == 160
    with gzip.open(tmp_path / "throughput-samples.csv.gz", "rt") as file:
        parts = [line.partition(",")[0] for line in file]
    assert [parts.count(part) for part in ("ab", "parallel", "planned")] == [60, 60, 40]


def test_errors_are_counted_and_are_in_no_rate(run_phase, cluster):
    answer, made = cluster.answer, iter(range(10_000))

    def failing(method):
        if method == "ListServices" and next(made) in (10, 11, 12):
            raise Unreachable("connection refused", method=method)
        return answer(method)

    cluster.answer = failing
    ab = run_phase(throughput, options()).measurements["ab"]
    assert (ab["ok"], ab["error_count"], ab["rate"]["n"]) == (57, 3, 57)
    assert ab["errors"] == {"ListServices: connection refused (UNAVAILABLE)": 3}


def test_without_an_answer_nothing_is_planned(run_phase, cluster):
    answer, warmed = cluster.answer, set()

    def failing(method):
        if cluster.connections in warmed:
            raise Unreachable("connection refused", method=method)
        if cluster.connections:
            warmed.add(cluster.connections)
        return answer(method)

    cluster.answer = failing
    ran = run_phase(throughput, options())
    assert ran.measurements["planned"] is None
    assert ran.measurements["highest_rate"]["value"] in (None, 0.0)
    assert any("no rate could be planned" in problem for problem in ran.reporter.problems)


def test_the_deadline_ends_it(run_phase):
    ran = run_phase(throughput, options(calls=100_000), deadline=0.3)
    assert "deadline" in ran.reporter.ended_early
    assert ran.measurements["planned"] is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"calls": 0}, "calls"),
        ({"concurrency": 0}, "concurrency"),
        ({"clients": 0}, "clients"),
        ({"calls_each": 0}, "calls_each"),
        ({"planned_calls": 0}, "planned_calls"),
        ({"methods": ["Everything"]}, "methods: 'Everything'"),
    ],
)
def test_refusals(more, message):
    with pytest.raises(ValueError, match=message):
        options(**more)
