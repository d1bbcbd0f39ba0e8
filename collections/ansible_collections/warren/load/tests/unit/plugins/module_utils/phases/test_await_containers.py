# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time

import grpc
import grpc.aio
import pytest

from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.phases import await_containers, create

from .conftest import OTHER_RUN_ID, RUN_ID

OPTIONS = await_containers.Options(RUN_ID, interval=0.01)


def create_services(run_phase, services=2, replicas=2):
    return run_phase(create, create.Options(RUN_ID, services, replicas, "image"))


def test_it_waits_until_all_run_and_measures_by_the_servers_stamps(run_phase, cluster):
    create_services(run_phase)

    def on_look(looks):
        if looks == 2:
            for service in list(cluster.services.values()):
                cluster.add_container(service, delay=1.5, state="pending")
                cluster.add_container(service, delay=2.5, state="pending", node="worker-2")
        if looks == 4:
            for one in cluster.containers.values():
                one.actual_state = "running"

    cluster.on_look = on_look
    ran = run_phase(await_containers, OPTIONS)
    measured = ran.measurements
    assert measured["settled"] is True
    assert (measured["expected"], measured["records"], measured["running"]) == (4, 4, 4)
    assert (measured["unscheduled"], measured["not_running"]) == (0, 0)
    assert measured["polls"] == 4
    assert measured["scheduling_latency"]["p50"]["value"] == pytest.approx(1.5)
    assert measured["scheduling_latency"]["max"]["value"] == pytest.approx(2.5)
    assert 0 < measured["create_to_running"]["max"]["value"] < 10
    assert measured["create_to_running"]["max"]["n"] == 4
    assert measured["placement"] == {"worker-1": 2, "worker-2": 2}
    assert measured["nodes_ready"] == 1
    assert measured["ticks"] == [{"t": 5.0, "created": 4, "assigned": 4, "running": 4}]
    scheduler = measured["scheduler"]
    assert scheduler["ticks"] == len(scheduler["rows"]) > 1
    assert sum(row["containers"] for row in scheduler["rows"]) == 4
    assert scheduler["rows"][0]["nodes"] == {"worker-1": scheduler["rows"][0]["containers"]}
    assert scheduler["duration"]["value"] == pytest.approx(2.5, abs=0.2)
    assert scheduler["rate"]["value"] == pytest.approx(60 * 4 / scheduler["duration"]["value"], rel=1e-5)
    assert measured["missing"] == []
    # Seen not to run one look before, so known to within that.
    assert 0.01 <= measured["create_to_running_resolution"]["value"] < 1.0
    assert measured["create_to_running_resolution"]["n"] == 4
    assert measured["poll_bytes"] > 0
    assert measured["poll_cpu_estimate"] == pytest.approx(3 * 4 * await_containers.DECODE)
    assert measured["poll_share"] == pytest.approx(100 * measured["poll_time"] / measured["duration"])
    assert measured["states"] == {"running": 4}
    assert ran.status["text"] == "4 of 4 containers running, 4 placed on nodes"
    assert ran.reporter.ended_early is None


def test_at_the_deadline_what_never_came_counts_with_the_time_waited(run_phase, cluster):
    create_services(run_phase, services=1, replicas=3)
    (service,) = cluster.services.values()
    cluster.add_container(service, delay=0.001)
    cluster.add_container(service, delay=0.001, state="pending")
    cluster.nodes[0].last_heartbeat.FromNanoseconds(int((time.time() - 99) * 1e9))
    ran = run_phase(await_containers, OPTIONS, deadline=0.3)
    measured = ran.measurements
    assert measured["settled"] is False
    assert (measured["unscheduled"], measured["not_running"]) == (1, 2)
    assert measured["scheduling_latency"]["p50"]["value"] == pytest.approx(0.001)
    assert measured["scheduling_latency"]["max"]["value"] > 0.3
    assert measured["create_to_running"]["p50"]["value"] > 0.3
    without, late = measured["missing"]
    assert without == "1 container without a record: the scheduler was still creating them."
    assert re.fullmatch(r"1 container on worker-1 not running yet: its last heartbeat was \d+ s ago and .*", late)
    assert "deadline" in ran.reporter.ended_early


def test_without_a_ready_worker_there_is_no_use_in_waiting(run_phase, cluster, monkeypatch):
    monkeypatch.setattr(await_containers, "NODES_EVERY", 0.0)
    monkeypatch.setattr(await_containers, "HOPELESS", 0.05)
    create_services(run_phase, services=1, replicas=1)
    cluster.nodes.append(message("Node")(id="worker-2", role="worker", status="down"))

    def on_look(looks):
        if looks == 3:
            cluster.nodes[0].status = "down"

    cluster.on_look = on_look
    ran = run_phase(await_containers, OPTIONS, deadline=10)
    assert ran.reporter.ended_early == "no worker has been ready for 0 s"
    assert ran.measurements["duration"] < 5
    assert any(one.startswith("None of 2 nodes is ready: a worker reports") for one in ran.measurements["missing"])
    assert "running, 0 placed on nodes, 0 of 2 nodes ready" in ran.status["text"]


