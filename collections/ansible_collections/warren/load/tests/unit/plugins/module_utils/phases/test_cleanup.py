# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import itertools
import time
import types

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.errors import NoLeader, OutcomeUnknown, Unreachable
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.node import supervision
from ansible_collections.warren.load.plugins.module_utils.phases import cleanup

from .conftest import OTHER_RUN_ID, RUN_ID, DoubleClient

OPTIONS = cleanup.Options(RUN_ID, interval=0.01)


@pytest.fixture(autouse=True)
def _no_wait_for_late_records(monkeypatch):
    monkeypatch.setattr(cleanup, "QUIET", 0.02)


def fill(cluster, run_id=RUN_ID, services=4, replicas=3):
    for index in range(1, services + 1):
        service = cluster.add_service(f"wl-{run_id}-{index:04d}", replicas)
        for _replica in range(replicas):
            cluster.add_container(service)


def ticking(cluster, every=3):
    cluster.on_look = lambda looks: cluster.reconcile() if looks % every == 0 else None


def test_services_and_records_go_and_that_is_proven(run_phase, cluster):
    fill(cluster)
    ticking(cluster)
    ran = run_phase(cleanup, OPTIONS)
    measured = ran.measurements
    assert cluster.services == cluster.containers == {}
    assert (measured["services_deleted"], measured["services_left"]) == (4, 0)
    assert (measured["containers_purged"], measured["containers_left"]) == (12, 0)
    assert (measured["orphans_found"], measured["forced"], measured["stuck"]) == (0, 0, 0)
    # One delete a service; each record reported twice, failed and complete: nothing needless is sent.
    assert measured["writes"] == 4 + 2 * 12
    assert measured["last_gone"] >= measured["first_delete"] > 1e9
    assert measured["runs"] == [RUN_ID]
    assert ran.status["text"] == "4 of 4 services deleted, 12 of 12 records purged"


def test_services_are_deleted_before_records_fail_or_the_scheduler_would_replace_them(run_phase, cluster):
    fill(cluster)
    ticking(cluster)
    run_phase(cleanup, OPTIONS)
    methods = [method for method, _request in cluster.writes]
    assert methods == sorted(methods)  # DeleteService, then UpdateContainerStatus


def test_only_what_carries_the_run_s_name_is_touched(run_phase, cluster):
    fill(cluster)
    fill(cluster, OTHER_RUN_ID, services=1)
    for name in ("theirs", "wl-mine", f"wl-{RUN_ID}", f"wl-{RUN_ID}-x", f"my-wl-{RUN_ID}-0001", ""):
        cluster.add_container(cluster.add_service(name))
    before = {one.id: one.SerializeToString() for one in cluster.containers.values() if RUN_ID not in one.service_name}
    ticking(cluster)
    assert run_phase(cleanup, OPTIONS).measurements["containers_purged"] == 12
    assert {service.name for service in cluster.services.values()} == {
        f"wl-{OTHER_RUN_ID}-0001",
        "theirs",
        "wl-mine",
        f"wl-{RUN_ID}",
        f"wl-{RUN_ID}-x",
        f"my-wl-{RUN_ID}-0001",
        "",
    }
    for container_id, record in before.items():
        assert cluster.containers[container_id].SerializeToString() == record


def test_all_runs_means_every_run_of_ours_and_nothing_else(run_phase, cluster):
    fill(cluster)
    fill(cluster, OTHER_RUN_ID)
    cluster.add_container(cluster.add_service("theirs"))
    ticking(cluster)
    measured = run_phase(cleanup, cleanup.Options(None, all_runs=True, interval=0.01)).measurements
    assert measured["runs"] == [OTHER_RUN_ID, RUN_ID]
    assert [service.name for service in cluster.services.values()] == ["theirs"]
    assert len(cluster.containers) == 1


def test_orphans_of_an_earlier_cleanup_are_found_by_their_service_s_name(run_phase, cluster):
    fill(cluster)
    cluster.services.clear()
    ticking(cluster)
    measured = run_phase(cleanup, OPTIONS).measurements
    assert (measured["orphans_found"], measured["containers_purged"], measured["containers_left"]) == (12, 12, 0)


