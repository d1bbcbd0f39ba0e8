# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import time

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.errors import Unreachable
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.phases import calling, latency, methods

from .conftest import RUN_ID


def refusal():
    return Unreachable("connection refused", method="ListServices")


def test_calls_are_clocked_in_three_columns(run_phase, cluster, tmp_path):
    ran = run_phase(latency, latency.Options(RUN_ID, calls=50, rate=1000.0, shares_host_with=["manager-1"]))
    measured = ran.measurements
    assert (measured["calls"], measured["ok"], measured["error_count"], measured["unsent"]) == (50, 50, 0, 0)
    for column in ("send_lag", "service_time", "response_time"):
        assert measured[column]["p99"]["n"] == 50
        assert measured[column]["p99"]["unit"] == "ms"
    assert measured["manager"] == "manager-1"
    audit = ran.reporter.audit["generator"]
    assert audit["shares_host_with"] == ["manager-1"]
    assert audit["send_lag_p99_ms"] == pytest.approx(measured["send_lag"]["p99"]["value"], abs=0.001)
    assert ran.status["done"] == 50
    with gzip.open(tmp_path / "latency-samples.csv.gz", "rt") as file:
        assert len(file.readlines()) == 51


def test_errors_are_counted_by_text(run_phase, cluster):
    answer, made = cluster.answer, iter(range(1000))

    def failing(method):
        if method == "ListServices" and next(made) in (3, 7):
            raise refusal()
        return answer(method)

    cluster.answer = failing
    measured = run_phase(latency, latency.Options(RUN_ID, calls=20, rate=1000.0)).measurements
    assert measured["errors"] == {"ListServices: connection refused (UNAVAILABLE)": 2}
    assert (measured["ok"], measured["error_count"]) == (18, 2)
    assert measured["response_time"]["max"]["n"] == 18
    assert measured["send_lag"]["max"]["n"] == 20


def test_a_closed_loop_has_no_plan_and_no_lag(run_phase):
    ran = run_phase(latency, latency.Options(RUN_ID, calls=50, concurrency=5))
    assert ran.measurements["rate_planned"] is None
    assert ran.measurements["send_lag"]["p99"]["value"] is None
    assert ran.reporter.audit["generator"]["valid"] is True
    assert ran.measurements["service_time"]["p50"]["n"] == 50
    assert ran.measurements["response_time"]["p50"]["value"] is None


def test_the_deadline_ends_it_and_what_was_not_sent_is_counted(run_phase):
    ran = run_phase(latency, latency.Options(RUN_ID, calls=1000, rate=10.0), deadline=0.4)
    assert ran.measurements["ok"] + ran.measurements["unsent"] == 1000
    assert ran.measurements["unsent"] > 900
    assert "deadline" in ran.reporter.ended_early


@pytest.mark.parametrize("method", methods.METHODS)
def test_every_method_can_be_measured(run_phase, cluster, method):
    cluster.add_service(f"wl-{RUN_ID}-0001")
    measured = run_phase(latency, latency.Options(RUN_ID, methods=[method], calls=3, rate=1000.0)).measurements
    assert (measured["method"], measured["ok"]) == (method, 3)


def test_a_mix_is_counted_by_method_and_over_all(run_phase, cluster, tmp_path):
    mine = cluster.add_service(f"wl-{RUN_ID}-0001", replicas=7)
    mix = ["ListServices:8", "GetService", "UpdateService:1"]
    ran = run_phase(latency, latency.Options(RUN_ID, methods=mix, calls=50, rate=1000.0))
    measured = ran.measurements
    assert (measured["method"], measured["ok"]) == ("ListServices+GetService+UpdateService", 50)
    assert [(row["method"], row["write"], row["calls"], row["ok"]) for row in measured["methods"]] == [
        ("ListServices", False, 40, 40),
        ("GetService", False, 5, 5),
        ("UpdateService", True, 5, 5),
    ]
    assert sum(row["response_time"]["p50"]["n"] for row in measured["methods"]) == 50
    update = message("UpdateServiceRequest")(id=mine.id, replicas=7).SerializeToString()
    assert [request for method, request in cluster.measured if method == "UpdateService"] == [update] * 6  # one to warm
    with gzip.open(tmp_path / "latency-samples.csv.gz", "rt") as file:
        assert sum(line.rstrip().endswith(",UpdateService") for line in file) == 5


def test_writes_touch_nothing_but_the_run_s_own_services(run_phase, cluster):
    cluster.add_service("wl-20261122-101010-00aa-0001")
    cluster.add_service("production")
    own = [cluster.add_service(f"wl-{RUN_ID}-{index:04d}") for index in (1, 2)]
    mix = ["UpdateService", "GetService", "DeleteSecret"]
    run_phase(latency, latency.Options(RUN_ID, methods=mix, calls=30, rate=1000.0))
    sent = {method: {request for name, request in cluster.measured if name == method} for method in mix}
    updates = [message("UpdateServiceRequest").FromString(request) for request in sent["UpdateService"]]
    assert {update.id for update in updates} == {service.id for service in own}
    assert {message("GetServiceRequest").FromString(request).name for request in sent["GetService"]} == {
        service.name for service in own
    }
    assert len(sent["DeleteSecret"]) == 1
    assert RUN_ID in message("DeleteSecretRequest").FromString(sent["DeleteSecret"].pop()).id


def test_a_method_that_needs_a_service_says_so(run_phase, cluster):
    cluster.add_service("production")
    with pytest.raises(ValueError, match=f"methods: UpdateService needs a service of run {RUN_ID}; create one first"):
        run_phase(latency, latency.Options(RUN_ID, methods=["ListServices", "UpdateService"]))


def test_a_write_without_an_answer_is_waited_out(run_phase, cluster, monkeypatch):
    monkeypatch.setattr(calling, "ENQUEUE_TIMEOUT", 0.2)
    monkeypatch.setattr(calling, "ENQUEUE_SLACK", 0.1)
    answer, made = cluster.answer, iter(range(1000))

    def failing(method):
        if method == "DeleteSecret" and next(made) == 3:
            raise Unreachable("the connection was lost", method=method)
        return answer(method)

    cluster.answer = failing
    started = time.monotonic()
    measured = run_phase(latency, latency.Options(RUN_ID, methods=["DeleteSecret"], calls=5, concurrency=1))
    assert measured.measurements["error_count"] == 1
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"calls": 0}, "calls"),
        ({"rate": 0.0}, "rate"),
        ({"outstanding": 0}, "outstanding"),
        ({"timeout": 0.0}, "timeout"),
        ({"concurrency": -1}, "concurrency"),
        ({"methods": ["DeleteEverything"]}, "methods: .*DeleteEverything"),
    ],
)
def test_refusals(more, message):
    with pytest.raises(ValueError, match=message):
        latency.Options(RUN_ID, **more)


def test_an_unknown_manager_is_refused(run_phase):
    with pytest.raises(ValueError, match="manager: nobody"):
        run_phase(latency, latency.Options(RUN_ID, manager="nobody"))