def test_replacements_are_not_scheduling_and_other_runs_are_not_ours(run_phase, cluster):
    create_services(run_phase, services=1, replicas=1)
    (service,) = cluster.services.values()
    failed = cluster.add_container(service, delay=1.0, state="failed")
    failed.desired_state = "shutdown"
    cluster.add_container(service, delay=60.0)
    other = cluster.add_service(f"wl-{OTHER_RUN_ID}-0001")
    cluster.add_container(other, delay=99.0)
    measured = run_phase(await_containers, OPTIONS).measurements
    assert (measured["expected"], measured["records"], measured["running"]) == (1, 2, 1)
    assert measured["scheduling_latency"]["max"]["value"] == pytest.approx(1.0)
    assert measured["placement"] == {"worker-1": 1}


def test_one_too_many_does_not_stand_in_for_one_that_is_missing(run_phase, cluster):
    create_services(run_phase, services=2, replicas=2)
    many, few = cluster.services.values()
    for service in (many, many, many, few):
        cluster.add_container(service)
    measured = run_phase(await_containers, OPTIONS, deadline=0.1).measurements
    assert (measured["running"], measured["not_running"], measured["settled"]) == (4, 1, False)


def test_an_acknowledged_service_that_is_lost_is_still_expected(run_phase, cluster):
    create_services(run_phase, services=2, replicas=1)
    lost, kept = cluster.services.values()
    del cluster.services[lost.id]
    cluster.add_container(kept)
    measured = run_phase(await_containers, OPTIONS, deadline=0.1).measurements
    assert (measured["expected"], measured["running"], measured["settled"]) == (2, 1, False)
    assert "1 acknowledged service cannot be found on the cluster any more." in measured["missing"]


def test_what_runs_at_the_first_look_is_known_to_within_its_whole_time(run_phase, cluster):
    create_services(run_phase, services=1, replicas=1)
    (service,) = cluster.services.values()
    cluster.add_container(service)
    time.sleep(0.2)
    measured = run_phase(await_containers, OPTIONS).measurements
    assert measured["polls"] == 1
    assert measured["create_to_running_resolution"]["value"] == measured["create_to_running"]["max"]["value"] >= 0.2


def test_looks_that_take_long_are_further_apart(run_phase, cluster, monkeypatch):
    create_services(run_phase, services=1, replicas=1)
    monkeypatch.setattr(await_containers, "LOOK_SHARE", 1000)

    def on_look(_looks):
        time.sleep(0.001)

    cluster.on_look = on_look
    measured = run_phase(await_containers, OPTIONS, deadline=0.5).measurements
    assert measured["polls"] <= 2  # the last is at the deadline
    assert measured["poll_interval_max"] >= 1.0
    assert measured["poll_interval"] == 0.01


def refusal():
    empty = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, empty, empty, "connection refused", None)


def test_a_poll_that_fails_is_said_and_the_next_one_counts(run_phase, cluster):
    create_services(run_phase, services=1, replicas=1)
    (service,) = cluster.services.values()
    cluster.add_container(service, state="pending")

    def on_look(looks):
        if looks == 1:
            cluster.failing = [refusal()]
        else:
            next(iter(cluster.containers.values())).actual_state = "running"

    cluster.on_look = on_look
    ran = run_phase(await_containers, OPTIONS)
    assert ran.measurements["settled"] is True
    assert ran.reporter.problems == ["1 polls failed (ListContainers: connection refused (UNAVAILABLE))"]


def test_managers_that_all_die_leave_what_was_measured(run_phase, cluster):
    create_services(run_phase, services=1, replicas=2)
    (service,) = cluster.services.values()
    cluster.add_container(service, delay=1.5)

    def on_look(_looks):
        cluster.failing = [refusal() for _call in range(1000)]

    cluster.on_look = on_look
    ran = run_phase(await_containers, OPTIONS, deadline=0.2)
    assert (ran.measurements["running"], ran.measurements["settled"]) == (1, False)
    assert ran.measurements["scheduling_latency"]["max"]["value"] == pytest.approx(1.5)
    assert ran.measurements["nodes_ready"] is None
    assert any("ready nodes could not be counted" in problem for problem in ran.reporter.problems)


def test_a_run_without_services_is_one_sentence(run_phase):
    with pytest.raises(ValueError, match=r"run_id: .* has no services"):
        run_phase(await_containers, OPTIONS)


def test_services_without_a_journal_are_found_on_the_cluster(run_phase, cluster):
    service = cluster.add_service(f"wl-{RUN_ID}-0001", replicas=1, created_at=time.time())
    cluster.add_container(service, delay=2.0)
    measured = run_phase(await_containers, OPTIONS).measurements
    assert (measured["expected"], measured["settled"]) == (1, True)
    assert measured["scheduling_latency"]["max"]["value"] == pytest.approx(2.0)
    assert measured["create_to_running"]["max"]["n"] == 0  # nobody knows when it was sent


def test_refusals():
    with pytest.raises(ValueError, match="interval"):
        await_containers.Options(RUN_ID, interval=0)
    with pytest.raises(ValueError, match="expected"):
        await_containers.Options(RUN_ID, expected=0)
    with pytest.raises(ValueError, match="run_id"):
        await_containers.Options("")