def test_workers_that_write_their_state_back_are_outlasted(run_phase, cluster):
    fill(cluster)

    def on_look(looks):
        if looks in (4, 8):  # a heartbeat: every record is what its worker says, whatever we said
            for one in cluster.containers.values():
                one.actual_state = "running"
        elif looks % 6 == 0:
            cluster.reconcile()

    cluster.on_look = on_look
    measured = run_phase(cleanup, OPTIONS).measurements
    assert measured["containers_left"] == 0
    assert measured["forced"] == 12


def test_records_of_a_lost_node_are_said_to_be_stuck_and_do_not_hold_it(run_phase, cluster):
    fill(cluster)
    service = next(iter(cluster.services.values()))
    cluster.add_container(service, node="gone")
    ticking(cluster)
    ran = run_phase(cleanup, OPTIONS)
    assert (ran.measurements["containers_left"], ran.measurements["stuck"]) == (1, 1)
    assert ran.measurements["last_gone"] is None
    assert ran.reporter.ended_early is None
    assert any("nodes are no longer registered" in problem for problem in ran.reporter.problems)


def test_an_outage_in_the_middle_is_outlasted(run_phase, cluster):
    fill(cluster)

    def on_look(looks):
        if looks in (2, 5):
            cluster.failing = [NoLeader("no leader elected yet"), OutcomeUnknown("leadership lost")]
        elif looks % 3 == 0:
            cluster.reconcile()

    cluster.on_look = on_look
    measured = run_phase(cleanup, OPTIONS).measurements
    assert (measured["services_left"], measured["containers_left"]) == (0, 0)
    assert sum(measured["failures"].values()) >= 2


def test_the_deadline_ends_it_and_the_rest_is_counted(run_phase, cluster):
    fill(cluster)  # and the reconciler never ticks
    ran = run_phase(cleanup, OPTIONS, deadline=0.3)
    assert (ran.measurements["services_left"], ran.measurements["containers_left"]) == (0, 12)
    assert "deadline" in ran.reporter.ended_early
    assert {one.actual_state for one in cluster.containers.values()} == {"failed"}
    assert ran.reporter.problems == [
        "12 container records that are left were reported failed, which Warren's reconciler has not taken up"
    ]


def test_what_is_left_says_whose_turn_it_was():
    one = message("Container")
    records = [one(desired_state="running", actual_state="running")] * 3
    records += [one(desired_state="shutdown", actual_state="running")] * 2
    records += [one(desired_state="shutdown", actual_state="complete")]
    assert [text.partition(" that are left ")[::2] for text in cleanup.why_left(records)] == [
        (
            "3 container records",
            "were reported running again by their worker, each time before Warren's reconciler saw them failed",
        ),
        ("2 container records", "are to stop, and their worker goes on reporting them"),
        ("1 container record", "are done, and Warren's reconciler has not deleted them"),
    ]


def test_records_that_a_scheduler_tick_writes_after_the_delete_are_not_missed(run_phase, cluster):
    service = cluster.add_service(f"wl-{RUN_ID}-0001")

    def on_look(looks):
        if looks == 4:  # the look before found nothing
            cluster.add_container(service)
        elif looks > 4:
            cluster.reconcile()

    cluster.on_look = on_look
    measured = run_phase(cleanup, OPTIONS).measurements
    assert (measured["containers_purged"], measured["containers_left"]) == (1, 0)


def test_a_follower_that_lags_proves_nothing(run_phase, cluster, monkeypatch):
    fill(cluster)
    ticking(cluster)

    class Lagging(DoubleClient):
        def raw(self, method):
            async def call(request, timeout):
                return b""

            return call

    cluster.clients = {"manager-2": Lagging(cluster, "manager-2"), **cluster.clients}
    elections = iter([NoLeader("no leader elected yet")])
    leader = cluster.leader

    async def late(deadline_s=10.0):
        for none_yet in elections:
            raise none_yet
        return await leader(deadline_s)

    monkeypatch.setattr(cluster, "leader", late)
    measured = run_phase(cleanup, OPTIONS).measurements
    assert (measured["services_deleted"], measured["containers_purged"]) == (4, 12)
    assert cluster.services == cluster.containers == {}


def test_without_a_leader_nothing_is_proven(run_phase, cluster):
    cluster.leader_name = None
    with pytest.raises(NoLeader):
        run_phase(cleanup, OPTIONS, deadline=0.1)


def test_an_outage_at_the_start_is_outlasted(run_phase, cluster, monkeypatch):
    monkeypatch.setattr(cleanup, "RETRY_PAUSE", 0.01)
    fill(cluster)
    ticking(cluster)
    cluster.failing = [Unreachable("Connection refused", sent=False), NoLeader("no leader elected yet")]
    measured = run_phase(cleanup, OPTIONS).measurements
    assert (measured["services_deleted"], measured["containers_purged"]) == (4, 12)


def test_where_no_manager_answers_any_more_it_gives_up(run_phase, cluster, monkeypatch):
    monkeypatch.setattr(cleanup, "PATIENCE", 0.05)
    fill(cluster)
    cluster.on_look = lambda looks: cluster.failing.extend([Unreachable("Connection refused")] * 9999 * (looks == 3))
    ran = run_phase(cleanup, OPTIONS)
    assert ran.measurements["containers_left"] == 12
    assert ran.reporter.ended_early == "no manager has answered for 0 s"


def test_writes_that_take_long_are_no_silence(run_phase, cluster, monkeypatch):
    now = itertools.count(step=0.01)
    shift = [0.0]
    clock = types.SimpleNamespace(monotonic=lambda: next(now) + shift[0], time=time.time)
    monkeypatch.setattr(cleanup, "time", clock)
    fill(cluster)
    ticking(cluster)
    write = cluster.write

    async def slowly(*arguments):
        shift[0] += cleanup.PATIENCE * 0.7
        return await write(*arguments)

    cluster.write = slowly
    ran = run_phase(cleanup, OPTIONS)
    assert ran.reporter.ended_early is None
    assert cluster.containers == {}


def test_where_no_manager_ever_answers_that_is_raised(run_phase, cluster, monkeypatch):
    monkeypatch.setattr(cleanup, "PATIENCE", 0.05)
    monkeypatch.setattr(cleanup, "RETRY_PAUSE", 0.01)
    cluster.failing = [Unreachable("Connection refused", sent=False)] * 9999
    with pytest.raises(Unreachable):
        run_phase(cleanup, OPTIONS)


def test_check_mode_counts_and_touches_nothing(run_phase, cluster):
    fill(cluster)
    measured = run_phase(cleanup, cleanup.Options(RUN_ID, check_mode=True)).measurements
    assert (measured["services_left"], measured["containers_left"], measured["writes"]) == (4, 12, 0)
    assert cluster.writes == []


def test_writes_are_bounded(run_phase, cluster):
    fill(cluster, services=40)
    ticking(cluster)
    under_way = most = 0
    write = cluster.write

    async def counting(*arguments):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return await write(*arguments)

    cluster.write = counting
    run_phase(cleanup, cleanup.Options(RUN_ID, outstanding=5, interval=0.01))
    assert most == 5


def test_refusals():
    with pytest.raises(ValueError, match="all_runs"):
        cleanup.Options(None)
    with pytest.raises(ValueError, match="run_id"):
        cleanup.Options("wl-")
    with pytest.raises(ValueError, match="outstanding"):
        cleanup.Options(RUN_ID, outstanding=0)


def test_hollow_workers_are_quiet_while_records_are_driven_out(run_phase, cluster, monkeypatch):
    fill(cluster)
    ticking(cluster)
    sent = []
    monkeypatch.setattr(
        supervision, "send", lambda pid_file, name: sent.append((pid_file, name, len(cluster.services)))
    )
    run_phase(cleanup, cleanup.Options(RUN_ID, interval=0.01, hollow_workers="/srv/pid.json"))
    assert sent == [("/srv/pid.json", "USR1", 4), ("/srv/pid.json", "USR2", 0)]


def test_hollow_workers_are_asked_again_as_long_as_it_takes(run_phase, cluster, monkeypatch):
    monkeypatch.setattr(cleanup, "ASK_AGAIN", 0.02)
    fill(cluster)  # and the reconciler never ticks
    sent = []
    monkeypatch.setattr(supervision, "send", lambda _pid_file, name: sent.append(name))
    run_phase(cleanup, cleanup.Options(RUN_ID, interval=0.01, hollow_workers="/srv/pid.json"), deadline=0.3)
    assert sent.count("USR1") > 3
    assert sent[-1] == "USR2"


def test_no_fleet_no_signal(run_phase, cluster, monkeypatch):
    fill(cluster)
    ticking(cluster)
    monkeypatch.setattr(supervision, "send", lambda *_arguments: pytest.fail("nobody was to be signalled"))
    run_phase(cleanup, OPTIONS)
